import { randomUUID } from 'node:crypto';
import { type Cache, createMemoryCache } from '@rentapi/platform/cache';
import { createRedisCache } from '@rentapi/platform/cache/redis';
import { createRedisPubSub } from '@rentapi/platform/pubsub/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, DRIVERS, withoutRedis } from './drivers.ts';
import { until, waitFully } from './until.ts';

describe.each(DRIVERS)('cache in $driver', ({ start }) => {
  describe.skipIf(start !== null && withoutRedis)('keeps', () => {
    let server: { url: string; stop(): Promise<void> } | undefined;
    const closing: (() => Promise<void>)[] = [];
    let here: Cache;
    let there: Cache;

    async function open(): Promise<Cache> {
      if (!server) return createMemoryCache();
      const redis = await connect(server.url);
      const pubsub = createRedisPubSub(redis, (error) => {
        throw error;
      });
      const cache = createRedisCache(redis, pubsub);
      closing.push(
        () => cache.disconnectAll(),
        () => pubsub.close(),
        () => redis.close(),
      );
      return cache;
    }

    beforeAll(async () => {
      server = await start?.();
      here = await open();
      there = server ? await open() : here;
      if (here === there) return;
      // What one process deletes, the other drops: from then on the bus is known to work.
      await until(async () => {
        await there.set({ key: 'bus', value: 1 });
        await here.delete({ key: 'bus' });
        await waitFully(10);
        return (await there.get({ key: 'bus' })) === undefined;
      }, 'the bus');
    });
    afterAll(async () => {
      for (const close of closing) await close();
      await server?.stop();
    });
    const key = () => `test:${randomUUID()}`;

    it('a value for all processes', async () => {
      const shared = key();
      await here.set({ key: shared, value: { deep: [1, 'two', null] } });
      expect(await there.get({ key: shared })).toEqual({ deep: [1, 'two', null] });
    });

    it('a value only until it expires', async () => {
      const brief = key();
      await here.set({ key: brief, value: 1, ttl: 1500 });
      expect(await there.get({ key: brief })).toBe(1);
      for (const cache of [here, there])
        await until(async () => (await cache.get({ key: brief })) === undefined, 'the end of the value');
    });

    it('no value that another process has changed or deleted', async () => {
      const changing = key();
      await here.set({ key: changing, value: 'old' });
      expect(await there.get({ key: changing })).toBe('old');
      await here.set({ key: changing, value: 'new' });
      await until(async () => (await there.get({ key: changing })) === 'new', 'the change');
      await here.delete({ key: changing });
      await until(async () => (await there.get({ key: changing })) === undefined, 'the deletion');
    });

    it('several keys apart, and deletes them together', async () => {
      const keys = Array.from({ length: 20 }, key);
      for (const each of keys) await here.set({ key: each, value: each });
      await here.deleteMany({ keys });
      for (const each of keys) {
        await until(async () => (await there.get({ key: each })) === undefined, 'the deletion');
      }
    });

    it('a namespace that can be cleared by itself', async () => {
      const [inside, outside] = [key(), key()];
      const namespace = here.namespace('one');
      for (let i = 0; i < 20; i++) await namespace.set({ key: `${inside}${i}`, value: i });
      await here.set({ key: outside, value: 'stays' });
      await namespace.clear();
      expect(await there.namespace('one').get({ key: `${inside}7` })).toBeUndefined();
      expect(await here.get({ key: outside })).toBe('stays');
    });

    it('one computation for many concurrent readers', async () => {
      const wanted = key();
      let computed = 0;
      const factory = async () => {
        await waitFully(30);
        return ++computed;
      };
      const answers = await Promise.all(Array.from({ length: 50 }, () => here.getOrSet({ key: wanted, factory })));
      expect(new Set(answers)).toEqual(new Set([1]));
      expect(await there.getOrSet({ key: wanted, factory })).toBe(1);
    });

    it('nothing when computing fails, and then computes again', async () => {
      const wanted = key();
      const failing = () => Promise.reject(new Error('no'));
      await expect(here.getOrSet({ key: wanted, factory: failing })).rejects.toThrow();
      expect(await here.getOrSet({ key: wanted, factory: async () => 2 })).toBe(2);
    });
  });
});
