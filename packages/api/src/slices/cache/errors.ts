import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  unknown_cache_namespace: {
    status: 404,
    title: 'No such namespace',
    meaning: 'The key does not begin with the name of a part of the cache.',
    fix: 'Begin the key with a namespace that GET /cache/status lists, and a colon: `meters:org_…`.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
