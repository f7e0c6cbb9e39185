import type { BusDriver, CacheBusMessage, L2CacheDriver } from 'bentocache/types';
import { Cluster, type Redis as Connection } from 'ioredis';
import { type Cache, cacheOf, memoryStore } from '../cache.ts';
import type { PubSub } from '../pubsub.ts';
import { REDIS_PREFIX, type Redis, type RedisClient } from '../redis.ts';

const PREFIX = `${REDIS_PREFIX}cache`;

/**
 * Memory in front of Redis: a change in one process drops the entry in the others. Without Redis each process continues
 * with its memory, and clears it once it is connected to the others again.
 */
export function createRedisCache(redis: Redis, pubsub: PubSub): Cache {
  return cacheOf(
    PREFIX,
    memoryStore()
      .useL2Layer({ options: {}, factory: () => createTier(redis, PREFIX) })
      .useBus({ options: { retryQueue: { enabled: false, retryInterval: false } }, factory: () => createBus(pubsub) }),
  );
}

/**
 * The tier in Redis. bentocache's own waits for a Redis that has gone silent, and on a cluster it cannot delete several
 * keys or clear. An error here counts as a miss.
 */
function createTier(redis: Redis, prefix: string): L2CacheDriver {
  const name = (key: string) => `${prefix}:${key}`;
  const remove = (key: string) => redis.run((client) => client.unlink(name(key)));
  return {
    type: 'l2',
    namespace: (namespace) => createTier(redis, name(namespace)),
    get: async (key) => (await redis.run((client) => client.get(name(key)))) ?? undefined,
    pull: async (key) => (await redis.run((client) => client.getdel(name(key)))) ?? undefined,
    async set(key, value, ttlMs) {
      await redis.run((client) =>
        ttlMs ? client.set(name(key), value, 'PX', Math.ceil(ttlMs)) : client.set(name(key), value),
      );
      return true;
    },
    delete: async (key) => (await remove(key)) > 0,
    async deleteMany(keys) {
      await Promise.all(keys.map(remove));
      return true;
    },
    async clear() {
      await redis.run(async (client) => {
        await Promise.all(mastersOf(client).map((master) => clear(master, `${prefix}:*`)));
      });
    },
    async disconnect() {}, // the owner of the Redis connection closes it
  };
}

const SCAN_COUNT = 1000;
/** Of each node, which other programs may share: ten million keys to delete, and a million to count. */
const MAX_SCANS = { deleting: 10_000, counting: 1000 };

/** Takes the keys in batches. Returns whether it has seen all. */
async function scan(
  node: Connection,
  pattern: string,
  maxScans: number,
  take: (keys: string[]) => Promise<void>,
): Promise<boolean> {
  let cursor = '0';
  for (let scans = 0; scans < maxScans; scans++) {
    const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
    await take(keys);
    cursor = next;
    if (cursor === '0') return true;
  }
  return false;
}

const mastersOf = (client: RedisClient): Connection[] =>
  client instanceof Cluster ? client.nodes('master') : [client];

/** What is left after the last scan expires by itself. */
async function clear(node: Connection, pattern: string): Promise<void> {
  await scan(node, pattern, MAX_SCANS.deleting, async (keys) => {
    const batch = node.pipeline();
    for (const key of keys) batch.unlink(key);
    await batch.exec();
  });
}

/** How many entries each namespace has in Redis, and whether all keys were seen. */
export async function countEntries(
  redis: Redis,
  namespaces: readonly string[],
): Promise<{ entries: Map<string, number>; isComplete: boolean }> {
  const entries = new Map(namespaces.map((name) => [name, 0]));
  const counts = async (keys: string[]): Promise<void> => {
    for (const key of keys) {
      const name = key.slice(PREFIX.length + 1).split(':', 1)[0]!;
      const count = entries.get(name);
      if (count !== undefined) entries.set(name, count + 1);
    }
  };
  const complete = await redis.run((client) =>
    Promise.all(mastersOf(client).map((master) => scan(master, `${PREFIX}:*`, MAX_SCANS.counting, counts))),
  );
  return { entries, isComplete: complete.every(Boolean) };
}

/** bentocache's own opens two more connections, and does not subscribe again after an outage. */
function createBus(pubsub: PubSub): BusDriver {
  let id = '';
  const leave = new Map<string, () => void>();
  const bus: BusDriver = {
    setId(given) {
      id = given;
      return bus;
    },
    onReconnect() {},
    async publish(channel, payload) {
      pubsub.publish(channel, { from: id, payload });
    },
    async subscribe(channel, handler) {
      const listen = (message: unknown): void => {
        const { from, payload } = message as { from: string; payload: unknown };
        if (from !== id) void handler(asSent(payload));
      };
      leave.set(channel, pubsub.subscribe(channel, listen));
      const forgetAll: CacheBusMessage = { type: 'clear', keys: [], namespace: PREFIX };
      pubsub.onGap(() => void handler(asSent(forgetAll)));
    },
    async unsubscribe(channel) {
      leave.get(channel)?.();
    },
    async disconnect() {
      for (const stop of leave.values()) stop();
    },
  };
  return bus;
}

/** Messages that bentocache reads from the bus were written by bentocache, or by us in its name. */
function asSent<T>(payload: unknown): T {
  return payload as T;
}
