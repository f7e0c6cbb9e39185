import type { OrganizationContext } from '../../../context.ts';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { factsOf, resolveEntitlements } from '../../../pipeline/entitlements.ts';
import { findUncounted } from '../../analytics/service/read-counts.ts';
import {
  allCalls,
  LIVE_VERIFICATIONS,
  MAX_SUMMED_SLOTS,
  readSums,
  WITHOUT_KEY,
} from '../../analytics/service/read-sums.ts';
import { availableCredits } from '../../credits/service/ledger.ts';
import { planOf, soldAt } from '../../plans/service/read.ts';
import { toSlots } from '../../usage/service/slot-range.ts';
import { SubscriptionModel } from '../model.ts';
import type { UsageSummary } from '../schemas.ts';
import { LIVE } from '../state.ts';
import { pricedUsage } from './priced-usage.ts';
import { usageSpans } from './usage-periods.ts';

/** All but the first are no calls with live keys here. */
const GROUPS = [allCalls('live'), WITHOUT_KEY, LIVE_VERIFICATIONS];

/** What was used of what the plan includes. */
export async function getUsageSummary(ctx: OrganizationContext): Promise<UsageSummary> {
  const facts = factsOf(ctx, ctx.actor);
  if (!facts) throw new ApiError('not_found');
  const { plan: code, includedCalls } = resolveEntitlements(facts);
  const { perMonth: included, overage, refusedUntil } = includedCalls;
  const plan = await planOf(ctx, code);
  const row = await SubscriptionModel.of(ctx)
    .whereIn('status', [...LIVE])
    .first();
  const quantity = row?.quantity ?? 1;
  const month = monthOf(ctx.now);
  const used = await countCalls(ctx, month.from);
  return {
    plan: code,
    month: { from: iso(month.from), to: iso(month.to) },
    calls: {
      included,
      used,
      remaining: Math.max(included - used, 0),
      beyond: Math.max(used - included, 0),
      overage,
      refusedUntil: isoOrNull(refusedUntil),
    },
    usage: await usageOf(ctx, row, month.from),
    credits: { included: plan.monthlyCredits * quantity, available: await availableCredits(ctx) },
    period: row && row.periodIndex >= 0 ? { from: iso(row.periodStart), to: iso(row.periodEnd) } : null,
  };
}

/** What was used so far by prices of usage. */
async function usageOf(
  ctx: OrganizationContext,
  row: SubscriptionModel | undefined,
  from: Date,
): Promise<UsageSummary['usage']> {
  const spans = row ? await usageSpans(ctx, row.id, { from, to: ctx.now }) : [];
  const [last] = spans.slice(-1);
  const usage = last && (await pricedUsage(ctx, spans, { isFinal: false }));
  if (!last || !usage) return { items: [], total: null };
  const { currency } = (await soldAt(ctx, last.priceId)).price;
  const money = (amountMinor: number) => ({ amountMinor, currency });
  return {
    items: usage.map(({ meter, amountMinor, unitSize, quantity, usedMinor }) => ({
      meter,
      unitPrice: money(amountMinor),
      unitSize,
      quantity,
      amount: money(usedMinor),
    })),
    total: money(usage.reduce((sum, { usedMinor }) => sum + usedMinor, 0)),
  };
}

function monthOf(at: Date): { from: Date; to: Date } {
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return { from: new Date(Date.UTC(year, month)), to: new Date(Date.UTC(year, month + 1)) };
}

async function countCalls(ctx: OrganizationContext, from: Date): Promise<number> {
  const range = toSlots({}, ctx.now, () => from);
  const slice = { from: new Date(range.from), to: new Date(range.to) };
  if (slice.from >= slice.to) return 0; // the first moment of a month
  const uncounted = await findUncounted(ctx, slice, MAX_SUMMED_SLOTS);
  const sums = await readSums(ctx, GROUPS, [slice], uncounted);
  return sums.reduce((total, { group, calls }) => total + (group === 0 ? calls : -calls), 0);
}
