import { createHash, randomUUID } from 'node:crypto';
import { REDIS_PREFIX, type Redis, type RedisClient, RedisUnavailableError } from '../redis.ts';
import { createHeldSlots, type Pool, type Slots } from '../slots.ts';

/** Slots of a process that was killed are free after this. */
const LEASE_MS = 60_000;
const RENEW_EVERY_MS = 20_000;
/** Ids that one script renews: it must not keep Redis from others. */
const RENEWED_AT_ONCE = 500;

/**
 * A pool is a sorted set of slots by the moment until which each is held, by the clock of Redis. KEYS: the pools. ARGV:
 * the lease, the id of the slot, and the size of each pool. Returns the number of the pool that is full, or 0.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[2 + i]) then return i end
end
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], now + ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
end
return 0
`;

/** Adds what is missing, too: a Redis that lost its memory knows the slots again. ARGV: the lease, and ids. */
const RENEW = `
local time = redis.call('TIME')
local untilMs = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], untilMs, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
`;

const scripts = [TAKE, RENEW].map((text) => ({ text, sha: createHash('sha1').update(text).digest('hex') }));
const [take, renew] = scripts as [Script, Script];
type Script = (typeof scripts)[number];

/** Slots in Redis: exact over any number of processes. While Redis is away, each process counts its own. */
export function createRedisSlots(redis: Redis, { renewEveryMs = RENEW_EVERY_MS, leaseMs = LEASE_MS } = {}): Slots {
  const { held, findFull, add } = createHeldSlots();
  const timer = setInterval(() => void renewAll(), renewEveryMs).unref();

  async function renewAll(): Promise<void> {
    for (const [key, ids] of held) {
      const all = [...ids];
      for (let from = 0; from < all.length; from += RENEWED_AT_ONCE) {
        const some = all.slice(from, from + RENEWED_AT_ONCE).filter((id) => ids.has(id));
        if (some.length > 0) await attempt((client) => run(client, renew, [key], [leaseMs, ...some]));
      }
    }
  }

  /** Undefined where Redis does not answer. */
  async function attempt<T>(command: (client: RedisClient) => Promise<T>): Promise<T | undefined> {
    try {
      return await redis.run(command);
    } catch (error) {
      if (error instanceof RedisUnavailableError) return undefined;
      throw error;
    }
  }

  function remove(pools: readonly Pool[], id: string): void {
    for (const { key } of pools) attempt((client) => client.zrem(nameOf(key), id)).catch(() => {});
  }

  return {
    async take(pools) {
      const id = randomUUID();
      const keys = pools.map(({ key }) => key);
      const sizes = pools.map(({ size }) => size);
      const full = await attempt((client) => run(client, take, keys, [leaseMs, id, ...sizes]));
      const refusing = full === undefined ? findFull(pools) : pools[full - 1];
      if (refusing) return { full: refusing };
      return { release: add(pools, id, () => remove(pools, id)) };
    },
    async close() {
      clearInterval(timer);
      held.clear();
    },
  };
}

const nameOf = (key: string): string => `${REDIS_PREFIX}slots:${key}`;

async function run(
  client: RedisClient,
  { text, sha }: Script,
  keys: readonly string[],
  values: readonly (string | number)[],
): Promise<number> {
  const args = [...keys.map(nameOf), ...values];
  try {
    return (await client.evalsha(sha, keys.length, ...args)) as number;
  } catch (error) {
    // A node that has just started does not know the script.
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return (await client.eval(text, keys.length, ...args)) as number;
  }
}
