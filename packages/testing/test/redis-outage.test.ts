import type { Cache } from '@rentapi/platform/cache';
import { createRedisCache } from '@rentapi/platform/cache/redis';
import { type Decision, type Limiter, LimiterUnavailableError } from '@rentapi/platform/limiter';
import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import { createLogger } from '@rentapi/platform/logger';
import type { PubSub } from '@rentapi/platform/pubsub';
import { createRedisPubSub } from '@rentapi/platform/pubsub/redis';
import { connectionOptions, openRedis, type Redis } from '@rentapi/platform/redis';
import { parseRedisUrl } from '@rentapi/platform/redis/address';
import { startTestRedis, startTestRedisCluster, type TestRedis } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect, silent, withoutRedis } from './drivers.ts';
import { until, waitFully } from './until.ts';

const bucket = (key: string, size = 5) => ({ name: 'test', key: `{outage}${key}`, size, windowMs: 3_600_000 });

describe.skipIf(withoutRedis)('without Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  let other: Redis;
  let limiter: Limiter;
  let pubsub: PubSub;
  let otherPubsub: PubSub;
  let cache: Cache;
  let gaps = 0;
  const errors: unknown[] = [];

  beforeAll(async () => {
    server = await startTestRedis();
    redis = await connect(server.url);
    other = await connect(server.url);
    limiter = createRedisLimiter(redis);
    pubsub = createRedisPubSub(redis, (error) => errors.push(error));
    otherPubsub = createRedisPubSub(other, (error) => errors.push(error));
    pubsub.onGap(() => gaps++);
    cache = createRedisCache(redis, pubsub);
  });
  afterAll(async () => {
    await cache?.disconnectAll();
    await pubsub?.close();
    await otherPubsub?.close();
    await redis?.close();
    await other?.close();
    await server?.stop();
  });

  async function killed(): Promise<void> {
    await server.kill();
    await until(() => !redis.available, 'the loss to be noticed');
  }

  const recovered = () => until(() => redis.available && other.available, 'recovery');

  it('ordinary calls are counted by the process itself, exactly', async () => {
    await limiter.take([bucket('ordinary')]);
    await killed();
    const decisions: Decision[] = [];
    for (let i = 0; i < 8; i++) decisions.push(await limiter.take([bucket('ordinary')], 'local'));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5);
    await server.start();
    await recovered();
    expect((await limiter.take([bucket('ordinary')])).allowed).toBe(true); // an empty Redis: a full bucket
  });

  it('limits that must hold refuse at once, and hold again once it is back', async () => {
    await killed();
    const sent = vi.spyOn(redis.client, 'sendCommand');
    for (let i = 0; i < 100; i++) {
      await expect(limiter.take([bucket('sign-in')], 'refuse')).rejects.toBeInstanceOf(LimiterUnavailableError);
    }
    expect(sent).not.toHaveBeenCalled();
    sent.mockRestore();
    await server.start();
    await recovered();
    expect(await limiter.take([bucket('sign-in')], 'refuse')).toMatchObject({ allowed: true });
  });

  it('a kill during 200 calls settles every one of them', async () => {
    const wide = bucket('burst', 1_000_000);
    const calls = Array.from({ length: 200 }, () => limiter.take([wide]));
    const kill = server.kill();
    const more = Array.from({ length: 200 }, () => limiter.take([wide]));
    for (const decision of await Promise.all([...calls, ...more])) expect(decision.allowed).toBe(true);
    await kill;
    await server.start();
    await recovered();
  });

  it('a silent Redis costs one wait of a second, not one for each call', async () => {
    server.freeze();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const settled = vi.fn();
      const first = limiter.take([bucket('silent', 1000)]);
      void Promise.resolve(first).then(settled);
      await vi.advanceTimersByTimeAsync(999);
      expect(settled).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      await first;
    } finally {
      vi.useRealTimers();
    }
    const sent = vi.spyOn(redis.client, 'sendCommand');
    for (let i = 0; i < 100; i++) await limiter.take([bucket('silent', 1000)]);
    expect(sent).not.toHaveBeenCalled();
    sent.mockRestore();
    await waitFully(3500); // connections are given up in the meantime
    expect(redis.available).toBe(false);
    server.thaw();
    await recovered();
  });

  it('a process still gets its own messages, and those of others again once Redis is back', async () => {
    const received: unknown[] = [];
    pubsub.subscribe('outage', (message) => received.push(message));
    await killed();
    const before = gaps;
    pubsub.publish('outage', 'mine');
    expect(received).toEqual(['mine']);
    await server.start();
    await until(() => {
      otherPubsub.publish('outage', 'theirs');
      return received.includes('theirs');
    }, 'the other process');
    expect(gaps).toBeGreaterThan(before);
  });

  it('the cache continues in memory, and clears it once Redis is back', async () => {
    await recovered();
    await cache.set({ key: 'outage:kept', value: 1 });
    await killed();
    expect(await cache.get({ key: 'outage:kept' })).toBe(1);
    await cache.set({ key: 'outage:new', value: 2 });
    expect(await cache.get({ key: 'outage:new' })).toBe(2);
    expect(await cache.getOrSet({ key: 'outage:computed', factory: () => 3 })).toBe(3);
    await cache.delete({ key: 'outage:kept' });
    expect(await cache.get({ key: 'outage:kept' })).toBeUndefined();
    await server.start();
    await recovered();
    await until(async () => (await cache.get({ key: 'outage:new' })) === undefined, 'the memory to be forgotten');
    await cache.set({ key: 'outage:new', value: 4 });
    expect(await redis.run((client) => client.exists('rentapi:cache:outage:new'))).toBe(1);
  });

  it('nothing was reported as a server failure', () => {
    expect(errors).toEqual([]);
  });
});

describe.skipIf(withoutRedis)('a process that starts before its Redis', () => {
  it('serves without it, and uses it once it is there', async () => {
    const server = await startTestRedis();
    await server.kill();
    const redis = openRedis(server.url, silent);
    const limiter = createRedisLimiter(redis);
    try {
      expect((await limiter.take([bucket('early')])).allowed).toBe(true);
      await waitFully(1500);
      expect(redis.available).toBe(false);
      await server.start();
      await until(() => redis.available, 'Redis');
    } finally {
      await redis.close();
      await server.stop();
    }
  });
});

describe.skipIf(withoutRedis)('a Redis that wants another password', () => {
  it('is not used, and neither password reaches the log', async () => {
    const server = await startTestRedis();
    const admin = await connect(server.url);
    await admin.client.config('SET', 'requirepass', 'hunter2');
    const lines: string[] = [];
    const log = createLogger({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } });
    const redis = openRedis(server.url.replace('//', '//:tr0ub4dor@'), log);
    const right = openRedis(server.url.replace('//', '//:hunter2@'), silent);
    try {
      await until(() => lines.length > 0 && right.available, 'the refusal');
      expect(redis.available).toBe(false);
      expect(lines.join()).toContain('WRONGPASS');
      expect(lines.join()).not.toMatch(/tr0ub4dor|hunter2/);
    } finally {
      for (const each of [admin, redis, right]) await each.close();
      await server.stop();
    }
  });
});

describe.skipIf(withoutRedis)('a cluster that loses a node', () => {
  it('is not used until it is complete again', async () => {
    const cluster = await startTestRedisCluster();
    const redis = await connect(cluster.url);
    const limiter = createRedisLimiter(redis);
    const pubsub = createRedisPubSub(redis, () => {});
    try {
      await cluster.nodes[0]!.kill();
      // Sooner or later a bucket is on the dead node.
      await until(async () => {
        await limiter.take([{ ...bucket('x'), key: `{${Math.random()}}lost` }]);
        return !redis.available;
      }, 'the loss to be noticed');
      const sent = vi.spyOn(redis.client, 'sendCommand');
      for (let i = 0; i < 50; i++) await limiter.take([{ ...bucket('x'), key: `{${i}}lost` }]);
      expect(sent).not.toHaveBeenCalled();
      sent.mockRestore();
      const received: unknown[] = [];
      pubsub.subscribe('cluster', (message) => received.push(message));
      pubsub.publish('cluster', 1);
      expect(received).toEqual([1]);
      await cluster.nodes[0]!.start();
      await until(() => redis.available, 'recovery');
      for (let i = 0; i < 20; i++) await limiter.take([{ ...bucket('x'), key: `{${i}}found` }], 'refuse');
    } finally {
      await pubsub.close();
      await redis.close();
      await cluster.stop();
    }
  });
});

it('a lost Redis is tried again at least each half second, so that it is used within a second of its return', () => {
  const { retryStrategy } = connectionOptions(parseRedisUrl('redis://127.0.0.1:6379')!);
  const pausesMs = Array.from({ length: 1000 }, (_, at) => retryStrategy!(at + 1) as number);
  expect(Math.max(...pausesMs)).toBeLessThanOrEqual(500);
});
