import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { providerNamed } from '../../billing/service/receive.ts';
import { findSold, type Sold } from '../../plans/service/read.ts';
import { SubscriptionUpdated } from '../events.ts';
import { type Bought, linesOfChange, timingOf } from '../lines.ts';
import type { SubscriptionModel } from '../model.ts';
import { type Period, periodOf } from '../periods.ts';
import type { ChangeSubscription, PreviewSubscription, StartedSubscription } from '../schemas.ts';
import { bill, collect, discountAt } from './bill.ts';
import { lockLive, NO_PENDING } from './cancel.ts';
import { grantDifference, monthOf } from './grant-credits.ts';
import { move, type TenantContext } from './move.ts';
import { rulesOf } from './rules.ts';
import { boughtBy } from './sold.ts';
import { goOn, type Started } from './started.ts';
import { setUsageTerms } from './usage-periods.ts';

const HOUR_MS = 3_600_000;
/** The sweep comes each minute. */
const RENEWED_WITHIN_S = 60;
/** By which the clock of the server that made the preview may be ahead. A time to come would cost less. */
const AHEAD_MS = 60_000;

/** Changes the subscription, and answers where the payer goes if something is to be paid first. */
export async function changeSubscription(
  ctx: OrganizationContext,
  input: ChangeSubscription,
): Promise<StartedSubscription> {
  if (input.provider) providerNamed(ctx, input.provider);
  return goOn(ctx, await transaction(ctx, (ctx) => start(ctx, input)));
}

async function start(ctx: OrganizationContext, input: ChangeSubscription): Promise<Started> {
  const row = await lockLive(ctx);
  assertChangeable(ctx, row);
  const at = input.prorationAt === undefined ? ctx.now : new Date(input.prorationAt);
  const aheadMs = at.getTime() - ctx.now.getTime();
  if (aheadMs < -HOUR_MS || aheadMs > AHEAD_MS || at < row.periodStart) throw new ApiError('proration_at_too_far');
  const before = await boughtBy(ctx, row);
  const after = await wantedBy(ctx, before, input);
  const timing = timingOf(before, after);
  const providerFields = providerChange(row, input);
  // What is asked for again takes back what was to follow.
  if (timing === null && !providerFields && row.pendingPriceId === null) throw new ApiError('nothing_to_change');
  if (row.status === 'TRIALING') {
    const fields = {
      priceId: after.price.id,
      quantity: after.quantity,
      ...NO_PENDING,
      ...(input.provider && { provider: input.provider }),
    };
    return { id: (await move(ctx, row, fields, SubscriptionUpdated)).id, payment: null };
  }
  if (timing === 'now') return upgrade(ctx, row, { before, after, at, providerFields });
  const pending =
    timing === null
      ? { pendingPriceId: null, pendingQuantity: null }
      : { pendingPriceId: after.price.id, pendingQuantity: after.quantity };
  await move(ctx, row, { ...pending, ...providerFields }, SubscriptionUpdated);
  return { id: row.id, payment: null };
}

function providerChange(row: SubscriptionModel, { provider }: ChangeSubscription) {
  if (provider === undefined || provider === (row.pendingProvider ?? row.provider)) return null;
  return { pendingProvider: provider === row.provider ? null : provider };
}

function assertChangeable({ ids }: OrganizationContext, row: SubscriptionModel): void {
  if (row.status === 'INCOMPLETE') throw new ApiError('subscription_incomplete');
  if (row.cancelAt) throw new ApiError('subscription_canceling');
  if (row.renewalInvoiceId !== null) {
    const invoice = ids.encode('inv', row.renewalInvoiceId);
    throw new ApiError('payment_required', { detail: `The invoice ${invoice} is not paid: pay it first.` });
  }
  if (row.changeInvoiceId !== null) {
    const invoice = ids.encode('inv', row.changeInvoiceId);
    throw new ApiError('change_in_progress', {
      detail: `An earlier change waits for the payment of the invoice ${invoice}.`,
    });
  }
}

/** What the subscription would be: what is left out stays. */
export async function wantedBy(
  ctx: TenantContext,
  before: Bought & Sold,
  { plan = before.plan.code, interval = before.price.interval, quantity = before.quantity }: PreviewSubscription,
): Promise<Bought & Sold> {
  if (plan === before.plan.code && interval === before.price.interval) return { ...before, quantity };
  return { ...(await findSold(ctx, { plan, interval, currency: before.price.currency })), quantity };
}

/**
 * The period that is paid, the one that counts after a change at that moment, and the coupon of both. Throws
 * `renewal_due` where the paid one is over: its rest, of which nothing is left, would be free of charge.
 */
export async function proratedBy(
  ctx: TenantContext,
  row: SubscriptionModel,
  { before, after, at }: { before: Bought; after: Bought; at: Date },
) {
  if (row.periodEnd <= ctx.now) throw new ApiError('renewal_due', { retryAfterS: RENEWED_WITHIN_S });
  const paid: Period = { from: row.periodStart, to: row.periodEnd };
  const isNewPeriod = before.price.interval !== after.price.interval;
  const next = isNewPeriod ? periodOf(at, after.price.interval, 0) : paid;
  return { at, paid, next, discount: await discountAt(ctx, row, row.periodStart) };
}

interface Upgrade {
  before: Bought & Sold;
  after: Bought & Sold;
  at: Date;
  providerFields: { pendingProvider: SubscriptionModel['provider'] | null } | null;
}

/** Charged before it counts: what cannot be paid changes nothing. */
async function upgrade(
  ctx: TenantContext,
  row: SubscriptionModel,
  { before, after, at, providerFields }: Upgrade,
): Promise<Started> {
  const lines = linesOfChange(before, after, await proratedBy(ctx, row, { before, after, at }));
  const changes = row.changes + 1;
  const invoice = await bill(ctx, row, { reason: 'CHANGE', periodKey: `change/${changes}`, lines });
  const { incompleteMs } = rulesOf(ctx, row.provider);
  const changing = await move(
    ctx,
    row,
    {
      changes,
      changePriceId: after.price.id,
      changeQuantity: after.quantity,
      changeAt: at,
      changeInvoiceId: invoice.id,
      changeExpiresAt: new Date(ctx.now.getTime() + incompleteMs),
      ...NO_PENDING,
      ...(providerFields ?? {}),
    },
    invoice.status === 'PAID' ? undefined : SubscriptionUpdated,
  );
  if (invoice.status === 'PAID') {
    await applyChange(ctx, changing);
    return { id: row.id, payment: null };
  }
  const description = `${after.plan.name} until the end of the period`;
  return {
    id: row.id,
    payment: await collect(ctx, row, invoice, { description, isPresent: true, advances: true }),
  };
}

/** The invoice of a change is paid: it counts from the moment that it was computed for. */
export async function applyChange(ctx: TenantContext, row: SubscriptionModel): Promise<SubscriptionModel> {
  const { changePriceId, changeQuantity, changeAt, changes } = row;
  if (changePriceId === null || changeQuantity === null || changeAt === null) return row;
  const before = await boughtBy(ctx, row);
  const after = await boughtBy(ctx, { priceId: changePriceId, quantity: changeQuantity });
  const isNewPeriod = before.price.interval !== after.price.interval;
  const month = monthOf(row.anchorAt, Math.max(row.creditsIndex - 1, 0));
  const newMonth = monthOf(changeAt, 0);
  await grantDifference(ctx, row, { before, after }, { number: changes, at: changeAt, month, isNewPeriod, newMonth });
  const { from, to } = periodOf(changeAt, after.price.interval, 0);
  if (changePriceId !== row.priceId) await setUsageTerms(ctx, row.id, { from: changeAt, priceId: changePriceId });
  const newPeriod = {
    anchorAt: changeAt,
    periodIndex: 0,
    periodStart: from,
    periodEnd: to,
    creditsIndex: 1,
    creditsDueAt: newMonth.to,
  };
  return move(
    ctx,
    row,
    {
      priceId: changePriceId,
      quantity: changeQuantity,
      changePriceId: null,
      changeQuantity: null,
      changeAt: null,
      changeInvoiceId: null,
      changeExpiresAt: null,
      ...(isNewPeriod && newPeriod),
    },
    SubscriptionUpdated,
  );
}
