import type { OrganizationContext } from '../../../context.ts';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { findBillingAccount } from '../../billing/service/currency.ts';
import type { NewLine } from '../../invoices/service/draft.ts';
import { taxesOf } from '../../invoices/service/finalise.ts';
import { findSold, type Sold } from '../../plans/service/read.ts';
import { linesOfChange, linesOfPeriod, timingOf } from '../lines.ts';
import { SubscriptionModel } from '../model.ts';
import { periodOf } from '../periods.ts';
import type { PreviewSubscription, SubscriptionPreview } from '../schemas.ts';
import { LIVE } from '../state.ts';
import { proratedBy, wantedBy } from './change.ts';
import { findCoupon } from './coupons.ts';
import { boughtBy } from './sold.ts';
import { chosenCurrency } from './subscribe.ts';
import { trialEndOf } from './trial.ts';

/** What subscribing, or a change of what is subscribed to, would cost now. It changes nothing. */
export async function previewSubscription(
  ctx: OrganizationContext,
  input: PreviewSubscription,
): Promise<SubscriptionPreview> {
  const row = await SubscriptionModel.of(ctx)
    .whereIn('status', [...LIVE])
    .first();
  return row && row.status !== 'INCOMPLETE' ? previewChange(ctx, row, input) : previewStart(ctx, input);
}

async function previewStart(ctx: OrganizationContext, input: PreviewSubscription): Promise<SubscriptionPreview> {
  const { plan, interval = 'month', quantity = 1 } = input;
  if (plan === undefined) throw new ApiError('no_subscription');
  const sold = await findSold(ctx, { plan, interval, currency: await chosenCurrency(ctx, input.currency) });
  const coupon = input.coupon === undefined ? null : await findCoupon(ctx, input.coupon, sold.price.currency);
  const trialEnd = await trialEndOf(ctx, sold.plan, input.provider ?? 'stripe');
  const period = periodOf(trialEnd ?? ctx.now, interval, 0);
  const lines = trialEnd ? [] : linesOfPeriod({ ...sold, quantity }, period, coupon);
  return present(ctx, { lines, price: sold.price, effectiveAt: ctx.now, trialEnd });
}

async function previewChange(
  ctx: OrganizationContext,
  row: SubscriptionModel,
  input: PreviewSubscription,
): Promise<SubscriptionPreview> {
  const before = await boughtBy(ctx, row);
  const after = await wantedBy(ctx, before, input);
  const { price } = after;
  const timing = timingOf(before, after);
  if (timing !== 'now' || row.status === 'TRIALING') {
    const effectiveAt = timing === 'now' ? ctx.now : row.periodEnd;
    return present(ctx, { lines: [], price, effectiveAt, trialEnd: row.trialEnd });
  }
  const lines = linesOfChange(before, after, await proratedBy(ctx, row, { before, after, at: ctx.now }));
  return present(ctx, { lines, price, effectiveAt: ctx.now, trialEnd: null });
}

interface Previewed {
  lines: readonly NewLine[];
  /** That counts then. */
  price: Sold['price'];
  effectiveAt: Date;
  trialEnd: Date | null;
}

async function present(
  ctx: OrganizationContext,
  { lines, price, effectiveAt, trialEnd }: Previewed,
): Promise<SubscriptionPreview> {
  const { currency } = price;
  const { taxes } = await taxesOf(ctx, await findBillingAccount(ctx), lines);
  const money = (amountMinor: number) => ({ amountMinor, currency });
  const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);
  return {
    lines: lines.map(({ kind, description, quantity = 1, amountMinor, period }, at) => ({
      kind: kind === 'PLAN' || kind === 'DISCOUNT' ? kind : 'PRORATION',
      description,
      quantity,
      amount: money(amountMinor),
      tax: money(taxes[at] ?? 0),
      period: { from: iso(period?.from ?? effectiveAt), to: iso(period?.to ?? effectiveAt) },
    })),
    tax: money(sum(taxes)),
    total: money(sum(lines.map(({ amountMinor }) => amountMinor)) + sum(taxes)),
    usage: price.present(ctx.ids).usage,
    effectiveAt: iso(effectiveAt),
    trialEnd: isoOrNull(trialEnd),
    prorationAt: iso(ctx.now),
  };
}
