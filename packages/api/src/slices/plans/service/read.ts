import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { Interval, PlanCode, PlanTerms } from '../../../contract/plans.ts';
import { existing, findRow } from '../../../data/rows.ts';
import { oncePerTransaction } from '../../../data/transaction.ts';
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
  return existing(findRow(db, PlanModel, { code }));
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

/** What was bought at a price, which may be sold no more. A price never changes. */
export const soldAt = oncePerTransaction(async (ctx: Pick<Context, 'db'>, priceId: number): Promise<Sold> => {
  const price = await existing(findRow(ctx.db, PriceModel, { id: priceId }));
  return { plan: await planOf(ctx, price.plan), price };
});
