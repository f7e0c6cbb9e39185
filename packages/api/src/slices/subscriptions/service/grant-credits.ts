import { grantCredits } from '../../credits/service/ledger.ts';
import { linesOf } from '../../invoices/service/find.ts';
import { type Bought, creditsOfChange } from '../lines.ts';
import type { SubscriptionModel } from '../model.ts';
import { addMonths, type Period } from '../periods.ts';
import type { Invoice } from './bill.ts';
import { move, type TenantContext } from './move.ts';
import { boughtBy } from './sold.ts';

/** Before those that were bought, because they may expire with the month. */
const PRIORITY = -10;

/** The credits of a month of what is paid, once, and the moment of the next. */
export async function grantMonth(ctx: TenantContext, before: SubscriptionModel): Promise<SubscriptionModel> {
  return move(ctx, before, await grantCreditsOfMonth(ctx, before));
}

/** The same, for a caller who changes more of the subscription. */
export async function grantCreditsOfMonth(ctx: TenantContext, before: SubscriptionModel) {
  const { plan, quantity } = await boughtBy(ctx, before);
  const { creditsIndex, anchorAt } = before;
  const month = monthOf(anchorAt, creditsIndex);
  const expiresAt = plan.creditsRollOver ? undefined : month.to;
  const credits = plan.monthlyCredits * quantity;
  // After a long pause, credits of months that are over would expire at once.
  if (credits > 0 && (expiresAt === undefined || expiresAt > ctx.now)) {
    const key = keyOfMonth(before.id, month.from);
    await grantCredits(ctx, { source: 'PLAN', key, credits, priority: PRIORITY, expiresAt });
  }
  return { creditsIndex: creditsIndex + 1, creditsDueAt: month.to };
}

/** Which credits came with an invoice: those of its months, or of its change. */
export async function keysOfInvoice(
  ctx: TenantContext,
  { id: subscriptionId, anchorAt, creditsIndex }: SubscriptionModel,
  { id, reason, periodKey }: Invoice,
): Promise<string[]> {
  if (reason === 'CHANGE') return [`subscription/${subscriptionId}/${periodKey}`];
  const period = (await linesOf(ctx, id)).find(({ kind }) => kind === 'PLAN');
  const months = Array.from({ length: creditsIndex }, (_, index) => monthOf(anchorAt, index).from);
  return months
    .filter((from) => period?.periodStart && period.periodEnd && from >= period.periodStart && from < period.periodEnd)
    .map((from) => keyOfMonth(subscriptionId, from));
}

const keyOfMonth = (subscriptionId: number, from: Date): string =>
  `subscription/${subscriptionId}/${from.toISOString()}`;

export const monthOf = (anchor: Date, index: number): Period => ({
  from: addMonths(anchor, index),
  to: addMonths(anchor, index + 1),
});

interface Change {
  number: number;
  at: Date;
  month: Period;
  isNewPeriod: boolean;
  /** Of a period that begins with the change. */
  newMonth: Period;
}

/** What a change adds to the credits of the month, once for each change: never the whole month again. */
export async function grantDifference(
  ctx: TenantContext,
  row: SubscriptionModel,
  { before, after }: { before: Bought; after: Bought & { plan: { creditsRollOver: boolean } } },
  { number, at, month, isNewPeriod, newMonth }: Change,
): Promise<void> {
  const credits = creditsOfChange(before, after, { at, month, isNewPeriod });
  const end = isNewPeriod ? newMonth.to : month.to;
  const expiresAt = after.plan.creditsRollOver ? undefined : end;
  if (credits === 0 || end <= ctx.now) return;
  const key = `subscription/${row.id}/change/${number}`;
  await grantCredits(ctx, { source: 'PLAN', key, credits, priority: PRIORITY, expiresAt });
}
