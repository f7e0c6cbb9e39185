import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch } from '../../../contract/etag.ts';
import { transaction } from '../../../data/transaction.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { SubscriptionCanceled, SubscriptionUpdated } from '../events.ts';
import { SubscriptionModel } from '../model.ts';
import type { CancelSubscription, Subscription } from '../schemas.ts';
import { LIVE } from '../state.ts';
import { dropInvoice } from './bill.ts';
import { giveBackCoupon } from './coupons.ts';
import { lockSubscription, move, type TenantContext } from './move.ts';
import { presentVersion } from './present.ts';
import { endUsage } from './usage-periods.ts';

/** The one that lives, else the last that did. */
export async function getSubscription(ctx: OrganizationContext): Promise<Subscription> {
  const row = await SubscriptionModel.of(ctx).orderBy('id', 'desc').first();
  if (!row) throw new ApiError('no_subscription');
  return presentVersion(ctx, row);
}

/** The locked subscription of the organization, which lives. */
export async function lockLive(ctx: OrganizationContext): Promise<SubscriptionModel> {
  await lockAuthority(ctx, 'billing:manage');
  const row = await lockSubscription(ctx);
  if (!row) throw new ApiError('no_subscription');
  ifMatch(ctx, row);
  if (!LIVE.includes(row.status)) throw new ApiError('subscription_ended');
  return row;
}

const NO_CHANGE = {
  changePriceId: null,
  changeQuantity: null,
  changeAt: null,
  changeInvoiceId: null,
  changeExpiresAt: null,
} as const;
export const NO_PENDING = { pendingPriceId: null, pendingQuantity: null, pendingProvider: null } as const;

export async function cancelSubscription(ctx: OrganizationContext, { at }: CancelSubscription): Promise<Subscription> {
  return transaction(ctx, async (ctx) => {
    const row = await lockLive(ctx);
    const lastMoment = row.status === 'TRIALING' ? row.trialEnd : row.periodEnd;
    // What is not paid has no period to wait for.
    const isOver =
      row.status === 'INCOMPLETE' || row.status === 'PAST_DUE' || lastMoment === null || lastMoment <= ctx.now;
    if (at === 'now' || isOver) return presentVersion(ctx, await end(ctx, row, { status: 'CANCELED', at: ctx.now }));
    if (row.cancelAt) return presentVersion(ctx, row);
    const lapsed = await lapseChange(ctx, row);
    return presentVersion(ctx, await move(ctx, lapsed, { cancelAt: lastMoment, ...NO_PENDING }, SubscriptionUpdated));
  });
}

export async function resumeSubscription(ctx: OrganizationContext): Promise<Subscription> {
  return transaction(ctx, async (ctx) => {
    const row = await lockLive(ctx);
    if (!row.cancelAt) throw new ApiError('subscription_not_canceling');
    if (row.cancelAt <= ctx.now) throw new ApiError('subscription_ended'); // the job has not come yet
    return presentVersion(ctx, await move(ctx, row, { cancelAt: null }, SubscriptionUpdated));
  });
}

/** Ends a subscription. What was billed for later, and is not paid, is not to be paid any more. */
export async function end(
  ctx: TenantContext,
  before: SubscriptionModel,
  { status, at }: { status: 'CANCELED' | 'EXPIRED'; at: Date },
): Promise<SubscriptionModel> {
  await dropInvoice(ctx, before.changeInvoiceId);
  await dropInvoice(ctx, before.renewalInvoiceId);
  await endUsage(ctx, before.id, at);
  if (before.status === 'INCOMPLETE') await giveBackCoupon(ctx, before.couponId);
  const fields = { status, endedAt: at, renewalInvoiceId: null, ...NO_CHANGE, ...NO_PENDING };
  return move(ctx, before, fields, status === 'CANCELED' ? SubscriptionCanceled : SubscriptionUpdated);
}

/** Drops a change that was not paid. */
export async function lapseChange(ctx: TenantContext, before: SubscriptionModel): Promise<SubscriptionModel> {
  if (before.changeInvoiceId === null) return before;
  await dropInvoice(ctx, before.changeInvoiceId);
  return move(ctx, before, NO_CHANGE, SubscriptionUpdated);
}
