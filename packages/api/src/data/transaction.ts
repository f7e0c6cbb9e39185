import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@rentapi/platform/backoff';
import { isConflict, type Knex } from '@rentapi/platform/database';
import type { Context } from '../context.ts';

const ATTEMPTS = 5;
const CONFLICT_PAUSE = { firstMs: 10, maxMs: 200 };

/** Runs `effect` once the transaction has committed; never, if it does not commit. */
export function afterCommit(db: Knex, effect: () => void): void {
  // What knex calls a transaction is a `Knex` whose execution can be waited for.
  (db as Knex.Transaction).executionPromise.then(effect, () => {});
}

/**
 * Runs `work` in a transaction: the caller's, where there is one. The outermost is repeated when Postgres aborts it in
 * favour of another one, so `work` must have no effect outside the database.
 */
export async function transaction<C extends Context, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      return await ctx.db.transaction((db) => work({ ...ctx, db }));
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await sleep(backoffMs(attempt, CONFLICT_PAUSE)); // jitter, or the same two meet again
    }
  }
}
