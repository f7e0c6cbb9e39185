import { isDeepStrictEqual } from 'node:util';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { currencyOf } from '../../billing/service/currency.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { allowedReturnUrl } from '../../billing/service/return-url.ts';
import { lockInvoice } from '../../invoices/service/find.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { findOpenPayment } from '../../payments/service/open.ts';
import { findSold, type Sold } from '../../plans/service/read.ts';
import { SubscriptionCreated } from '../events.ts';
import { CouponModel, type SubscriptionModel } from '../model.ts';
import type { StartedSubscription, Subscribe } from '../schemas.ts';
import { LIVE } from '../state.ts';
import { advancePeriod } from './advance-period.ts';
import { billNextPeriod, collect } from './bill.ts';
import { end } from './cancel.ts';
import { couponUntil, redeemCoupon } from './coupons.ts';
import { begin, lockSubscription, move, type TenantContext } from './move.ts';
import { goOn, type Started } from './started.ts';
import { claimTrial } from './trial.ts';

/** Subscribes the organization, and answers where the payer goes. The provider is called after the commit. */
export async function subscribe(ctx: OrganizationContext, input: Subscribe): Promise<StartedSubscription> {
  const returnUrl = allowedReturnUrl(ctx, input.returnUrl);
  providerNamed(ctx, input.provider);
  return goOn(ctx, await transaction(ctx, (ctx) => start(ctx, { ...input, returnUrl })));
}

async function start(ctx: OrganizationContext, input: Subscribe): Promise<Started> {
  await lockAuthority(ctx, 'billing:manage');
  const sold = await findSold(ctx, { ...input, currency: await chosenCurrency(ctx, input.currency) });
  const unpaid = await findUnpaid(ctx);
  if (unpaid && (await isSame(ctx, unpaid, { ...input, sold }))) return payAgain(ctx, unpaid, sold);
  // Another one takes the place of what was never paid: its payer has left the page.
  if (unpaid) await end(ctx, unpaid, { status: 'EXPIRED', at: ctx.now });
  const coupon = input.coupon === undefined ? null : await redeemCoupon(ctx, input.coupon, sold.price.currency);
  const trialEnd = await claimTrial(ctx, sold.plan, input.provider);
  const anchorAt = trialEnd ?? ctx.now;
  const row = await begin(
    ctx,
    {
      ...NOTHING_YET,
      ...bought(input, sold),
      status: trialEnd ? 'TRIALING' : 'INCOMPLETE',
      couponId: coupon?.id ?? null,
      couponUntil: coupon && couponUntil(coupon, anchorAt),
      anchorAt,
      periodIndex: -1,
      periodStart: ctx.now,
      periodEnd: anchorAt,
      trialEnd,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    },
    SubscriptionCreated,
  );
  return trialEnd ? { id: row.id, payment: null } : payFirst(ctx, row, sold);
}

const NOTHING_YET = {
  trialNoticedAt: null,
  cancelAt: null,
  endedAt: null,
  pastDueSince: null,
  dunningStep: 0,
  renewalInvoiceId: null,
  changeExpiresAt: null,
  creditsDueAt: null,
} as const;

const bought = ({ quantity, provider, returnUrl }: Subscribe, { price }: Sold) => ({
  priceId: price.id,
  quantity,
  provider,
  returnUrl,
});

async function payFirst(ctx: TenantContext, row: SubscriptionModel, { plan }: Sold): Promise<Started> {
  const invoice = await billNextPeriod(ctx, row);
  if (invoice.status === 'PAID') {
    await advancePeriod(ctx, row); // there is nothing to pay
    return { id: row.id, payment: null };
  }
  await move(ctx, row, { renewalInvoiceId: invoice.id });
  const payment = await collect(ctx, row, invoice, { description: plan.name, isPresent: true, advances: true });
  return { id: row.id, payment };
}

/** A subscription whose first payment is missing. Throws where one lives, or is being paid at this moment. */
async function findUnpaid(ctx: TenantContext): Promise<SubscriptionModel | null> {
  const present = await lockSubscription(ctx);
  if (!present || !LIVE.includes(present.status)) return null;
  if (present.status !== 'INCOMPLETE') throw new ApiError('already_subscribed');
  return present;
}

/** Whether the same is asked for again: the payer goes to the same page, because two could both be paid. */
async function isSame(
  ctx: TenantContext,
  row: SubscriptionModel,
  { sold, quantity, provider, returnUrl, coupon }: Subscribe & { sold: Sold },
): Promise<boolean> {
  const given =
    row.couponId === null ? null : (await CouponModel.query(ctx.db).findById(row.couponId).throwIfNotFound()).code;
  const wanted = [sold.price.id, quantity, provider, returnUrl, coupon ?? null];
  return isDeepStrictEqual(wanted, [row.priceId, row.quantity, row.provider, row.returnUrl, given]);
}

async function payAgain(ctx: TenantContext, row: SubscriptionModel, { plan }: Sold): Promise<Started> {
  const invoice = await lockInvoice(ctx, row.renewalInvoiceId!); // it has one from the beginning
  const open = await findOpenPayment(ctx, 'INVOICE', invoice.id);
  const payment =
    open ?? (await collect(ctx, row, invoice, { description: plan.name, isPresent: true, advances: true }));
  return { id: row.id, payment };
}

const USUAL_CURRENCY = 'USD';

/** That of earlier payments counts; else the one that is asked for. */
export async function chosenCurrency(ctx: TenantContext, asked: string | undefined): Promise<string> {
  const fixed = await currencyOf(ctx);
  if (fixed !== null && asked !== undefined && asked !== fixed)
    throw new ApiError('currency_fixed', { detail: `This organization pays in ${fixed}: leave \`currency\` out.` });
  return fixed ?? asked ?? USUAL_CURRENCY;
}
