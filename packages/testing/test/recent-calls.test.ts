import { randomUUID } from 'node:crypto';
import { createMemoryRecentCalls, type RecentCalls } from '@rentapi/platform/recent-calls';
import { createRedisRecentCalls } from '@rentapi/platform/recent-calls/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, DRIVERS, withoutRedis } from './drivers.ts';
import { until } from './until.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.parse('2030-01-31T12:00:30Z');

describe.each(DRIVERS)('recent calls in $driver', ({ start }) => {
  describe.skipIf(start !== null && withoutRedis)('are', () => {
    let server: { url: string; stop(): Promise<void> } | undefined;
    const closing: (() => Promise<void>)[] = [];
    let nowMs = START_MS;
    const clock = { now: () => new Date(nowMs) };
    let here: RecentCalls;
    let there: RecentCalls;

    async function open(): Promise<RecentCalls> {
      if (!server) return createMemoryRecentCalls(clock);
      const redis = await connect(server.url);
      const recent = createRedisRecentCalls(redis, clock, (error) => {
        throw error;
      });
      closing.push(
        () => recent.close(),
        () => redis.close(),
      );
      return recent;
    }

    beforeAll(async () => {
      server = await start?.();
      here = await open();
      there = server ? await open() : here;
    });
    beforeEach(() => {
      nowMs = START_MS;
    });
    afterAll(async () => {
      for (const close of closing) await close();
      await server?.stop();
    });

    it('counted, with how they ended and how long they took', async () => {
      const scope = randomUUID();
      for (let ms = 1; ms <= 100; ms++) here.add(scope, { latencyUs: ms * 1000, failed: ms % 10 === 0 });
      const { minute, minutes } = await here.read(scope);
      expect([minute.calls, minute.errors]).toEqual([100, 10]);
      const [median, p95] = minute.latency.quantilesMs(0.5, 0.95);
      expect(Math.abs(median! - 50)).toBeLessThan(1.1);
      expect(Math.abs(p95! - 95)).toBeLessThan(1.5);
      expect(minutes).toHaveLength(60);
      expect(minutes.at(-1)).toMatchObject({ at: new Date('2030-01-31T12:00:00Z'), tally: { calls: 100, errors: 10 } });
      expect(minutes[0]).toMatchObject({ at: new Date('2030-01-31T11:01:00Z'), tally: { calls: 0 } });
    });

    it('counted by all processes together, and each scope apart', async () => {
      const [scope, other] = [randomUUID(), randomUUID()];
      here.add(scope, { latencyUs: 1000, failed: false });
      there.add(scope, { latencyUs: 3000, failed: true });
      there.add(other, { latencyUs: 1000, failed: false });
      await Promise.all([here.read(other), there.read(other)]); // both have written
      for (const each of [here, there]) {
        const { minute } = await each.read(scope);
        expect([minute.calls, minute.errors, minute.latency.total]).toEqual([2, 1, 2]);
      }
    });

    it('sent once a second to those who watch, until they stop', async () => {
      const scope = randomUUID();
      here.add(scope, { latencyUs: 1000, failed: false });
      const seen: number[] = [];
      const stop = there.watch(scope, ({ minute }) => void seen.push(minute.calls));
      await until(() => seen.includes(1), 'the numbers');
      stop();
    });

    it('forgotten in the last minute after a minute, and in the minutes after an hour', async () => {
      const scope = randomUUID();
      here.add(scope, { latencyUs: 1000, failed: false });
      nowMs += MINUTE_MS + 5000;
      here.add(scope, { latencyUs: 1000, failed: false });
      const soon = await here.read(scope);
      expect(soon.minute.calls).toBe(1);
      expect(soon.minutes.slice(-2).map(({ tally }) => tally.calls)).toEqual([1, 1]);
      nowMs += 59 * MINUTE_MS;
      const late = await here.read(scope);
      expect(late.minute.calls).toBe(0);
      expect(late.minutes.reduce((sum, { tally }) => sum + tally.calls, 0)).toBe(1);
    });
  });
});

it('forgets the scope that was quiet for longest, so that memory is bounded', async () => {
  let nowMs = START_MS;
  const recent = createMemoryRecentCalls({ now: () => new Date(nowMs) }, 2);
  const call = { latencyUs: 1000, failed: false };
  for (const scope of ['first', 'second', 'first', 'third']) {
    recent.add(scope, call);
    nowMs += MINUTE_MS;
  }
  const counts = [];
  for (const scope of ['first', 'second', 'third']) {
    counts.push((await recent.read(scope)).minutes.reduce((sum, { tally }) => sum + tally.calls, 0));
  }
  expect(counts).toEqual([2, 0, 1]);
});
