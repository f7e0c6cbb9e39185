import { execute, type Statement } from '@rentapi/platform/database';
import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { insertRow, rowsOf } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { assertStaff } from '../../users/staff.ts';
import { CouponArchived, CouponCreated } from '../events.ts';
import { CouponModel } from '../model.ts';
import { addMonths } from '../periods.ts';
import type { Coupon, CouponCodeInput, CouponPage, CreateCoupon, ListCoupons } from '../schemas.ts';
import type { TenantContext } from './move.ts';

export async function listCoupons(ctx: Context, input: ListCoupons): Promise<CouponPage> {
  const query = rowsOf(CouponModel.query(ctx.db));
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, { name: 'coupons', of: 0 }, input, query);
  return { items: rows.map((coupon) => coupon.present()), nextCursor };
}

export async function createCoupon(ctx: UserContext, input: CreateCoupon): Promise<Coupon> {
  const { code, percentOff, amountOff, duration, months, maxRedemptions, expiresAt } = input;
  if ((percentOff === undefined) === (amountOff === undefined)) throw new ApiError('coupon_discount_unclear');
  if ((duration === 'repeating') !== (months !== undefined)) throw new ApiError('coupon_months_unclear');
  if (expiresAt !== undefined && new Date(expiresAt) <= ctx.now) throw new ApiError('coupon_expires_in_past');
  return transaction(ctx, async (ctx) => {
    await assertStaff(ctx, 'system:manage');
    const coupon = await insertRow(ctx.db, CouponModel, {
      code,
      percentOff,
      amountOffMinor: amountOff?.amountMinor,
      currency: amountOff?.currency,
      duration,
      months,
      maxRedemptions,
      expiresAt: expiresAt && new Date(expiresAt),
      createdAt: ctx.now,
    });
    await record(ctx, CouponCreated, { target: coupon, after: coupon, data: { code } });
    return coupon.present();
  });
}

/** It cannot be used any more; subscriptions that have it keep it. */
export async function archiveCoupon(ctx: UserContext, { couponCode }: CouponCodeInput): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const before = await CouponModel.query(ctx.db).findOne({ code: couponCode }).forUpdate();
    await assertStaff(ctx, 'system:manage');
    if (!before) throw new ApiError('not_found');
    if (before.archivedAt) return;
    await CouponModel.query(ctx.db).findById(before.id).patch({ archivedAt: ctx.now });
    const after = await CouponModel.query(ctx.db).findById(before.id).throwIfNotFound();
    await record(ctx, CouponArchived, { target: after, before, after, data: { code: after.code } });
  });
}

/** A coupon that can be used now for a price in this currency. */
export async function findCoupon(ctx: TenantContext, code: string, currency: string): Promise<CouponModel> {
  const coupon = await CouponModel.query(ctx.db).findOne({ code }).whereNull('archivedAt');
  if (!coupon || (coupon.expiresAt && coupon.expiresAt <= ctx.now) || isUsedUp(coupon))
    throw new ApiError('coupon_not_valid');
  if (coupon.currency !== null && coupon.currency !== currency) throw new ApiError('coupon_currency_differs');
  const used = await execute(ctx.db, USED, [ctx.organization.id, coupon.id]);
  if (used.length > 0) throw new ApiError('coupon_already_used');
  return coupon;
}

const isUsedUp = ({ maxRedemptions, redeemed }: CouponModel): boolean =>
  maxRedemptions !== null && redeemed >= maxRedemptions;

const USED: Statement = { text: 'select from coupon_redemptions where organization_id = $1 and coupon_id = $2' };
const COUNT: Statement = {
  text: `
    update coupons set redeemed = redeemed + 1
    where id = $1 and (max_redemptions is null or redeemed < max_redemptions) returning id`,
};
const REDEEM: Statement = {
  text: 'insert into coupon_redemptions (organization_id, coupon_id, created_at) values ($1, $2, $3)',
};

/** The same, and it counts as used by this organization, whose row is locked. */
export async function redeemCoupon(ctx: TenantContext, code: string, currency: string): Promise<CouponModel> {
  const coupon = await findCoupon(ctx, code, currency);
  const counted = await execute(ctx.db, COUNT, [coupon.id]);
  if (counted.length === 0) throw new ApiError('coupon_not_valid'); // others have used it up meanwhile
  await execute(ctx.db, REDEEM, [ctx.organization.id, coupon.id, ctx.now]);
  return coupon;
}

const GIVE_BACK: Statement = {
  text: `
    with gone as (
      delete from coupon_redemptions where organization_id = $1 and coupon_id = $2 returning coupon_id
    ) update coupons set redeemed = redeemed - 1 from gone where coupons.id = gone.coupon_id`,
};

/** Of a subscription that was never paid, so that it can be used for the next. */
export async function giveBackCoupon(ctx: TenantContext, couponId: number | null): Promise<void> {
  if (couponId !== null) await execute(ctx.db, GIVE_BACK, [ctx.organization.id, couponId]);
}

/** Until when a coupon makes periods cheaper that begin from then on; null for ever. */
export function couponUntil({ duration, months }: CouponModel, from: Date): Date | null {
  if (duration === 'forever') return null;
  return addMonths(from, duration === 'once' ? 1 : (months ?? 1));
}
