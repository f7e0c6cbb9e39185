import type { Knex } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { Interval, PlanCode, PlanTerms } from '../../../contract/plans.ts';
import { listCreditPacks } from '../../payments/service/packs.ts';
import { PlanModel, PriceModel } from '../model.ts';
import type { Plans } from '../schemas.ts';

/** More than there can be: one for each plan, interval and currency. */
const MAX_PRICES = 2000;

export async function listPlans(ctx: Context): Promise<Plans> {
  const plans = await PlanModel.query(ctx.db).whereNull('archivedAt').orderBy('rank');
  const prices = await PriceModel.query(ctx.db)
    .whereNull('archivedAt')
    .orderBy(['currency', 'interval'])
    .limit(MAX_PRICES);
  const items = plans.map((plan) =>
    plan.present(prices.filter((price) => price.plan === plan.code).map((price) => price.present(ctx.ids))),
  );
  return { items, nextCursor: null, creditPacks: await listCreditPacks(ctx) };
}

/** A plan, also one that is sold no more. */
export function planOf({ db }: Pick<Context, 'db'>, code: PlanCode): Promise<PlanModel> {
  return PlanModel.query(db).findOne({ code }).throwIfNotFound().execute();
}

/** What it includes. */
export async function termsOf(ctx: Pick<Context, 'db'>, code: PlanCode): Promise<PlanTerms> {
  return (await planOf(ctx, code)).terms;
}

export interface Sold {
  plan: PlanModel;
  price: PriceModel;
}

interface Wanted {
  plan: PlanCode;
  interval: Interval;
  currency: string;
}

/** What can be bought now. */
export async function findSold({ db }: Context, { plan: code, interval, currency }: Wanted): Promise<Sold> {
  if (code === 'FREE') throw new ApiError('plan_is_free');
  const plan = await PlanModel.query(db).findOne({ code }).whereNull('archivedAt');
  const price = await PriceModel.query(db).findOne({ plan: code, interval, currency }).whereNull('archivedAt');
  if (plan && price) return { plan, price };
  throw new ApiError('price_not_sold', { detail: `${code} is not sold by the ${interval} in ${currency}.` });
}

/** What was bought at prices, as each transaction has read it. */
const readBy = new WeakMap<Knex, Map<number, Promise<Sold>>>();

/** What was bought at a price, which may be sold no more. A transaction reads it once: a price never changes. */
export function soldAt(ctx: Pick<Context, 'db'>, priceId: number): Promise<Sold> {
  if (!ctx.db.isTransaction) return readSold(ctx, priceId);
  const known = readBy.get(ctx.db) ?? new Map<number, Promise<Sold>>();
  readBy.set(ctx.db, known);
  const sold = known.get(priceId) ?? readSold(ctx, priceId);
  known.set(priceId, sold);
  return sold;
}

async function readSold(ctx: Pick<Context, 'db'>, priceId: number): Promise<Sold> {
  const price = await PriceModel.query(ctx.db).findById(priceId).throwIfNotFound();
  return { plan: await planOf(ctx, price.plan), price };
}
