import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from '../test/app.ts';
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
  const { body: members } = await app.request(`/api/v1/organizations/${mine.items[0].id}/members`, { headers });
  expect(members.items.map(({ role }: { role: string }) => role)).toEqual(['VIEWER', 'MEMBER', 'ADMIN', 'OWNER']);
});
