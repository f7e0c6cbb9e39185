import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { runControl, startApp, type TestApp } from '../../../../test/app.ts';
import { systemContext } from '../../../context.ts';
import { syncForgotten } from './sync.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  await app.work.stop(); // what is asked for stays where it can be counted
  const stripe = createStripeProvider({ secretKey: 'sk_test_x', webhookSecrets: [], apiBase: 'http://127.0.0.1:1' });
  app.ports.payments = new Map([['stripe', stripe]]);
});
beforeEach(async () => {
  await app.rows('provider_objects').delete();
  await app.rows('outbox').delete();
});
afterAll(() => app.close());

/** Objects that have been waiting for an hour and, the first of them, for longer. */
const forget = (provider: string, count: number) =>
  app.rows.raw(
    `insert into provider_objects (provider, kind, external_id, dirty_seq, dirty_at)
     select ?, 'charge', 'x' || n, 1, ?::timestamptz - interval '2 hours' + n * interval '1 second' from generate_series(1, ?) n`,
    [provider, app.ports.clock.now(), count],
  );
const sweep = (afterMs = 0) => {
  const ctx = systemContext(app.ports, 'test');
  return syncForgotten({ ...ctx, now: new Date(ctx.now.getTime() + afterMs) }, runControl());
};
const asked = async () => {
  const rows = await app.rows('outbox').where({ job: 'billing.sync_object' }).orderBy('id');
  await app.rows('outbox').delete();
  return rows.map(({ data }) => `${data.provider}/${data.id}`);
};

it('asks for no object of a provider without settings, and is not kept busy by many of them', async () => {
  await forget('paypal', 501);
  await forget('stripe', 1);
  await sweep();
  expect(await asked()).toEqual(['stripe/x1']);
});

it('goes on to others while what it has asked for is not read', async () => {
  await forget('stripe', 501);
  await sweep();
  expect(await asked()).toHaveLength(500);
  await sweep();
  expect(await asked()).toEqual(['stripe/x501']);
  await sweep();
  expect(await asked()).toEqual([]);
  await sweep(601_000);
  expect(await asked()).toHaveLength(500);
});
