import type { Context } from '../../../context.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { findUncounted } from '../../analytics/service/read-counts.ts';
import { allCalls, LIVE_VERIFICATIONS, readSums, WITHOUT_KEY } from '../../analytics/service/read-sums.ts';
import type { InvoiceModel } from '../model.ts';
import { draftInvoice, type NewLine } from './draft.ts';
import { finaliseInvoice } from './finalise.ts';
import { share } from './tax.ts';

/** How a plan sells the calls beyond those that it includes. */
interface Overage {
  /** In a month of UTC. */
  included: number;
  perThousandMinor: number;
  currency: string;
}

interface UsageOf extends Overage {
  subscriptionId: number;
  /** The first moment of the month. */
  month: Date;
  collection: InvoiceModel['collection'];
}

/** A call is stored some seconds after it was made, or minutes where the database was away. */
const SETTLES_MS = 3_600_000;

/** All but the first are no calls with live keys here; a verification is one of the key that asks. */
const GROUPS = [allCalls('live'), WITHOUT_KEY, LIVE_VERIFICATIONS];

/**
 * The final invoice of what a month used beyond the plan, once for a subscription; null where there was nothing. It
 * waits while some of the month is not counted: what is not known is not zero, and an invoice cannot be changed.
 */
export async function billUsage(ctx: Context & Tenancy, usage: UsageOf): Promise<InvoiceModel | 'WAITS' | null> {
  const { subscriptionId, month, collection, currency } = usage;
  const calls = await countCalls(ctx, monthFrom(month));
  if (calls === null) return 'WAITS';
  const line = lineOf(usage, calls);
  if (!line) return null;
  const periodKey = month.toISOString().slice(0, 'yyyy-mm'.length);
  return transaction(ctx, async (ctx) => {
    const kept = { reason: 'USAGE', collection, currency, subscriptionId, periodKey } as const;
    const { id } = await draftInvoice(ctx, { ...kept, lines: [line] });
    return finaliseInvoice(ctx, id);
  });
}

interface Month {
  from: Date;
  to: Date;
}

const monthFrom = (from: Date): Month => ({
  from,
  to: new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1)),
});

/** The calls with live keys of a month that has ended. Null: not all of them are counted. */
async function countCalls(ctx: Context & Tenancy, month: Month): Promise<number | null> {
  if (ctx.now.getTime() < month.to.getTime() + SETTLES_MS) return null;
  const uncounted = await findUncounted(ctx, month, 0);
  if (uncounted.completeUntil !== null) return null;
  const sums = await readSums(ctx, GROUPS, [month], uncounted);
  return sums.reduce((total, { group, calls }) => total + (group === 0 ? calls : -calls), 0);
}

function lineOf({ included, perThousandMinor, month }: UsageOf, calls: number): NewLine | null {
  const beyond = calls - included;
  const amountMinor = beyond > 0 ? share(perThousandMinor, beyond, 1000) : 0;
  if (amountMinor === 0) return null;
  const description = `Calls beyond the ${included.toLocaleString('en-US')} that the plan includes`;
  return { kind: 'USAGE', description, quantity: beyond, amountMinor, period: monthFrom(month) };
}
