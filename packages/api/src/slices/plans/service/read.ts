import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { Interval, PlanCode, PlanTerms } from '../../../contract/plans.ts';
import { existing, findRow, selectRows } from '../../../data/rows.ts';
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

const PRICE = 'select * from prices where id = $1';
const PLAN_OF_PRICE = 'select plans.* from prices join plans on plans.code = prices.plan where prices.id = $1';

/** What was bought at a price, which may be sold no more. A price never changes. */
export const soldAt = oncePerTransaction(async (ctx: Pick<Context, 'db'>, priceId: number): Promise<Sold> => {
  const [prices, plans] = await Promise.all([
    selectRows(ctx.db, PriceModel, PRICE, [priceId]),
    selectRows(ctx.db, PlanModel, PLAN_OF_PRICE, [priceId]),
  ]);
  const [[price], [plan]] = [prices, plans];
  if (!price || !plan) throw new ApiError('not_found');
  return { plan, price };
});
