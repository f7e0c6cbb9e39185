import { SubscriptionUpdated } from '../events.ts';
import type { SubscriptionModel } from '../model.ts';
import { nextPeriodOf } from './bill.ts';
import { grantMonth } from './grant-credits.ts';
import { move, type TenantContext } from './move.ts';
import { setUsageTerms } from './usage-periods.ts';

/** The next period is paid: it begins where the last one ends, however late the payment came. */
export async function advancePeriod(ctx: TenantContext, before: SubscriptionModel): Promise<SubscriptionModel> {
  const { from, to } = await nextPeriodOf(ctx, before);
  const paid = await move(
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
      creditsDueAt: before.creditsDueAt ?? from,
    },
    SubscriptionUpdated,
  );
  if (before.cycle === 0) await setUsageTerms(ctx, before.id, { from, priceId: before.priceId });
  const isDue = paid.creditsDueAt !== null && paid.creditsDueAt <= ctx.now && paid.creditsDueAt < to;
  return isDue ? grantMonth(ctx, paid) : paid;
}
