import type { Knex } from '@rentapi/platform/database';
import { openDatabase } from '@rentapi/testing/database';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createMemorySink, usageCall } from '../../../test/usage-calls.ts';
import { BatchRefusedError, type UsageCall, type UsageSink } from '../../pipeline/usage-log.ts';
import { createPostgresSink } from './postgres-sink.ts';

const DAY_MS = 86_400_000;

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Knex;
let owner: Knex;

const open = (url: string) => openDatabase(url, { poolMax: 4, acquireTimeoutMs: 60_000, statementTimeoutMs: 60_000 });

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
  database = open(clone.url);
  owner = open(clone.ownerUrl);
});
afterAll(async () => {
  await database.destroy();
  await owner.destroy();
  await clone.drop();
});

interface OpenSink {
  sink: UsageSink;
  /** What it has of an organization, in the order of `callId`. */
  written(organizationId: number): Promise<UsageCall[]>;
}

/** Every store of calls behaves like this. */
const SINKS: [name: string, open: () => OpenSink][] = [
  [
    'memory',
    () => {
      const sink = createMemorySink();
      return {
        sink,
        written: async (id) =>
          sink.calls.filter(({ organizationId }) => organizationId === id).toSorted((a, b) => a.callId - b.callId),
      };
    },
  ],
  [
    'PostgreSQL',
    () => ({
      sink: createPostgresSink(database),
      written: async (organizationId) => owner('usage_calls').where({ organizationId }).orderBy('callId'),
    }),
  ],
];

describe.each(SINKS)('the usage log in %s', (_, openSink) => {
  it('keeps every field of every call, of several organizations and days', async () => {
    const { sink, written } = openSink();
    const yesterday = new Date(Date.now() - DAY_MS);
    const calls = [
      usageCall({ callId: 1, organizationId: 101 }),
      usageCall({
        callId: 2,
        organizationId: 101,
        occurredAt: yesterday,
        keyId: null,
        userId: 5,
        environment: null,
        transport: 'trpc',
        ip: '2001:db8::1',
        userAgent: 'a "quoted" \\ {braced}, NULL agent',
        status: 404,
        latencyUs: 2 ** 31 - 1,
        cost: 3,
      }),
      usageCall({ callId: 3, organizationId: 101, userAgent: null, ip: null, transport: 'ws', environment: 'test' }),
      usageCall({ callId: 4, organizationId: 102, transport: 'verify', userAgent: 'NULL' }),
    ];
    await sink.write(calls);
    expect(await written(101)).toEqual(calls.slice(0, 3));
    expect(await written(102)).toEqual(calls.slice(3));
  });

  it('keeps a batch once that it is given again because the answer was lost', async () => {
    const { sink, written } = openSink();
    const batch = [usageCall({ callId: 11, organizationId: 103 }), usageCall({ callId: 12, organizationId: 103 })];
    await sink.write(batch);
    await sink.write(batch);
    await Promise.all([sink.write(batch), sink.write(batch)]);
    expect(await written(103)).toEqual(batch);
  });

  it('keeps a batch of thousands, and batches of several processes at once', async () => {
    const { sink, written } = openSink();
    const batch = (from: number) =>
      Array.from({ length: 2000 }, (_, at) => usageCall({ callId: from + at, organizationId: 104 }));
    await Promise.all([sink.write(batch(10_000)), sink.write(batch(20_000)), sink.write(batch(30_000))]);
    expect((await written(104)).map(({ callId }) => callId)).toEqual(
      [10_000, 20_000, 30_000].flatMap((from) => batch(from).map(({ callId }) => callId)),
    );
  });
});

describe('the usage log in PostgreSQL, beyond the contract', () => {
  it('makes the partition that a day needs where no job did', async () => {
    const sink = createPostgresSink(database);
    const later = new Date(Date.now() + 20 * DAY_MS);
    await sink.write([usageCall({ organizationId: 105, occurredAt: later })]);
    expect(await owner('usage_calls').where({ organizationId: 105 })).toHaveLength(1);
  });

  it('refuses calls of days that have no partition any more, and keeps none of their batch', async () => {
    const sink = createPostgresSink(database);
    const early = usageCall({ organizationId: 106, occurredAt: new Date(Date.now() - 10 * DAY_MS) });
    await expect(sink.write([usageCall({ organizationId: 106 }), early])).rejects.toThrow(BatchRefusedError);
    expect(await owner('usage_calls').where({ organizationId: 106 })).toEqual([]);
  });

  it('notes in the same transaction which slots have calls that are not rolled up', async () => {
    const sink = createPostgresSink(database);
    const slot = new Date('2026-01-01T10:15:00.000Z').getTime() - new Date('2026-01-01').getTime();
    const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;
    const at = (ms: number) =>
      usageCall({ callId: 500 + (ms % 1000), organizationId: 107, occurredAt: new Date(midnight + slot + ms) });
    await sink.write([at(0), at(899_999), at(900_001)]);
    expect(await owner('usage_pending_slots').where({ batchId: 500 }).orderBy('slot')).toEqual([
      { slot: new Date(midnight + slot), batchId: 500 },
      { slot: new Date(midnight + slot + 900_000), batchId: 500 },
    ]);
  });
});
