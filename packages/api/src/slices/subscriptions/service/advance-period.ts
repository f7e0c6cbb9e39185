import { SubscriptionUpdated } from '../events.ts';
import type { SubscriptionModel } from '../model.ts';
import { nextPeriodOf } from './bill.ts';
import { grantCreditsOfMonth } from './grant-credits.ts';
import { move, type TenantContext } from './move.ts';
import { setUsageTerms } from './usage-periods.ts';

/** The next period is paid: it begins where the last one ends, however late the payment came. */
export async function advancePeriod(ctx: TenantContext, before: SubscriptionModel): Promise<SubscriptionModel> {
  const { from, to } = await nextPeriodOf(ctx, before);
  const creditsDueAt = before.creditsDueAt ?? from;
  const isDue = creditsDueAt <= ctx.now && creditsDueAt < to;
  if (before.cycle === 0) await setUsageTerms(ctx, before.id, { from, priceId: before.priceId });
  return move(
    ctx,
    before,
    {
      status: 'ACTIVE',
      periodIndex: before.periodIndex + 1,
      cycle: before.cycle + 1,
      periodStart: from,
      periodEnd: to,
      renewalInvoiceId: null,
      pastDueSince: null,
      dunningStep: 0,
      declinedMethod: null,
      creditsDueAt,
      ...(isDue && (await grantCreditsOfMonth(ctx, before))),
    },
    SubscriptionUpdated,
  );
}
