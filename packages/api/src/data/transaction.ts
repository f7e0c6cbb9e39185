import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@rentapi/platform/backoff';
import { type Call, execute, isConflict, type Knex, type Statement, sendTogether } from '@rentapi/platform/database';
import type { Context } from '../context.ts';

const ATTEMPTS = 5;
const CONFLICT_PAUSE = { firstMs: 10, maxMs: 200 };

/** Runs `effect` once the transaction has committed, and never if it does not commit. */
export function afterCommit(db: Knex, effect: () => void): void {
  // knex's type for a transaction is a `Knex` with a promise of its end.
  (db as Knex.Transaction).executionPromise.then(effect, () => {});
}

const MAX_WAITING = 20;

/** What is sent at the end of each transaction that is open: statements that nothing else in it depends on. */
const lastCalls = new WeakMap<Knex, Call[]>();

/**
 * Runs a statement at the end of the caller's transaction, with all others of this kind and the commit in one round
 * trip: other calls wait for its locks. A statement that fails undoes the transaction.
 */
export async function executeAtEnd(db: Knex, statement: Statement, values: readonly unknown[]): Promise<void> {
  const waiting = lastCalls.get(db);
  if (!waiting) return void (await execute(db, statement, values));
  waiting.push([statement, values]);
  if (waiting.length === MAX_WAITING) await (await sendLastCalls(db)).answers;
}

async function sendLastCalls(db: Knex): Promise<{ answers: Promise<unknown> }> {
  const waiting = lastCalls.get(db)?.splice(0) ?? [];
  return waiting.length > 0 ? sendTogether(db, waiting) : { answers: Promise.resolve() };
}

/**
 * Runs `work` in the caller's transaction, or in a new one. A new one is repeated when Postgres aborts it to end a
 * deadlock, so `work` must have no effect outside the database.
 */
export async function transaction<C extends Context, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      const { result, answers } = await ctx.db.transaction(async (db) => {
        lastCalls.set(db, []);
        const result = await work({ ...ctx, db });
        return { result, ...(await sendLastCalls(db)) };
      });
      await answers; // after one that failed, the commit was a rollback
      return result;
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await sleep(backoffMs(attempt, CONFLICT_PAUSE)); // jitter keeps the same two from colliding again
    }
  }
}

/** Reads once in a transaction for each key, and anew outside of one: for what its transactions do not change. */
export function oncePerTransaction<C extends { db: Knex }, Key, T>(
  read: (ctx: C, key: Key) => Promise<T>,
): (ctx: C, key: Key) => Promise<T> {
  const readBy = new WeakMap<Knex, Map<Key, Promise<T>>>();
  return (ctx, key) => {
    if (!ctx.db.isTransaction) return read(ctx, key);
    const known = readBy.get(ctx.db) ?? new Map<Key, Promise<T>>();
    readBy.set(ctx.db, known);
    const found = known.get(key) ?? read(ctx, key);
    known.set(key, found);
    return found;
  };
}

/**
 * Runs `work` in the caller's transaction and undoes it unless it is to be kept: the time does not show which, because
 * the statements are the same. What it returns can be used where it was kept.
 */
export async function keepOrUndo<C extends Context, T>(
  ctx: C,
  isKept: boolean,
  work: (ctx: C) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ctx.db.transaction(async (db) => {
      const made = await work({ ...ctx, db });
      if (!isKept) throw new UndoneError();
      return made;
    });
  } catch (error) {
    if (error instanceof UndoneError) return undefined;
    throw error;
  }
}

class UndoneError extends Error {}
