import { execute, type Statement } from '@rentapi/platform/database';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { MAX_LATE_MS } from '../../metering/service/judge.ts';
import type { Period } from '../periods.ts';
import { endOfMonth, type UsageSpan } from './priced-usage.ts';

const HOUR_MS = 3_600_000;
/** Events come a day late at most, and calls are stored some seconds after they were made, or minutes. */
const CLOSES_MS = MAX_LATE_MS + HOUR_MS;

export const closesAt = (to: Date): Date => new Date(to.getTime() + CLOSES_MS);

type Timely = Tenancy & { now: Date };

const SET_TERMS: Statement = {
  text: `
    insert into usage_terms (organization_id, subscription_id, from_at, price_id) values ($1, $2, $3, $4)
    on conflict (organization_id, subscription_id, from_at) do update set price_id = excluded.price_id`,
};

const BEGIN: Statement = {
  text: `
    insert into usage_periods (organization_id, subscription_id, from_at, to_at, due_at) values ($1, $2, $3, $4, $5)
    on conflict (organization_id, subscription_id) where closed_at is null do nothing`,
};

/** By which price the usage of a subscription counts from then on. With the first, its first month begins. */
export async function setUsageTerms(
  ctx: Timely,
  subscriptionId: number,
  { from, priceId }: Omit<UsageSpan, 'to'>,
): Promise<void> {
  await execute(ctx.db, SET_TERMS, [ctx.organization.id, subscriptionId, from, priceId]);
  await beginUsagePeriod(ctx, subscriptionId, { from, to: endOfMonth(from) });
}

/** One that is known only after its end, as where a transfer came late, is due from now on: nothing was missed. */
export async function beginUsagePeriod(
  { db, organization, now }: Timely,
  subscriptionId: number,
  { from, to }: Period,
): Promise<void> {
  const closes = closesAt(to);
  await execute(db, BEGIN, [organization.id, subscriptionId, from, to, closes > now ? closes : now]);
}

const END: Statement = {
  text: `
    update usage_periods set to_at = greatest(from_at, $3), due_at = $4
    where organization_id = $1 and subscription_id = $2 and closed_at is null and to_at > $3`,
};

/** The last month of a subscription ends with it. */
export async function endUsage({ db, organization }: Tenancy, subscriptionId: number, at: Date): Promise<void> {
  await execute(db, END, [organization.id, subscriptionId, at, closesAt(at)]);
}

const TERMS: Statement = {
  text: `
    select from_at as "from", price_id as "priceId" from usage_terms
    where organization_id = $1 and subscription_id = $2 and from_at < $4
      and from_at >= coalesce(
        (select max(from_at) from usage_terms where organization_id = $1 and subscription_id = $2 and from_at <= $3), $3)
    order by from_at`,
};

/** The parts of a month in which one price counts; without one there are none. */
export async function usageSpans(
  { db, organization }: Tenancy,
  subscriptionId: number,
  { from, to }: Period,
): Promise<UsageSpan[]> {
  const values = [organization.id, subscriptionId, from, to];
  const terms = await execute<Omit<UsageSpan, 'to'>>(db, TERMS, values);
  return terms.map((term, at) => ({
    priceId: term.priceId,
    from: term.from < from ? from : term.from,
    to: terms[at + 1]?.from ?? to,
  }));
}
