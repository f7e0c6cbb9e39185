import type { Context } from '../../../context.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { findUncounted } from '../../analytics/service/read-counts.ts';
import {
  allCalls,
  LIVE_VERIFICATIONS,
  MAX_SUMMED_SLOTS,
  readSums,
  WITHOUT_KEY,
} from '../../analytics/service/read-sums.ts';
import { MAX_MINOR, type NewLine } from '../../invoices/service/draft.ts';
import { findMeters } from '../../metering/service/meters.ts';
import { readTotals } from '../../metering/service/values.ts';
import type { StoredUsagePrice } from '../../plans/schemas.ts';
import { type Sold, soldAt } from '../../plans/service/read.ts';
import { ceilSlot, floorSlot } from '../../usage/service/slot-range.ts';
import { addMonths, type Period } from '../periods.ts';
import { share } from '../proration.ts';

/** A part of a month in which one price counts. */
export interface UsageSpan extends Period {
  priceId: number;
}

/** What was used of one price of usage. */
export interface PricedUsage extends StoredUsagePrice {
  description: string;
  /** Whole units: a part of one is not charged. */
  quantity: number;
  usedMinor: number;
  period: Period;
}

interface Reading {
  /** Null is answered where something is not counted yet, as what is final does not change afterwards. */
  isFinal: boolean;
}

/** What spans of one month used, which follow each other. */
export async function pricedUsage(
  ctx: Context & Tenancy,
  spans: readonly UsageSpan[],
  { isFinal }: Reading,
): Promise<PricedUsage[] | null> {
  const sold = new Map<number, Sold>();
  for (const { priceId } of spans) if (!sold.has(priceId)) sold.set(priceId, await soldAt(ctx, priceId));
  const parts = spans.map((span) => ({ ...span, ...sold.get(span.priceId)! }));
  const calls = await pricedCalls(ctx, parts, isFinal);
  return calls && [...calls, ...(await pricedMeters(ctx, parts))];
}

type SoldSpan = UsageSpan & Sold;

export const startOfMonth = (at: Date): Date => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth()));
export const endOfMonth = (at: Date): Date => addMonths(startOfMonth(at), 1);

/** All but the first are no calls with live keys here; a verification is one of the key that asks. */
const GROUPS = [allCalls('live'), WITHOUT_KEY, LIVE_VERIFICATIONS];

/**
 * The calls beyond those that the plan of their moment includes in the month. All calls of the month count towards
 * these, those before the subscription too; and those of a quarter of an hour in which the plan changes have the later.
 */
async function pricedCalls(
  ctx: Context & Tenancy,
  spans: readonly SoldSpan[],
  isFinal: boolean,
): Promise<PricedUsage[] | null> {
  const isPriced = spans.some(({ price }) => price.usage.some(({ meter }) => meter === null));
  if (!isPriced) return [];
  const month = startOfMonth(spans[0]!.from);
  const end = spans.at(-1)!.to;
  const begins = spans.map(({ from }, at) => (at === 0 ? ceilSlot(from) : floorSlot(from)));
  const bounds = [month];
  for (const bound of [...begins, isFinal ? floorSlot(end) : ceilSlot(end)])
    bounds.push(new Date(Math.max(bound.getTime(), bounds.at(-1)!.getTime())));
  const counts = await countCalls(ctx, bounds, isFinal);
  if (!counts) return null;
  let sum = counts[0]!;
  const beyondOf = spans.map(({ plan }, at) => {
    const before = sum;
    sum += counts[at + 1]!;
    const { includedCallsPerMonth, overage } = plan.terms;
    return overage === 'bill' ? Math.max(sum - Math.max(includedCallsPerMonth, before), 0) : 0;
  });
  return pricesOf(spans, null).map(({ priced, price, plan, at }) => {
    const included = plan.terms.includedCallsPerMonth.toLocaleString('en-US');
    const beyond = beyondOf.reduce((total, calls, n) => total + (spans[n]!.price.id === price.id ? calls : 0), 0);
    return used(priced, beyond, {
      description: `Calls beyond the ${included} that ${plan.name} includes in a month`,
      period: { from: spans[at]!.from, to: spans.findLast((span) => span.price.id === price.id)!.to },
    });
  });
}

/** The calls with live keys between each of these moments and the next. */
async function countCalls(ctx: Context & Tenancy, bounds: readonly Date[], isFinal: boolean): Promise<number[] | null> {
  const buckets = bounds.slice(1).map((to, at) => ({ from: bounds[at]!, to }));
  const uncounted = await findUncounted(ctx, { from: bounds[0]!, to: bounds.at(-1)! }, isFinal ? 0 : MAX_SUMMED_SLOTS);
  if (isFinal && uncounted.completeUntil !== null) return null;
  const counts = buckets.map(() => 0);
  for (const { group, bucket, calls } of await readSums(ctx, GROUPS, buckets, uncounted))
    counts[bucket]! += group === 0 ? calls : -calls;
  return counts;
}

/** What adds up over the spans of a price. Others, such as a maximum, are of the month, by the last price. */
const ADDITIVE = ['count', 'sum'];

async function pricedMeters(ctx: Context & Tenancy, spans: readonly SoldSpan[]): Promise<PricedUsage[]> {
  const slugs = new Set(spans.flatMap(({ price }) => price.usage.flatMap(({ meter }) => meter ?? [])));
  if (slugs.size === 0) return [];
  const meters = await findMeters(ctx, [...slugs]);
  const all: PricedUsage[] = [];
  for (const slug of [...slugs].sort()) {
    const meter = meters.find((each) => each.slug === slug);
    const isAdditive = !meter || ADDITIVE.includes(meter.aggregation);
    const parts = isAdditive ? spans : [{ ...spans.at(-1)!, from: spans[0]!.from }];
    const totals = meter ? await readTotals(ctx, meter, parts) : parts.map(() => null);
    for (const { priced, price, at } of pricesOf(parts, slug)) {
      const mine = [...parts.keys()].filter((n) => parts[n]!.price.id === price.id);
      const units = mine.reduce((sum, n) => sum + wholeUnits(totals[n] ?? null), 0n);
      all.push(
        used(priced, Number(units), {
          description: `${meter?.name ?? slug}, metered as ${slug}`,
          period: { from: parts[at]!.from, to: parts[mine.at(-1)!]!.to },
        }),
      );
    }
  }
  return all;
}

const wholeUnits = (value: string | null): bigint => BigInt(value?.split('.')[0] ?? 0);

/** The price of a meter, or of calls, in each of the prices of the spans, once. */
function pricesOf(spans: readonly SoldSpan[], wanted: string | null) {
  return spans.flatMap(({ price, plan }, at) => {
    const priced = price.usage.find(({ meter }) => meter === wanted);
    const isFirst = spans.findIndex((span) => span.price.id === price.id) === at;
    return priced && isFirst ? [{ priced, price, plan, at }] : [];
  });
}

/** Beyond the most that an invoice can say, nothing more is charged. */
function used(
  priced: StoredUsagePrice,
  units: number,
  { description, period }: { description: string; period: Period },
): PricedUsage {
  const most = Number((BigInt(MAX_MINOR) * BigInt(priced.unitSize)) / BigInt(priced.amountMinor));
  const quantity = Math.min(units, most, MAX_MINOR);
  const usedMinor = share(priced.amountMinor, quantity, priced.unitSize);
  return { ...priced, description, quantity, usedMinor, period };
}

/** The lines of an invoice; none for what costs nothing. */
export const linesOfUsage = (usage: readonly PricedUsage[]): NewLine[] =>
  usage.flatMap(({ description, quantity, amountMinor, unitSize, usedMinor, period }) =>
    usedMinor === 0
      ? []
      : [
          {
            kind: 'USAGE',
            description,
            quantity,
            unitMinor: amountMinor,
            unitSize,
            amountMinor: usedMinor,
            period,
          },
        ],
  );
