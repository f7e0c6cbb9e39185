import { randomUUID } from 'node:crypto';
import { type Allowances, createMemoryAllowances, type Lease, type Unspent } from '@rentapi/platform/allowances';
import { createRedisAllowances } from '@rentapi/platform/allowances/redis';
import type { Bucket } from '@rentapi/platform/limiter';
import { type Redis, RedisUnavailableError } from '@rentapi/platform/redis';
import { startTestRedis } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, DRIVERS, withoutRedis } from './drivers.ts';
import { until } from './until.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_800_000_000_000;
const FOREVER = Number.MAX_SAFE_INTEGER;

/** What a call of one credit takes, from an account of its own unless one is given. */
interface Given {
  key?: string;
  generation?: number;
  cost?: number;
  nowMs?: number;
  due?: Bucket[];
  buckets?: Bucket[];
}

function expense(given: Given = {}) {
  const { key = `{${randomUUID()}}credits`, generation = 1, cost = 1, nowMs = NOW, due = [], buckets = [] } = given;
  return { credits: { key, generation, cost }, nowMs, due, buckets, turn: randomUUID() };
}

const lease = (credits: number, rest = 0, given: Partial<Lease> = {}): Lease => ({
  generation: 1,
  untilMs: FOREVER,
  credits,
  rest,
  ...given,
});

describe.each(DRIVERS)('allowances in $driver', ({ start }) => {
  describe.skipIf(start !== null && withoutRedis)('spend', () => {
    let server: { url: string; stop(): Promise<void> } | undefined;
    let redis: Redis | undefined;
    let store: Allowances;

    beforeAll(async () => {
      server = await start?.();
      redis = server && (await connect(server.url));
      store = redis ? createRedisAllowances(redis) : createMemoryAllowances();
    });
    afterAll(async () => {
      await store?.close();
      await redis?.close();
      await server?.stop();
    });

    const bucketOf = (key: string, size: number, cost = 1): Bucket => ({
      name: key,
      key: `${key}bucket`,
      size,
      windowMs: HOUR_MS,
      cost,
    });
    /** An account with a lease. */
    async function leased(credits: number, rest = 0, given: Partial<Lease> = {}): Promise<string> {
      const first = expense({ cost: 0 });
      await store.spend(first);
      await store.spend(first, lease(credits, rest, given));
      return first.credits.key;
    }
    const spend = async (given: Parameters<typeof expense>[0]) => store.spend(expense(given));

    it('asks for a lease first, and spends it to the last credit', async () => {
      const first = expense();
      expect(await store.spend(first)).toMatchObject({ outcome: 'lease', lease: null });
      expect(await store.spend(first, lease(3))).toMatchObject({ outcome: 'spent', lease: { credits: 2, rest: 0 } });
      const { key } = first.credits;
      const outcomes = [];
      for (let at = 0; at < 4; at++) outcomes.push((await spend({ key })).outcome);
      expect(outcomes).toEqual(['spent', 'spent', 'exhausted', 'exhausted']);
    });

    it('asks again while the account has a rest, and only one caller at a time', async () => {
      const key = await leased(1, 5);
      await spend({ key });
      const leader = expense({ key });
      expect(await store.spend(leader)).toMatchObject({ outcome: 'lease', lease: { credits: 0, rest: 5 } });
      expect((await spend({ key })).outcome).toBe('busy');
      expect((await store.spend(leader)).outcome).toBe('lease');
      expect((await store.spend(leader, lease(2, 3))).outcome).toBe('spent');
      expect(await spend({ key })).toMatchObject({ outcome: 'spent', lease: { credits: 0, rest: 3 } });
    });

    it('asks one caller to bring the next lease while the others go on, and the next one where it has none', async () => {
      const key = await leased(51, 1_000_000);
      expect(await spend({ key })).toMatchObject({ outcome: 'spent', isLow: false, lease: { credits: 50 } });
      const leader = expense({ key });
      expect(await store.spend(leader)).toMatchObject({ outcome: 'spent', isLow: true, lease: { credits: 49 } });
      expect(await spend({ key })).toMatchObject({ outcome: 'spent', isLow: false, lease: { credits: 48 } });
      await store.pass(key, leader.turn);
      const next = expense({ key });
      expect(await store.spend(next)).toMatchObject({ outcome: 'spent', isLow: true });
      const nothing = { ...next, credits: { ...next.credits, cost: 0 } };
      expect(await store.spend(nothing, lease(2, 999_998))).toMatchObject({
        outcome: 'spent',
        isLow: false,
        lease: { credits: 49, rest: 999_998 },
      });
      expect(await spend({ key })).toMatchObject({ outcome: 'spent', isLow: true });
    });

    it('brings none ahead where blocks are so small that each call would need one', async () => {
      const key = await leased(2, 199);
      for (const credits of [1, 0]) {
        expect(await spend({ key })).toMatchObject({ outcome: 'spent', isLow: false, lease: { credits } });
      }
    });

    it('asks the next caller where the first one has none to bring', async () => {
      const first = expense();
      const { key } = first.credits;
      expect((await store.spend(first)).outcome).toBe('lease');
      await store.pass(key, 'of another');
      expect((await spend({ key })).outcome).toBe('busy');
      await store.pass(key, first.turn);
      expect((await spend({ key })).outcome).toBe('lease');
    });

    it('spends nothing where the credits do not suffice, and adds a second lease to the first', async () => {
      const key = await leased(3);
      expect(await spend({ key, cost: 4 })).toMatchObject({ outcome: 'exhausted', lease: { credits: 3 } });
      const more = expense({ key, cost: 5 });
      expect(await store.spend(more, lease(7, 2))).toMatchObject({ outcome: 'spent', lease: { credits: 5, rest: 0 } });
    });

    it('is exact under 50 concurrent calls', async () => {
      const key = await leased(30);
      const spent = await Promise.all(Array.from({ length: 50 }, () => spend({ key })));
      expect(spent.filter(({ outcome }) => outcome === 'spent')).toHaveLength(30);
      expect(spent.filter(({ outcome }) => outcome === 'exhausted')).toHaveLength(20);
    });

    it('takes what is due also where the rest is refused, but not before a lease is there', async () => {
      const key = await leased(2);
      const [own, narrow] = [bucketOf(`${key}own`, 5), bucketOf(`${key}narrow`, 1)];
      const answers = [];
      for (const given of [{ buckets: [narrow] }, { buckets: [narrow] }, { cost: 3 }, {}, {}, {}])
        answers.push(await spend({ key, due: [own], ...given }));
      expect(answers.map(({ outcome, isDuePaid, states }) => [outcome, isDuePaid, states[0]!.remaining])).toEqual([
        ['spent', true, 4],
        ['limited', true, 3],
        ['exhausted', true, 2],
        ['spent', true, 1],
        ['exhausted', true, 0],
        ['limited', false, 0],
      ]);
      const other = `{${randomUUID()}}credits`;
      const first = expense({ key: other, due: [bucketOf(`${other}own`, 1)] });
      expect(await store.spend(first)).toMatchObject({ outcome: 'lease', isDuePaid: false });
      expect(await store.spend(first, lease(1))).toMatchObject({ outcome: 'spent', isDuePaid: true });
    });

    it('takes from all buckets and the credits, or from none', async () => {
      const key = await leased(10);
      const [narrow, wide] = [bucketOf(`${key}narrow`, 2), bucketOf(`${key}wide`, 10, 3)];
      const outcomes = [];
      for (let at = 0; at < 3; at++) outcomes.push(await spend({ key, buckets: [narrow, wide] }));
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['spent', 'spent', 'limited']);
      expect(outcomes.map(({ states }) => states.map(({ remaining }) => remaining))).toEqual([
        [1, 7],
        [0, 4],
        [0, 4],
      ]);
      expect(outcomes[2]).toMatchObject({ lease: { credits: 8 } });
      expect(outcomes[2]!.retryAfterMs).toBeGreaterThan(HOUR_MS / 2 - 60_000);
      expect(outcomes[2]!.retryAfterMs).toBeLessThanOrEqual(HOUR_MS / 2 + 1);
      const exhausted = await spend({ key, cost: 9, buckets: [wide] });
      expect(exhausted).toMatchObject({ outcome: 'exhausted', states: [{ remaining: 4 }] });
    });

    it('limits without credits', async () => {
      const buckets = [bucketOf(`{${randomUUID()}}`, 1)];
      const take = async () => store.spend({ due: [], buckets, credits: null, nowMs: NOW, turn: 'x' });
      expect(await take()).toMatchObject({ outcome: 'spent', lease: null, states: [{ remaining: 0 }] });
      expect((await take()).outcome).toBe('limited');
    });

    it('forgets a lease at its end, and drops one that comes later', async () => {
      const key = await leased(5, 0, { untilMs: NOW + HOUR_MS });
      expect((await spend({ key })).outcome).toBe('spent');
      const next = expense({ key, nowMs: NOW + HOUR_MS });
      expect(await store.spend(next)).toMatchObject({ outcome: 'lease', lease: null });
      const refilled = lease(2, 0, { untilMs: NOW + 2 * HOUR_MS });
      expect(await store.spend(next, refilled)).toMatchObject({ outcome: 'spent', lease: { credits: 1 } });
      const late = expense({ key, nowMs: NOW + HOUR_MS });
      const ended = lease(100, 0, { untilMs: NOW + HOUR_MS });
      expect(await store.spend(late, ended)).toMatchObject({ outcome: 'spent', lease: { credits: 0 } });
    });

    it('voids leases of earlier generations at once, also those on their way', async () => {
      const key = await leased(5, 5);
      await store.renew({ key, generation: 2 });
      const stale = expense({ key, generation: 1 });
      expect((await store.spend(stale)).outcome).toBe('lease');
      expect((await store.spend(stale, lease(5))).outcome).toBe('lease');
      expect(await store.spend(stale, lease(1, 0, { generation: 2 }))).toMatchObject({
        outcome: 'spent',
        lease: { generation: 2, credits: 0 },
      });
      await store.renew({ key, generation: 1 }); // arrives late
      expect((await spend({ key, generation: 1 })).outcome).toBe('exhausted');
      expect((await spend({ key, generation: 3 })).outcome).toBe('lease');
    });

    it('says what is leased, whole numbers to the last digit', async () => {
      const key = await leased(5, 999_999_999_995);
      const none = key.replace('credits', 'none');
      expect(await store.leases([none, key])).toEqual([null, lease(5, 999_999_999_995)]);
    });
  });
});

describe('allowances in memory', () => {
  it('give back what was leased and not spent, at the end and where an account has to go', async () => {
    const given: Unspent[] = [];
    const store = createMemoryAllowances({ maxAccounts: 2, giveBack: async (unspent) => void given.push(...unspent) });
    for (const key of ['a', 'b', 'c']) {
      const first = expense({ key });
      await store.spend(first);
      await store.spend(first, lease(3));
    }
    expect(given).toEqual([{ key: 'a', lease: lease(2) }]);
    await store.close();
    expect(given.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  it('do not wait for a caller that has died', async () => {
    let now = 0;
    const store = createMemoryAllowances({ nowMs: () => now });
    expect(await store.spend(expense({ key: 'a' }))).toMatchObject({ outcome: 'lease' });
    expect(await store.spend(expense({ key: 'a' }))).toMatchObject({ outcome: 'busy' });
    now += 2001;
    expect(await store.spend(expense({ key: 'a' }))).toMatchObject({ outcome: 'lease' });
  });
});

describe.skipIf(withoutRedis)('allowances in a Redis that dies', () => {
  it('fail meanwhile, and never spend a lease of its snapshot again', async () => {
    const server = await startTestRedis({ appendonly: 'yes', appendfsync: 'always' });
    const redis = await connect(server.url);
    const store = createRedisAllowances(redis);
    try {
      const first = expense();
      await store.spend(first);
      await store.spend(first, lease(10));
      const { key } = first.credits;
      await server.kill();
      await until(() => !redis.available, 'the loss of Redis');
      await expect(store.spend(expense({ key }))).rejects.toThrow(RedisUnavailableError);
      await server.start();
      await until(() => redis.available, 'Redis');
      expect(await redis.client.hget(`rentapi:account:${key}`, 'credits')).toBe('9'); // it remembers
      expect(await store.leases([key])).toEqual([null]);
      expect(await store.spend(expense({ key }))).toMatchObject({ outcome: 'lease', lease: null });
    } finally {
      await redis.close();
      await server.stop();
    }
  });
});
