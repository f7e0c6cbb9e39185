import type { Context } from '../../../context.ts';
import type { PlanCode, PlanTerms } from '../../../contract/plans.ts';
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

/** What a plan includes, also one that is sold no more. */
export async function termsOf({ db }: Pick<Context, 'db'>, code: PlanCode): Promise<PlanTerms> {
  const { terms } = await PlanModel.query(db).findOne({ code }).throwIfNotFound();
  return terms;
}
