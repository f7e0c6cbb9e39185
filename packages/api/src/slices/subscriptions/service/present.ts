import type { Context } from '../../../context.ts';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import { presentWithEtag } from '../../../contract/etag.ts';
import { soldAt } from '../../plans/service/read.ts';
import { CouponModel, type SubscriptionModel } from '../model.ts';
import type { Subscription } from '../schemas.ts';
import { entitledUntil } from '../state.ts';
import { rulesOf } from './rules.ts';

export async function presentSubscription(ctx: Context, row: SubscriptionModel): Promise<Subscription> {
  const { ids } = ctx;
  const shown = async (priceId: number) => {
    const { plan, price } = await soldAt(ctx, priceId);
    return { plan: plan.code, price: price.present(ids) };
  };
  const isFirst = row.periodIndex < 0;
  return {
    id: ids.encode('sub', row.id),
    status: row.status,
    ...(await shown(row.priceId)),
    quantity: row.quantity,
    provider: row.provider,
    coupon: await couponOf(ctx, row),
    period: isFirst ? null : { from: iso(row.periodStart), to: iso(row.periodEnd) },
    trialEnd: isoOrNull(row.trialEnd),
    cancelAt: isoOrNull(row.cancelAt),
    endedAt: isoOrNull(row.endedAt),
    pastDueSince: isoOrNull(row.pastDueSince),
    pending: await pendingOf(row, shown),
    change:
      row.changePriceId === null || row.changeExpiresAt === null || row.changeInvoiceId === null
        ? null
        : {
            ...(await shown(row.changePriceId)),
            quantity: row.changeQuantity ?? row.quantity,
            invoiceId: ids.encode('inv', row.changeInvoiceId),
            expiresAt: iso(row.changeExpiresAt),
          },
    invoiceId: row.renewalInvoiceId === null ? null : ids.encode('inv', row.renewalInvoiceId),
    entitledUntil: isoOrNull(entitledUntil(row, rulesOf(ctx, row.provider))),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** With its version as `ETag`. */
export async function presentVersion(ctx: Context, row: SubscriptionModel): Promise<Subscription> {
  const shape = await presentSubscription(ctx, row);
  return presentWithEtag(ctx, { version: row.version, present: () => shape });
}

type Shown = Pick<Subscription, 'plan' | 'price'>;

async function pendingOf(
  row: SubscriptionModel,
  shown: (priceId: number) => Promise<Shown>,
): Promise<Subscription['pending']> {
  if (row.pendingPriceId === null && row.pendingProvider === null) return null;
  return {
    ...(await shown(row.pendingPriceId ?? row.priceId)),
    quantity: row.pendingQuantity ?? row.quantity,
    provider: row.pendingProvider ?? row.provider,
    from: iso(row.periodEnd),
  };
}

async function couponOf(
  { db }: Context,
  { couponId, couponUntil, periodEnd }: SubscriptionModel,
): Promise<string | null> {
  if (couponId === null || (couponUntil !== null && couponUntil <= periodEnd)) return null;
  const coupon = await CouponModel.query(db).findById(couponId).throwIfNotFound();
  return coupon.code;
}
