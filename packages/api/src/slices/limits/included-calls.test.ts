import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';
import { sumUpHours } from '../analytics/service/hours.ts';
import { sumUpSpans } from '../analytics/service/spans.ts';
import { announceIncludedCalls } from './service/included-calls.ts';

const DAY_MS = 86_400_000;

let app: TestApp;
let ada: Person;
let organizationId: number;
beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE' });
});
beforeEach(async () => {
  ada = await app.signUp();
  organizationId = app.ports.ids.decode('org', ada.organizationId);
});
afterAll(() => app.close());

/** Calls that were rolled up, in a quarter of an hour of their own. */
let slots = 0;
async function rollUp(calls: number, environment = 'live', procedure = 'apiKeys.list'): Promise<void> {
  const now = app.ports.clock.now().getTime();
  const zero = { errors: 0, bytesIn: 0, bytesOut: 0, cost: 0 };
  const slot = new Date(Math.floor(now / 900_000) * 900_000);
  const keyId = environment === 'none' ? 0 : ++slots;
  const row = { organizationId, slot, keyId, procedure, status: 200, environment, calls };
  await app.rows('usage_rollups').insert({ ...row, ...zero, latencyBins: [1], latencyCounts: [calls] });
}

async function announce(): Promise<number[]> {
  const before = await announced();
  const ctx = systemContext(app.ports, 'test');
  await announceIncludedCalls(ctx, runControl());
  return (await announced()).slice(before.length);
}

async function announced(): Promise<number[]> {
  const rows: { data: { percent: number } }[] = await app
    .rows('events')
    .where({ organizationId, type: 'usage.threshold_reached' })
    .orderBy('id');
  return rows.map(({ data }) => data.percent);
}

async function callWithKey(environment = 'live') {
  const body = { name: 'CI', scopes: ['api_keys:read'], environment };
  const { secret } = (await ada.request('/api/v1/api-keys', { method: 'POST', body })).body;
  return () => app.request('/api/v1/api-keys', { headers: { 'x-api-key': secret } });
}

it('announces 50, 80 and 100 % of the included calls, each once a month', async () => {
  await rollUp(4999);
  expect(await announce()).toEqual([]);
  await rollUp(1);
  expect(await announce()).toEqual([50]);
  expect(await announce()).toEqual([]);
  await rollUp(6000);
  expect(await announce()).toEqual([80, 100]);
  await rollUp(6000);
  expect(await announce()).toEqual([]);
  app.advance(40 * DAY_MS);
  try {
    await rollUp(5000);
    expect(await announce()).toEqual([50]);
  } finally {
    app.advance(-40 * DAY_MS);
  }
});

it('does not count the calls of test keys and of people, nor a verification twice', async () => {
  await rollUp(10_000, 'test');
  await rollUp(10_000, 'none');
  await rollUp(10_000, 'live', 'verify');
  expect(await announce()).toEqual([]);
});

it('counts what was summed up, and what was not', async () => {
  const tomorrow = DAY_MS;
  await rollUp(4000);
  await rollUp(10_000, 'none');
  app.advance(tomorrow);
  try {
    await sumUpHours(systemContext(app.ports, 'test'), runControl());
    await sumUpSpans(systemContext(app.ports, 'test'), runControl());
    await rollUp(1000);
    expect(await announce()).toEqual([50]);
  } finally {
    app.advance(-tomorrow);
  }
});

it('announces once, however many runs there are', async () => {
  await rollUp(8000);
  const run = () => announceIncludedCalls(systemContext(app.ports, 'test'), runControl());
  await Promise.all([run(), run(), run()]);
  expect(await announced()).toEqual([50, 80]);
});

it('refuses further calls with live keys until the month is over, on a plan that does not bill them', async () => {
  const [live, test] = [await callWithKey(), await callWithKey('test')];
  expect((await live()).status).toBe(200);
  await rollUp(10_000);
  await announce();
  const refused = await live();
  expect(statusAndCode(refused)).toEqual([403, 'included_calls_used_up']);
  const { body } = await ada.request('/api/v1/entitlements');
  const { refusedUntil } = body.includedCalls;
  expect(body.includedCalls).toMatchObject({ perMonth: 10_000, overage: 'refuse' });
  expect(refused.body.detail).toContain(refusedUntil);
  expect((await test()).status).toBe(200);
  const waitMs = new Date(refusedUntil).getTime() - app.ports.clock.now().getTime();
  app.advance(waitMs);
  try {
    expect((await live()).status).toBe(200);
  } finally {
    app.advance(-waitMs);
  }
});

it('refuses none on a plan that bills them, also where the plan was changed after they were used up', async () => {
  const call = await callWithKey();
  await rollUp(10_000);
  await announce();
  expect((await call()).status).toBe(403);
  await app.rows('organizations').where({ id: organizationId }).update({ plan: 'BASIC' });
  app.ports.actors.forget(`organization:${organizationId}`); // as if the notification of the change had arrived
  expect((await call()).status).toBe(200);
});
