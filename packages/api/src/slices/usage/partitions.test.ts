import { afterAll, beforeAll, expect, it } from 'vitest';
import { runControl, startApp, type TestApp } from '../../../test/app.ts';
import { usageCall } from '../../../test/usage-calls.ts';
import { systemContext } from '../../context.ts';
import { dayOf } from '../../data/day-partitions.ts';
import { usagePartitions } from './partitions.ts';
import { createPostgresSink } from './postgres-sink.ts';

const DAY_MS = 86_400_000;

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ USAGE_RETENTION_DAYS: '4' });
});
afterAll(() => app.close());

async function partitions(): Promise<string[]> {
  const { rows } = await app.rows.raw<{ rows: { day: string }[] }>(
    `select right(inhrelid::regclass::text, 8) as day from pg_inherits
     where inhparent = 'usage_calls'::regclass order by 1`,
  );
  return rows.map(({ day }) => day);
}

const day = (from: number) => dayOf(Date.now() + from * DAY_MS).replaceAll('-', '');
const at = (from: number) => new Date(Date.now() + from * DAY_MS);
const control = runControl();
const maintain = (from: number) =>
  usagePartitions.run({ ...systemContext(app.ports, 'test'), now: at(from) }, { at: at(from) }, control);

it('makes the partitions of the next week, again and again', async () => {
  await maintain(3);
  await maintain(3);
  expect(await partitions()).toEqual(Array.from({ length: 11 }, (_, ahead) => day(ahead)));
});

it('drops the days that were kept for USAGE_RETENTION_DAYS, but none that is still to be rolled up', async () => {
  for (const ago of [6, 5, 4, 3]) {
    await app.rows.raw(
      `create table usage_calls_${day(-ago)} partition of usage_calls
       for values from ('${dayOf(Date.now() - ago * DAY_MS)}Z') to ('${dayOf(Date.now() - (ago - 1) * DAY_MS)}Z')`,
    );
  }
  await createPostgresSink(app.rows).write([usageCall({ occurredAt: at(-6) })]);
  await maintain(0);
  expect((await partitions()).filter((name) => name < day(0))).toEqual([day(-6), day(-4), day(-3), day(-1)]);
  await app.rows('usage_pending_slots').delete();
  await maintain(0);
  expect((await partitions()).filter((name) => name < day(0))).toEqual([day(-4), day(-3), day(-1)]);
});
