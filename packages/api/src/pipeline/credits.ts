import { randomUUID } from 'node:crypto';
import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';

/**
 * Credits are moved by functions of the database, each behind the lock of the organization's balance. Spends of one
 * organization that come while one is under way are sent together: one lock and one round trip for up to a hundred.
 */

const MAX_BATCH = 100;
const MAX_WAITING = 5000;

const SPEND_MANY: Statement = {
  name: 'credit_spend_many',
  text: "select credit_take($1, $2, $3, 'SPEND', $4) as answers",
};
const SPEND_ONE: Statement = { name: 'credit_spend_one', text: 'select credit_spend($1, $2, $3, $4) as available' };
const REFUND: Statement = { text: 'select credit_refund($1, $2, $3) as "givenBack"' };

interface Spend {
  key: string;
  credits: number;
  at: Date;
  resolve(available: number): void;
  reject(error: unknown): void;
}

/** What waits for each organization, for each database of the process. */
const waiting = new WeakMap<Knex, Map<number, Spend[]>>();

/**
 * Spends credits of the current organization, once for each key, and returns the new balance. In a transaction it is
 * part of it, and others wait for its end. Throws `insufficient_credits`.
 */
export async function spendCredits(ctx: Context, key: string, credits: number): Promise<number> {
  const organizationId = organizationOf(ctx);
  const available = ctx.db.isTransaction
    ? (await spend(ctx.db, organizationId, [{ key, credits, at: ctx.now }]))[0]!
    : await spendTogether(ctx, organizationId, key, credits);
  if (available < 0) throw new ApiError('insufficient_credits');
  return available;
}

/** Gives back what was spent under the key, once. */
async function refundCredits(ctx: Context, key: string): Promise<void> {
  await execute(ctx.db, REFUND, [organizationOf(ctx), key, ctx.now]);
}

/** Runs a procedure that costs credits: they are spent first, and given back if it fails. */
export async function spendingCost<Result extends { ok: boolean }>(
  ctx: Context,
  cost: number | undefined,
  run: (ctx: Context) => Promise<Result>,
): Promise<Result> {
  if (!cost) return run(ctx);
  const key = `call/${randomUUID()}`;
  await spendCredits(ctx, key, cost);
  const result = await run(ctx);
  // A transaction takes back all that it did when its work fails.
  if (!result.ok && !ctx.db.isTransaction) await refundCredits(ctx, key);
  return result;
}

function spendTogether({ db, now }: Context, organizationId: number, key: string, credits: number): Promise<number> {
  const ofDatabase = waiting.get(db) ?? new Map<number, Spend[]>();
  waiting.set(db, ofDatabase);
  const queue = ofDatabase.get(organizationId);
  return new Promise((resolve, reject) => {
    const spend = { key, credits, at: now, resolve, reject };
    if (!queue) {
      ofDatabase.set(organizationId, [spend]);
      void drain(db, organizationId, ofDatabase);
    } else if (queue.length < MAX_WAITING) queue.push(spend);
    else reject(new ApiError('overloaded', { retryAfterS: 5 }));
  });
}

/** Sends what waits, batch after batch, until nothing does. Rejects none: each spend has its own answer. */
async function drain(db: Knex, organizationId: number, ofDatabase: Map<number, Spend[]>): Promise<void> {
  const queue = ofDatabase.get(organizationId) ?? [];
  while (queue.length > 0) {
    const batch = nextBatch(queue);
    try {
      const answers = await spend(db, organizationId, batch);
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
  ofDatabase.delete(organizationId); // at once: what came to this queue later would wait for nothing
}

/** A key is in a batch once: its second spend is answered as the first. */
function nextBatch(queue: Spend[]): Spend[] {
  const keys = new Set<string>();
  for (const { key } of queue) {
    if (keys.size === MAX_BATCH || keys.has(key)) break;
    keys.add(key);
  }
  return queue.splice(0, keys.size);
}

async function spend(
  db: Knex,
  organizationId: number,
  spends: readonly Pick<Spend, 'key' | 'credits' | 'at'>[],
): Promise<number[]> {
  const [first] = spends;
  if (first && spends.length === 1) {
    const { key, credits, at } = first;
    const [row] = await execute<{ available: number }>(db, SPEND_ONE, [organizationId, key, credits, at]);
    return [row!.available];
  }
  const at = new Date(Math.max(...spends.map(({ at }) => at.getTime())));
  const values = [organizationId, spends.map(({ key }) => key), spends.map(({ credits }) => credits), at];
  const [row] = await execute<{ answers: number[] }>(db, SPEND_MANY, values);
  return row!.answers.map(Number);
}

function organizationOf({ organization }: Context): number {
  if (!organization) throw new Error('credits belong to an organization: what costs some needs a permission there');
  return organization.id;
}
