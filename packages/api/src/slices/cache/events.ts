import { z } from 'zod';
import { event } from '../../events/event.ts';

export const CacheCleared = event('cache.cleared', {
  data: z.object({ namespaces: z.array(z.string()) }),
  audience: 'person',
  description: 'An administrator of the platform cleared parts of the cache.',
  example: { namespaces: ['meters'] },
});
export const CacheEntryDeleted = event('cache.entry_deleted', {
  data: z.object({ key: z.string() }),
  audience: 'person',
  description: 'An administrator of the platform deleted an entry of the cache.',
  example: { key: 'meters:org_00000000000000000000000000' },
});
