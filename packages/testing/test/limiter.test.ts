import { randomUUID } from 'node:crypto';
import { type Bucket, createMemoryLimiter, type Limiter } from '@rentapi/platform/limiter';
import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import type { Redis } from '@rentapi/platform/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, DRIVERS, withoutRedis } from './drivers.ts';
import { waitFully } from './until.ts';

const HOUR_MS = 3_600_000;

describe.each(DRIVERS)('limiter in $driver', ({ start }) => {
  describe.skipIf(start !== null && withoutRedis)('counts', () => {
    let server: { url: string; stop(): Promise<void> } | undefined;
    let redis: Redis | undefined;
    let limiter: Limiter;

    beforeAll(async () => {
      server = await start?.();
      redis = server && (await connect(server.url));
      limiter = redis ? createRedisLimiter(redis) : createMemoryLimiter();
    });
    afterAll(async () => {
      await limiter?.close();
      await redis?.close();
      await server?.stop();
    });

    const tag = () => `{${randomUUID()}}`;
    const bucket = (given: Partial<Bucket> = {}): Bucket => ({
      name: 'test',
      key: `${tag()}test`,
      size: 5,
      windowMs: HOUR_MS,
      ...given,
    });

    it('lets exactly the quota through, then refuses', async () => {
      const five = bucket();
      const decisions = [];
      for (let i = 0; i < 7; i++) decisions.push(await limiter.take([five]));
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false, false]);
      expect(decisions.map(({ strictest }) => strictest.remaining)).toEqual([4, 3, 2, 1, 0, 0, 0]);
    });

    it('reports when the bucket is full again', async () => {
      const { strictest } = await limiter.take([bucket({ size: 4, windowMs: 4000 })]);
      expect(strictest.resetMs).toBe(1000);
    });

    it('is exact with 50 concurrent calls', async () => {
      const hundred = bucket({ size: 100 });
      const decisions = await Promise.all(Array.from({ length: 150 }, () => limiter.take([hundred])));
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(100);
    });

    it('refills evenly, not at the end of a window', async () => {
      const ten = bucket({ size: 10, windowMs: 1000 });
      const takeTen = () => Promise.all(Array.from({ length: 10 }, () => limiter.take([ten])));
      const began = performance.now();
      await takeTen();
      await waitFully(310);
      const passed = (await takeTen()).filter(({ allowed }) => allowed).length;
      const refilled = (performance.now() - began) / 100;
      expect(passed).toBeGreaterThanOrEqual(3);
      expect(passed).toBeLessThanOrEqual(refilled);
    });

    it.each([
      { size: 1, windowMs: 50 },
      { size: 3, windowMs: 100 },
      { size: 7, windowMs: 333 },
      { size: 60, windowMs: 1000 },
    ])('lets a request pass that waited as advised: $size in $windowMs ms', async (given) => {
      const small = bucket(given);
      for (let refusals = 0; refusals < 10; ) {
        const { allowed, retryAfterMs } = await limiter.take([small]);
        if (allowed) continue;
        refusals++;
        expect(retryAfterMs).toBeGreaterThan(0);
        expect(retryAfterMs).toBeLessThanOrEqual(given.windowMs / given.size + 1);
        await waitFully(retryAfterMs);
        expect(await limiter.take([small])).toMatchObject({ allowed: true, retryAfterMs: 0 });
      }
    });

    it('takes from all buckets or from none', async () => {
      const owner = tag();
      const wide = bucket({ key: `${owner}wide`, size: 10 });
      const narrow = bucket({ key: `${owner}narrow`, name: 'narrow', size: 2 });
      for (let i = 0; i < 8; i++) await limiter.take([wide, narrow]);
      const { strictest } = await limiter.take([wide]);
      expect(strictest.remaining).toBe(7); // two calls passed; the six refused ones paid nothing here
    });

    it('names the bucket that refused longest, or the one with the smallest share left', async () => {
      const owner = tag();
      const minute = bucket({ key: `${owner}m`, name: 'minute', size: 2, windowMs: 60_000 });
      const hour = bucket({ key: `${owner}h`, name: 'hour', size: 2, windowMs: HOUR_MS });
      const wide = bucket({ key: `${owner}w`, name: 'wide', size: 100 });
      expect((await limiter.take([wide, minute])).strictest.bucket.name).toBe('minute');
      await limiter.take([hour, minute]);
      await limiter.take([hour]);
      const refused = await limiter.take([wide, hour, minute]);
      expect(refused.allowed).toBe(false);
      expect(refused.strictest.bucket.name).toBe('hour');
      expect(refused.retryAfterMs).toBeGreaterThan(60_000);
    });

    it("charges a request's cost, and a full bucket for a larger cost", async () => {
      const ten = bucket({ size: 10 });
      expect((await limiter.take([{ ...ten, cost: 8 }])).strictest.remaining).toBe(2);
      const refused = await limiter.take([{ ...ten, cost: 25 }]);
      expect(refused.allowed).toBe(false);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(0.8 * HOUR_MS + 1); // until it is full
      expect(refused.retryAfterMs).toBeGreaterThan(0.7 * HOUR_MS);
      const whole = await limiter.take([bucket({ size: 10, cost: 25 })]);
      expect(whole).toMatchObject({ allowed: true, strictest: { remaining: 0 } });
    });

    it('counts a changed size at once: what was taken stays taken', async () => {
      const small = bucket({ size: 10 });
      for (let i = 0; i < 10; i++) await limiter.take([small]);
      expect((await limiter.take([small])).allowed).toBe(false);
      const large = { ...small, size: 100 };
      expect((await limiter.take([large])).strictest.remaining).toBe(89);
      expect((await limiter.take([small])).allowed).toBe(false);
    });

    it('takes from buckets of several owners in one call', async () => {
      const mine = bucket({ name: 'mine', size: 10 });
      const ours = bucket({ name: 'ours', size: 2 });
      for (let i = 0; i < 2; i++) expect((await limiter.take([mine, ours])).allowed).toBe(true);
      expect(await limiter.take([mine, ours])).toMatchObject({
        allowed: false,
        strictest: { bucket: { name: 'ours' } },
      });
    });

    it('keeps owners apart', async () => {
      const mine = bucket({ size: 1 });
      await limiter.take([mine]);
      expect((await limiter.take([mine])).allowed).toBe(false);
      expect((await limiter.take([bucket({ size: 1 })])).allowed).toBe(true);
    });

    it('loses no token to rounding in a million-token bucket', async () => {
      const big = bucket({ size: 1_000_000, windowMs: 24 * HOUR_MS });
      for (let i = 0; i < 300; i++) await limiter.take([{ ...big, cost: 1 / 3 }]);
      const { strictest } = await limiter.take([{ ...big, cost: 100 }]);
      expect(1_000_000 - 200 - strictest.remaining).toBeLessThanOrEqual(1);
    });
  });
});

it('keeps unused buckets in memory no longer than a day', () => {
  let now = 0;
  const limiter = createMemoryLimiter({ nowMs: () => now });
  const once = { name: 'test', key: 'once', size: 2, windowMs: HOUR_MS };
  limiter.take([once]);
  now += HOUR_MS / 2;
  expect(limiter.take([once])).toMatchObject({ strictest: { remaining: 1, resetMs: HOUR_MS / 2 } });
});
