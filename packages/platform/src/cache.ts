import { BentoCache, type BentoStore, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';

/** For values that may be lost at any time and computed again. Keys are namespaced: `namespace:rest`. */
export type Cache = BentoCache<{ default: BentoStore }>;

const MAX_ITEMS = 10_000;
/** The default. Also how long an entry can outlive its deletion if Redis missed it. */
const TTL = '5m';

/** In this process's memory: the least recently used entry is dropped first. */
export function createMemoryCache(): Cache {
  return cacheOf('rentapi:cache', memoryStore());
}

export function memoryStore(): BentoStore {
  return bentostore().useL1Layer(memoryDriver({ maxItems: MAX_ITEMS }));
}

export function cacheOf(prefix: string, store: BentoStore): Cache {
  return new BentoCache({ default: 'default', stores: { default: store }, prefix, ttl: TTL });
}
