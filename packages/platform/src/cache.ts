import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';

/** What may be lost at any time and computed again. Keys are namespaced: `namespace:rest`. */
export type Cache = ReturnType<typeof createMemoryCache>;

const MAX_ITEMS = 10_000;

/** In this process's memory: least recently used goes first. */
export function createMemoryCache() {
  return new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: MAX_ITEMS })) },
  });
}
