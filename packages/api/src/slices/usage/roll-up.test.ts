import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { runControl, startApp, type TestApp } from '../../../test/app.ts';
import { usageCall } from '../../../test/usage-calls.ts';
import { systemContext } from '../../context.ts';
import type { UsageCall } from '../../pipeline/usage-log.ts';
import { createPostgresSink } from './postgres-sink.ts';
import { rollUp } from './service/roll-up.ts';
import { SLOT_MS } from './slots.ts';

let app: TestApp;
let organizationId = 1000;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => void organizationId++);
afterAll(() => app.close());

/** A slot that is over. */
const SLOT = Math.floor(Date.now() / SLOT_MS) * SLOT_MS - 8 * SLOT_MS;
const at = (ms: number) => new Date(SLOT + ms);
const write = (...calls: Partial<UsageCall>[]) =>
  createPostgresSink(app.ports.database).write(
    calls.map((fields) => usageCall({ organizationId, occurredAt: at(0), ...fields })),
  );

const run = () => rollUp(systemContext(app.ports, 'test'), runControl());
const rows = () =>
  app.rows('usage_rollups').where({ organizationId }).orderBy(['slot', 'keyId', 'procedure', 'status']);

it('counts the calls of each slot by key, procedure, status and environment, with their bytes and latencies', async () => {
  await write(
    { latencyUs: 100, bytesIn: 10, bytesOut: 1000, cost: 2 },
    { latencyUs: 101, bytesIn: 5, bytesOut: 500, occurredAt: at(SLOT_MS - 1) },
    { latencyUs: 9000, status: 404 },
    { latencyUs: 0, occurredAt: at(SLOT_MS) },
    { keyId: null, userId: 5, environment: null, status: 503, latencyUs: 2 ** 31 - 1 },
    { keyId: 8, environment: 'test' },
  );
  await run();
  const binOf = (us: number) => Math.ceil(Math.log(us) / Math.log(1.01 / 0.99));
  const row = { organizationId, slot: at(0), procedure: 'apiKeys.list', status: 200, bytesIn: 0, cost: 0 };
  const one = { calls: 1, errors: 0, latencyCounts: [1] };
  expect(await rows()).toEqual([
    {
      ...row,
      ...one,
      keyId: 0,
      status: 503,
      environment: 'none',
      errors: 1,
      bytesOut: 512,
      latencyBins: [binOf(2 ** 31 - 1)],
    },
    {
      ...row,
      keyId: 7,
      environment: 'live',
      calls: 2,
      errors: 0,
      bytesIn: 15,
      bytesOut: 1500,
      cost: 2,
      latencyBins: [binOf(100), binOf(101)].filter((bin, place, all) => all.indexOf(bin) === place),
      latencyCounts: binOf(100) === binOf(101) ? [2] : [1, 1],
    },
    {
      ...row,
      ...one,
      keyId: 7,
      status: 404,
      environment: 'live',
      errors: 1,
      bytesOut: 512,
      latencyBins: [binOf(9000)],
    },
    { ...row, ...one, keyId: 8, environment: 'test', bytesOut: 512, latencyBins: [binOf(1500)] },
    { ...row, ...one, slot: at(SLOT_MS), keyId: 7, environment: 'live', bytesOut: 512, latencyBins: [0] },
  ]);
});

it('counts each call once, however often it runs, also twice at the same time', async () => {
  await write({}, {}, {});
  await Promise.all([run(), run(), run()]);
  await run();
  expect(await rows()).toMatchObject([{ calls: 3 }]);
  await app.rows('usage_pending_slots').insert({ slot: at(0), batchId: 1 });
  await run();
  expect(await rows()).toMatchObject([{ calls: 3 }]);
  expect(await app.rows('usage_pending_slots').where({ slot: at(0) })).toEqual([]);
});

it('counts a slot again when a late call was written', async () => {
  await write({});
  await run();
  await write({}, { status: 500 });
  await run();
  expect(await rows()).toMatchObject([
    { status: 200, calls: 2 },
    { status: 500, calls: 1 },
  ]);
});

it('catches up on every slot after a pause, and leaves the one that is not over', async () => {
  const slots = Array.from({ length: 120 }, (_, ago) => SLOT - ago * SLOT_MS);
  await write(...slots.map((ms) => ({ occurredAt: new Date(ms) })), { occurredAt: new Date() });
  await run();
  expect(await rows()).toHaveLength(slots.length);
});

it('stops between slots when its run is given up, and goes on in the next', async () => {
  await write({}, { occurredAt: at(SLOT_MS) });
  const stop = new AbortController();
  await rollUp(systemContext(app.ports, 'test'), { touch: () => stop.abort(), signal: stop.signal });
  expect(await rows()).toHaveLength(1);
  await run();
  expect(await rows()).toHaveLength(2);
});

it('keeps what was counted of a day whose calls are dropped', async () => {
  const old = new Date(SLOT - 40 * 86_400_000);
  await app.rows('usage_rollups').insert({
    organizationId,
    slot: old,
    procedure: 'apiKeys.list',
    status: 200,
    environment: 'live',
    calls: 9,
    errors: 0,
    bytesIn: 0,
    bytesOut: 0,
    cost: 0,
    latencyBins: [1],
    latencyCounts: [9],
  });
  await app.rows('usage_pending_slots').insert({ slot: old, batchId: 2 });
  await run();
  expect(await rows()).toMatchObject([{ calls: 9 }]);
  expect(await app.rows('usage_pending_slots').where({ slot: old })).toEqual([]);
});
