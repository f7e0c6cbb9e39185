import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@rentapi/platform/backoff';
import { isConflict, type Knex } from '@rentapi/platform/database';
import type { Context } from '../context.ts';

const ATTEMPTS = 5;
const CONFLICT_PAUSE = { firstMs: 10, maxMs: 200 };

/** Runs `effect` once the transaction has committed, and never if it does not commit. */
export function afterCommit(db: Knex, effect: () => void): void {
  // knex's type for a transaction is a `Knex` with a promise of its end.
  (db as Knex.Transaction).executionPromise.then(effect, () => {});
}

/**
 * Runs `work` in the caller's transaction, or in a new one. A new one is repeated when Postgres aborts it to end a
 * deadlock, so `work` must have no effect outside the database.
 */
export async function transaction<C extends Context, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      return await ctx.db.transaction((db) => work({ ...ctx, db }));
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await sleep(backoffMs(attempt, CONFLICT_PAUSE)); // jitter keeps the same two from colliding again
    }
  }
}
