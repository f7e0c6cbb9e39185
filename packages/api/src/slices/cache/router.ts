import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { CacheKey, CacheStatus, ClearCache, exampleCacheStatus } from './schemas.ts';
import { cacheStatus, clearCache, deleteEntry } from './service.ts';

const tags: [Tag] = ['Administration'];

export const cache = router({
  status: procedure({
    access: 'system:manage',
    openapi: {
      method: 'GET',
      path: '/cache/status',
      tags,
      summary: 'Get the status of the cache',
      description: 'Its parts, and how many entries each has.',
    },
    example: { output: exampleCacheStatus },
  })
    .input(NoInput)
    .output(CacheStatus)
    .query(({ ctx }) => cacheStatus(ctx)),

  clear: procedure({
    access: 'system:config',
    openapi: {
      method: 'POST',
      path: '/cache/clear',
      tags,
      summary: 'Clear the cache',
      description:
        'One part or all of it, in Redis and in the memory of every process. What is cached is computed again; limits and other data in Redis stay.',
    },
    rest: { status: 204 },
    errors: ['unavailable'],
    example: { input: { namespace: 'meters' } },
  })
    .input(ClearCache)
    .output(NoContent)
    .mutation(({ ctx, input }) => clearCache(ctx, input)),

  delete: procedure({
    access: 'system:manage',
    openapi: {
      method: 'DELETE',
      path: '/cache/{key}',
      tags,
      summary: 'Delete an entry of the cache',
      description: 'In Redis and in the memory of every process; also succeeds for a key that has no entry.',
    },
    rest: { status: 204 },
    errors: ['unknown_cache_namespace', 'unavailable'],
    example: { input: { key: 'meters:org_00000000000000000000000000' } },
  })
    .input(CacheKey)
    .output(NoContent)
    .mutation(({ ctx, input }) => deleteEntry(ctx, input)),
});
