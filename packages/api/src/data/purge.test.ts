import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../test/app.ts';
import { systemContext } from '../context.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
  await app.mailTo(ada.email); // a verification token has been made
  await ada.request('/api/v1/ws/ticket', { method: 'POST' });
});
afterAll(() => app.close());

async function runJob(name: string): Promise<void> {
  const job = app.ports.jobs.all.find((known) => known.name === name)!;
  const ctx = systemContext(app.ports, 'test');
  await job.run(ctx, { at: ctx.now }, runControl());
}

const count = async (table: string): Promise<number> => (await app.rows(table)).length;
const counts = () => Promise.all(['verification_tokens', 'refresh_tokens', 'sessions', 'realtime_tickets'].map(count));

async function purgeAfter(ms: number): Promise<void> {
  app.advance(ms);
  for (const name of ['auth.purge_expired', 'realtime.purge_tickets']) await runJob(name);
}

it('keeps what may still be used, and deletes everything once it cannot be used any more', async () => {
  expect(await counts()).toEqual([1, 1, 1, 1]);
  await purgeAfter(20_000);
  expect(await counts()).toEqual([1, 1, 1, 1]);
  await purgeAfter(HOUR_MS);
  expect(await counts()).toEqual([1, 1, 1, 0]);
  await purgeAfter(DAY_MS);
  expect(await counts()).toEqual([0, 1, 1, 0]);
  await purgeAfter(7 * DAY_MS);
  expect(await counts()).toEqual([0, 0, 1, 0]);
  await purgeAfter(31 * DAY_MS);
  expect(await counts()).toEqual([0, 0, 0, 0]);
});

it('deletes idempotency keys after a day, however many there are', async () => {
  await app.rows.raw(
    `insert into idempotency_keys (key_hash, input_mac, token, claimed_at)
     select int4send(n), '', gen_random_uuid(), ?::timestamptz - (case when n = 0 then interval '23 hours' else interval '25 hours' end)
     from generate_series(0, 2500) n`,
    [app.ports.clock.now()],
  );
  await runJob('system.purge_idempotency_keys');
  expect(await count('idempotency_keys')).toBe(1);
});

it('deletes no row of another partition that lies in the same place', async () => {
  const now = app.ports.clock.now();
  const row = { organizationId: 1, webhookId: 1, eventType: 'member.left', payload: {} };
  await app.rows('webhook_deliveries').insert([
    { ...row, eventId: 1, status: 'PENDING', dueAt: new Date(now.getTime() + DAY_MS), createdAt: now },
    { ...row, eventId: 2, status: 'FAILED', createdAt: new Date(now.getTime() - 31 * DAY_MS) },
  ]);
  const { rows } = await app.rows.raw<{ rows: object[] }>(
    '/* across organizations */ select distinct ctid from webhook_deliveries',
  );
  expect(rows).toHaveLength(1);
  await runJob('webhooks.purge_deliveries');
  expect(await app.rows('webhook_deliveries')).toMatchObject([{ eventId: 1 }]);
});
