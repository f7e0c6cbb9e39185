import type { ProcedureLimit } from './meta.ts';

/** Limits guessing, and wasted hashing, by source. */
export const signInLimit: ProcedureLimit = {
  name: 'sign-in',
  by: 'source',
  size: (env) => env.AUTH_RATE_LIMIT_PER_MINUTE,
  windowS: 60,
};
