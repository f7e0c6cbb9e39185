import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startApp, type TestApp } from '../test/app.ts';
import { seedDemoData } from './demo-data.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

it('fills an empty database with users, organizations and roles, and leaves any other database unchanged', async () => {
  expect(await seedDemoData(app.ports)).toBe(true);
  expect(await seedDemoData(app.ports)).toBe(false);
  const { body: tokens } = await app.request('/api/v1/auth/login', {
    method: 'POST',
    body: { email: 'alice@enterprise.com', password: 'User123!@#' },
  });
  const headers = { authorization: `Bearer ${tokens.accessToken}` };
  const { body: mine } = await app.request('/api/v1/organizations', { headers });
  expect(mine.items.map(({ name, role }: { name: string; role: string }) => [name, role])).toEqual([
    ['Acme Inc.', 'ADMIN'],
    ['Alice Enterprise', 'OWNER'],
  ]);
  const [acme] = mine.items;
  const there = async (path: string) =>
    (await app.request(`/api/v1${path}`, { headers: { ...headers, 'x-organization-id': acme.id } })).body;
  const { body: members } = await app.request(`/api/v1/organizations/${mine.items[0].id}/members`, { headers });
  expect(members.items.map(({ role }: { role: string }) => role)).toEqual(['VIEWER', 'MEMBER', 'ADMIN', 'OWNER']);

  const [webhook] = (await there('/webhooks')).items;
  expect(webhook).toMatchObject({ enabled: false, events: ['api_key.*', 'member.*'] });
  expect((await there(`/webhooks/${webhook.id}/deliveries?limit=100`)).items).toHaveLength(21);
  expect(await there(`/webhooks/${webhook.id}/stats?days=30`)).toMatchObject({ attempts: 21, succeeded: 19 });
  const { items: invoices } = await there('/subscriptions/invoices');
  expect(invoices.map(({ status }: { status: string }) => status)).toEqual(['OPEN', 'PAID', 'PAID']);
  expect(await there('/subscriptions')).toMatchObject({ status: 'ACTIVE', plan: 'PRO', provider: 'manual' });
  const [meter] = (await there('/usage/meters')).items;
  expect(meter.slug).toBe('tokens');
  const calls = await eventually(async () => {
    const rows = await app.rows('usage_calls').where({ organizationId: app.ports.ids.decode('org', acme.id) });
    return rows.length > 200 ? rows : undefined;
  }, 'the calls of two days');
  expect(new Set(calls.map(({ occurredAt }) => occurredAt.toISOString().slice(0, 10))).size).toBeGreaterThan(1);
});
