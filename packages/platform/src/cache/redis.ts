import type { BusDriver, CacheBusMessage, L2CacheDriver } from 'bentocache/types';
import { Cluster, type Redis as Connection } from 'ioredis';
import { type Cache, cacheOf, memoryStore } from '../cache.ts';
import type { PubSub } from '../pubsub.ts';
import { REDIS_PREFIX, type Redis } from '../redis.ts';

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
        const masters = client instanceof Cluster ? client.nodes('master') : [client];
        await Promise.all(masters.map((master) => clear(master, `${prefix}:*`)));
      });
    },
    async disconnect() {}, // the owner of the Redis connection closes it
  };
}

const SCAN_COUNT = 1000;

async function clear(node: Connection, pattern: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
    const batch = node.pipeline();
    for (const key of keys) batch.unlink(key);
    await batch.exec();
    cursor = next;
  } while (cursor !== '0');
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
