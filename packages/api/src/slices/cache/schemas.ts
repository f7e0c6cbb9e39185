import { z } from 'zod';
import { CACHE_NAMESPACES, type CacheNamespace } from '../../contract/cache-namespaces.ts';
import { CacheHealth } from '../system/schemas.ts';

const Namespace = z
  .enum(Object.keys(CACHE_NAMESPACES) as [CacheNamespace, ...CacheNamespace[]])
  .meta({ id: 'CacheNamespace', description: 'A part of the cache.', example: 'meters' });

const CachedNamespace = z
  .object({
    name: Namespace,
    description: z.string().meta({ description: 'What is cached, under which keys.' }),
    entries: z.int().nullable().meta({
      description:
        'How many entries Redis has; null where it does not answer, and without Redis, where each process has its own memory.',
      example: 12,
    }),
  })
  .meta({ id: 'CachedNamespace', description: 'A part of the cache, and how much is in it.' });

export const CacheStatus = CacheHealth.extend({
  namespaces: z.array(CachedNamespace).meta({ description: 'All parts of the cache.' }),
  complete: z.boolean().meta({
    description: 'False where Redis has too many keys to count them all: `entries` are then those that were found.',
  }),
}).meta({ id: 'CacheStatus', description: 'The cache, and what is in it.' });
export type CacheStatus = z.output<typeof CacheStatus>;

export const exampleCacheStatus: CacheStatus = {
  status: 'ok',
  latencyMs: 0.4,
  driver: 'redis',
  namespaces: [{ name: 'meters', description: CACHE_NAMESPACES.meters, entries: 12 }],
  complete: true,
};

export const ClearCache = z
  .strictObject({
    namespace: Namespace.optional().meta({ description: 'The part to clear; every part where it is left out.' }),
  })
  .meta({ id: 'ClearCache', description: 'What to clear.' });
export type ClearCache = z.output<typeof ClearCache>;

export const CacheKey = z.strictObject({
  key: z.string().min(1).max(300).meta({
    description: 'A namespace, a colon, and the key in it.',
    example: 'meters:org_00000000000000000000000000',
  }),
});
export type CacheKey = z.output<typeof CacheKey>;
