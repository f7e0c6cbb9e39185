import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '@rentapi/platform/backoff';
import {
  type Call,
  execute,
  isAborted,
  isConflict,
  isDivisionByZero,
  type Knex,
  type Statement,
  sendTogether,
} from '@rentapi/platform/database';
import type { Context } from '../context.ts';

const ATTEMPTS = 5;
const CONFLICT_PAUSE = { firstMs: 10, maxMs: 200 };

/** What belongs to a transaction of ours that is open. */
interface Open {
  /** What is sent at its end: statements that nothing else in it depends on. */
  last: LastCall[];
  /** The answers for which nothing has waited. */
  answers: Promise<unknown>[];
  /** What follows from its commit. */
  effects: (() => void)[];
}

interface LastCall {
  statement: Statement;
  call(): Call;
  /** All that the statement writes, where it writes many rows. */
  rows?: object[];
}

const MAX_WAITING = 20;
/** Some kilobytes each. */
const MAX_ROWS = 100;
/** Of statements that were sent: a long loop waits for them now and then. */
const MAX_UNANSWERED = 100;

const opened = new WeakMap<Knex, Open>();

/** Runs `effect` once the transaction has committed, and never if it does not commit. */
export function afterCommit(db: Knex, effect: () => void): void {
  const open = opened.get(db);
  if (open) open.effects.push(effect);
  // knex's type for a transaction is a `Knex` with a promise of its end.
  else (db as Knex.Transaction).executionPromise.then(effect, () => {});
}

/**
 * Runs a statement at the end of the caller's transaction, with all others of this kind and the commit in one round
 * trip: other calls wait for its locks. A statement that fails undoes the transaction.
 */
export async function executeAtEnd(db: Knex, statement: Statement, values: readonly unknown[]): Promise<void> {
  const open = opened.get(db);
  if (!open) return void (await execute(db, statement, values));
  open.last.push({ statement, call: () => [statement, values] });
  if (open.last.length === MAX_WAITING) await sendLastCalls(db, open);
}

/**
 * The same for a statement that writes many rows: its one value is a JSON array of all that the transaction gives it,
 * in their order. `ofOne` writes a row that stayed alone, and its values are the fields.
 */
export async function writeAtEnd(db: Knex, statement: Statement, row: object, ofOne?: Statement): Promise<void> {
  const open = opened.get(db);
  if (!open) return void (await execute(db, ...writing(statement, [row], ofOne)));
  const known = open.last.find((last) => last.statement === statement)?.rows;
  const rows = known ?? [];
  rows.push(row);
  if (!known) open.last.push({ statement, rows, call: () => writing(statement, rows, ofOne) });
  if (open.last.length === MAX_WAITING || rows.length === MAX_ROWS) await sendLastCalls(db, open);
}

function writing(statement: Statement, rows: readonly object[], ofOne: Statement | undefined): Call {
  return ofOne && rows.length === 1 ? [ofOne, Object.values(rows[0]!)] : [statement, [JSON.stringify(rows)]];
}

async function sendLastCalls(db: Knex, open: Open): Promise<void> {
  const calls = open.last.splice(0).map(({ call }) => call());
  if (calls.length > 0) await keepAnswer(open, (await sendTogether(db, calls)).answers);
}

/** Its failure is reported at the end, or here where too many are waited for. */
async function keepAnswer(open: Open, answer: Promise<unknown>): Promise<void> {
  answer.catch(() => {}); // it may fail before it is awaited
  open.answers.push(answer);
  if (open.answers.length === MAX_UNANSWERED) await Promise.all(open.answers.splice(0));
}

/**
 * Sends a statement of the caller's transaction, and waits for its answer only at the end: it leaves with the next
 * statement that is waited for. One that fails undoes the transaction. `refused` is the error of one that divides by
 * zero where it does not find what it needs.
 */
export async function executeSoon(
  db: Knex,
  statement: Statement,
  values: readonly unknown[],
  refused?: () => Error,
): Promise<void> {
  const named = (error: unknown) => {
    throw refused && isDivisionByZero(error) ? refused() : error;
  };
  const open = opened.get(db);
  if (!open) return void (await execute(db, statement, values).catch(named));
  await keepAnswer(open, (await sendTogether(db, [[statement, values]])).answers.catch(named));
}

/**
 * Runs `work` in the caller's transaction, or in a new one. A new one is repeated when Postgres aborts it to end a
 * deadlock, so `work` must have no effect outside the database.
 */
export async function transaction<C extends Context, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  if (ctx.db.isTransaction) return work(ctx);
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(ctx, work);
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await sleep(backoffMs(attempt, CONFLICT_PAUSE)); // jitter keeps the same two from colliding again
    }
  }
}

async function runOnce<C extends Context, T>(ctx: C, work: (ctx: C) => Promise<T>): Promise<T> {
  const open: Open = { last: [], answers: [], effects: [] };
  const result = await ctx.db.transaction(async (db) => {
    opened.set(db, open);
    try {
      const made = await work({ ...ctx, db });
      await sendLastCalls(db, open);
      return made;
    } catch (error) {
      throw await causeOf(error, open);
    }
  });
  await Promise.all(open.answers); // after one that failed, the commit was a rollback
  for (const effect of open.effects) effect();
  return result;
}

/** A statement that failed unseen makes those after it fail as well: it is what is reported. */
async function causeOf(error: unknown, { answers }: Open): Promise<unknown> {
  const settled = await Promise.allSettled(answers);
  const failed = settled.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  return failed.find((reason) => !isAborted(reason)) ?? error;
}

interface OnceRead<C, Key, Given extends unknown[], T> {
  (ctx: C, key: Key, ...given: Given): Promise<T>;
  /** What the transaction has made of it. */
  keep(ctx: C, key: Key, value: T): void;
  /** It is read anew, as where it is locked only now. */
  forget(ctx: C, key: Key): void;
}

/** Reads once in a transaction for each key, and anew outside of one: for what only the caller changes meanwhile. */
export function oncePerTransaction<C extends { db: Knex }, Key, Given extends unknown[], T>(
  read: (ctx: C, key: Key, ...given: Given) => Promise<T>,
): OnceRead<C, Key, Given, T> {
  const readBy = new WeakMap<Knex, Map<Key, Promise<T>>>();
  const readOf = ({ db }: C): Map<Key, Promise<T>> => {
    const known = readBy.get(db) ?? new Map<Key, Promise<T>>();
    readBy.set(db, known);
    return known;
  };
  const once = (ctx: C, key: Key, ...given: Given): Promise<T> => {
    if (!ctx.db.isTransaction) return read(ctx, key, ...given);
    const known = readOf(ctx);
    const found = known.get(key) ?? read(ctx, key, ...given);
    known.set(key, found);
    return found;
  };
  return Object.assign(once, {
    keep: (ctx: C, key: Key, value: T) => void readOf(ctx).set(key, Promise.resolve(value)),
    forget: (ctx: C, key: Key) => void readBy.get(ctx.db)?.delete(key),
  });
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
