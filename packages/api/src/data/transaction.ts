import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@rentapi/platform/backoff';
import { type Call, execute, executeTogether, isConflict, type Knex, type Statement } from '@rentapi/platform/database';
import type { Context } from '../context.ts';

const ATTEMPTS = 5;
const CONFLICT_PAUSE = { firstMs: 10, maxMs: 200 };

/** Runs `effect` once the transaction has committed, and never if it does not commit. */
export function afterCommit(db: Knex, effect: () => void): void {
  // knex's type for a transaction is a `Knex` with a promise of its end.
  (db as Knex.Transaction).executionPromise.then(effect, () => {});
}

/** A statement that nothing else in its transaction depends on. */
interface LastCall {
  call: Call;
  check: (rows: unknown[]) => void;
}

const MAX_WAITING = 20;

/** What is sent at the end of each transaction that is open. */
const lastCalls = new WeakMap<Knex, LastCall[]>();

/**
 * Runs a statement at the end of the caller's transaction, with all others of this kind in one round trip: other calls
 * wait for its locks. `check` may refuse the commit.
 */
export async function executeAtEnd(
  db: Knex,
  statement: Statement,
  values: readonly unknown[],
  check: (rows: unknown[]) => void = () => {},
): Promise<void> {
  const waiting = lastCalls.get(db);
  if (!waiting) return check(await execute(db, statement, values));
  waiting.push({ call: [statement, values], check });
  if (waiting.length === MAX_WAITING) await sendLastCalls(db);
}

async function sendLastCalls(db: Knex): Promise<void> {
  const waiting = lastCalls.get(db)?.splice(0) ?? [];
  if (waiting.length === 0) return;
  const answers = await executeTogether<unknown[]>(
    db,
    waiting.map(({ call }) => call),
  );
  for (const [at, { check }] of waiting.entries()) check(answers[at]!);
}

/**
 * Runs `work` in the caller's transaction, or in a new one. A new one is repeated when Postgres aborts it to end a
 * deadlock, so `work` must have no effect outside the database.
 */
export async function transaction<C extends Context, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      return await ctx.db.transaction(async (db) => {
        lastCalls.set(db, []);
        const result = await work({ ...ctx, db });
        await sendLastCalls(db);
        return result;
      });
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await sleep(backoffMs(attempt, CONFLICT_PAUSE)); // jitter keeps the same two from colliding again
    }
  }
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
