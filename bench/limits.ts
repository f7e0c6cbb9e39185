import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Cache, createMemoryCache } from '@rentapi/platform/cache';
import { createRedisCache } from '@rentapi/platform/cache/redis';
import { type Bucket, createMemoryLimiter, type Limiter } from '@rentapi/platform/limiter';
import { createRedisLimiter } from '@rentapi/platform/limiter/redis';
import { createLogger } from '@rentapi/platform/logger';
import { createRedisPubSub } from '@rentapi/platform/pubsub/redis';
import { openRedis, type Redis } from '@rentapi/platform/redis';
import { redisIsMissing, startTestRedis, type TestRedis } from '@rentapi/testing/redis';
import { exactness, off, PROCESSES, REQUESTS, repeat, SENDERS, SIZE } from './exactness.ts';
import { atOnce, printSamples, takeTurns, type Work } from './in-process.ts';
import { measureProduct } from './product-limits.ts';
import type { Verdict } from './report.ts';
import type { Stage } from './stage.ts';

const WINDOW_MS = 60_000;
const RACE_MS = 300;
const OWNERS = 1000;

/** What limits and the cache cost, in this process and in Redis, and whether limits are exact, also in the product. */
export async function run(stage: Stage): Promise<Verdict[]> {
  const server = redisIsMissing() ? undefined : await startTestRedis();
  if (!server) process.stdout.write('\nThere is no redis-server here: nothing of Redis is measured.\n');
  const redis = server && (await connect(server));
  try {
    const limiters = { 'in process': createMemoryLimiter(), ...(redis && { Redis: createRedisLimiter(redis) }) };
    await measureLimiters(limiters);
    await measureCaches(redis);
    const verdicts: Verdict[] = [];
    for (const [name, limiter] of Object.entries(limiters)) {
      const off = await repeat((at) => offByRequests(limiter, `{exact${at}}${name}`));
      verdicts.push(exactness(`Limiter ${name}, ${REQUESTS} requests, ${SENDERS} at once`, off));
    }
    for (const processes of server ? [1, PROCESSES] : []) {
      const off = await repeat((at) => offByProcesses(server!, `{race${at}}${processes}`, processes));
      verdicts.push(exactness(`Limiter Redis, ${processes} process(es), ${SENDERS} at once in each`, off));
    }
    return [...verdicts, ...(await measureProduct(stage, server ? [1, PROCESSES] : []))];
  } finally {
    await redis?.close();
    await server?.stop();
  }
}

async function connect({ url }: TestRedis): Promise<Redis> {
  const redis = openRedis(url, createLogger({ level: 'silent' }));
  for (let waited = 0; !redis.available; waited += 10) {
    if (waited > 10_000) throw new Error('Redis does not answer');
    await sleep(10);
  }
  return redis;
}

async function measureLimiters(limiters: Record<string, Limiter>): Promise<void> {
  const works = Object.entries(limiters).flatMap(([name, limiter]) => [
    taking(`${name}, allowed`, limiter, { name: 'bench', size: 1_000_000, windowMs: 1 }),
    taking(`${name}, refused`, limiter, { name: 'bench', size: 1, windowMs: 86_400_000 }),
  ]);
  const samples = await takeTurns(works, { timesPerTurn: 2000, turns: 5, rounds: 9 });
  printSamples(`Limiter: one bucket of ${OWNERS}, ${SENDERS} at once (of Redis, the asking process's CPU)`, samples);
}

function taking(name: string, limiter: Limiter, bucket: Omit<Bucket, 'key'>): Work {
  const buckets = Array.from({ length: OWNERS }, (_, at) => ({ ...bucket, key: `{${at}}${name}` }));
  return { name, run: (times) => atOnce(SENDERS, times, (at) => limiter.take([buckets[at % OWNERS]!])) };
}

async function measureCaches(redis: Redis | undefined): Promise<void> {
  const fail = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
  const pubsub = redis && createRedisPubSub(redis, fail);
  const caches: Cache[] = [];
  const open = (): Cache => {
    const cache = redis && pubsub ? createRedisCache(redis, pubsub) : createMemoryCache();
    caches.push(cache);
    return cache;
  };
  const works = [hitting('memory, hit', createMemoryCache()), missing('memory, miss and fill', createMemoryCache())];
  if (redis) {
    works.push(
      hitting('two tiers, hit in memory', open()),
      hittingBehind('two tiers, hit in Redis', open(), open()),
      missing('two tiers, miss and fill', open()),
    );
  }
  const samples = await takeTurns(works, { timesPerTurn: 1000, turns: 4, rounds: 7 });
  printSamples(`Cache, ${SENDERS} at once (of Redis, the asking process's CPU)`, samples);
  for (const cache of caches) await cache.disconnectAll();
  await pubsub?.close();
}

const VALUE = { id: 'usr_1', email: 'ada@example.com', permissions: ['org:read', 'api_keys:read'] };
const TTL = '1m';

const hitting = (name: string, cache: Cache): Work => ({
  name,
  prepare: (times) => atOnce(SENDERS, times, (at) => cache.set({ key: `hit:${at}`, value: VALUE, ttl: TTL })),
  run: (times) => atOnce(SENDERS, times, async (at) => assertHit(await cache.get({ key: `hit:${at}` }))),
});

/** Values that another process has stored: each key is read once, because it is in this process's memory afterwards. */
function hittingBehind(name: string, cache: Cache, other: Cache): Work {
  let turn = 0;
  return {
    name,
    prepare(times) {
      turn++;
      return atOnce(SENDERS, times, (at) => other.set({ key: `behind:${turn}:${at}`, value: VALUE, ttl: TTL }));
    },
    run: (times) => atOnce(SENDERS, times, async (at) => assertHit(await cache.get({ key: `behind:${turn}:${at}` }))),
  };
}

function assertHit(value: unknown): void {
  if (value === undefined) throw new Error('what was put into the cache is not there');
}

function missing(name: string, cache: Cache): Work {
  let turn = 0;
  return {
    name,
    run(times) {
      turn++;
      const factory = () => VALUE;
      return atOnce(SENDERS, times, (at) => cache.getOrSet({ key: `miss:${turn}:${at}`, ttl: TTL, factory }));
    },
  };
}

async function offByRequests(limiter: Limiter, key: string): Promise<number> {
  const bucket = { name: 'bench', key, size: SIZE, windowMs: WINDOW_MS };
  let allowed = 0;
  const began = performance.now();
  await atOnce(SENDERS, REQUESTS, async () => {
    if ((await limiter.take([bucket])).allowed) allowed++;
  });
  return off(allowed, { windowMs: WINDOW_MS, shortestMs: 0, longestMs: performance.now() - began });
}

interface Report {
  allowed: number;
  firstAskedAt: number;
  firstAnsweredAt: number;
  lastAskedAt: number;
  lastAnsweredAt: number;
}

const RACER = fileURLToPath(import.meta.resolve('../packages/testing/test/limiter-process.ts'));

/** As many requests as possible in a moment, from all processes at the same bucket. */
async function offByProcesses({ url }: TestRedis, key: string, processes: number): Promise<number> {
  const args = [url, key, SIZE, WINDOW_MS, RACE_MS].map(String);
  const children = Array.from({ length: processes }, () => fork(RACER, args));
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    for (const child of children) child.send('go');
    const reports = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0] as Report));
    const allowed = reports.reduce((sum, report) => sum + report.allowed, 0);
    const longest =
      Math.max(...reports.map(({ lastAnsweredAt }) => lastAnsweredAt)) -
      Math.min(...reports.map(({ firstAskedAt }) => firstAskedAt));
    const shortest =
      Math.max(...reports.map(({ lastAskedAt }) => lastAskedAt)) -
      Math.max(...reports.map(({ firstAnsweredAt }) => firstAnsweredAt));
    return off(allowed, { windowMs: WINDOW_MS, shortestMs: Math.max(0, shortest), longestMs: longest });
  } finally {
    for (const child of children) child.kill();
  }
}
