import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict } from '@rentapi/platform/database';
import type { Context } from './context.ts';

const ATTEMPTS = 5;

/**
 * Runs `work` in a transaction: the caller's, where there is one. The outermost is repeated when Postgres chose it as the
 * victim of a conflict, so `work` has no effect outside the database.
 */
export async function transaction<C extends Context, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      return await ctx.db.transaction((db) => work({ ...ctx, db }));
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await sleep(2 ** attempt * 5 * (0.5 + Math.random())); // jitter, or the same two meet again
    }
  }
}
