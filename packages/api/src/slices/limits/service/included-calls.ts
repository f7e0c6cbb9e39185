import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import type { PlanTerms } from '../../../contract/plans.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { forgetAfterCommit } from '../../../pipeline/actor-cache.ts';
import { findUncounted } from '../../analytics/service/read-counts.ts';
import { allCalls, LIVE_VERIFICATIONS, sumsSql, valuesOf, WITHOUT_KEY } from '../../analytics/service/read-sums.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { termsOf } from '../../plans/service/read.ts';
import { toSlots } from '../../usage/service/slot-range.ts';
import { UsageThresholdReached } from '../events.ts';

const THRESHOLDS = [50, 80, 100] as const;
const BATCH = 500;
/** Roll-ups come late by less; so a month is also counted on the first days of the next. */
const RECENT_MS = 2 * 86_400_000;

/** All but the first are no calls with live keys here; a verification is one of the key that asks. */
const GROUPS = [allCalls('live'), WITHOUT_KEY, LIVE_VERIFICATIONS];

/** Organizations after $3 with calls since $2, and their calls in the month that begins at $1. */
const COUNT: Statement = {
  text: `
    /* across organizations */
    select recent.id as "organizationId", plans.terms, included_calls.reached,
           (select coalesce(sum(case "group" when 0 then calls else -calls end), 0)::bigint
            from (${sumsSql('recent.id', 5)}) as sums) as calls
    from (
      select organizations.id, plan from organizations,
        lateral (select from usage_rollups where organization_id = organizations.id and slot >= $2 limit 1) as called
      where organizations.id > $3 and deleted_at is null order by organizations.id limit $4
    ) as recent
    join plans on plans.code = recent.plan
    left join included_calls on included_calls.organization_id = recent.id
      and included_calls.month = ($1::timestamptz at time zone 'UTC')::date
    order by recent.id`,
};

interface Counted {
  organizationId: number;
  terms: PlanTerms;
  reached: number | null;
  calls: number;
}

interface Month {
  from: Date;
  to: Date;
}

/** Announces each part of the included calls that was used up, once a month. It may run again at any time. */
export async function announceIncludedCalls(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  const recent = new Date(ctx.now.getTime() - RECENT_MS);
  const months = [monthOf(recent), monthOf(ctx.now)];
  for (const month of months[0]!.from < months[1]!.from ? months : months.slice(1)) {
    const { to } = toSlots({}, ctx.now, () => month.from);
    const counted = { from: month.from, to: new Date(Math.min(month.to.getTime(), Date.parse(to))) };
    // What is not rolled up is counted by a later run.
    const uncounted = { ...(await findUncounted(ctx, counted)), pendingSlots: [] };
    const sums = valuesOf(GROUPS, [counted], uncounted);
    for (let after = 0; !signal.aborted; touch()) {
      const rows = await execute<Counted>(ctx.db, COUNT, [month.from, recent, after, BATCH, ...sums]);
      for (const { organizationId, terms, calls, reached } of rows)
        if (percentOf(terms, calls) > (reached ?? 0)) await announce(ctx, organizationId, { month, calls });
      after = rows.at(-1)?.organizationId ?? 0;
      if (rows.length < BATCH) break;
    }
  }
}

function monthOf(at: Date): Month {
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return { from: new Date(Date.UTC(year, month)), to: new Date(Date.UTC(year, month + 1)) };
}

/** The highest threshold that was reached. */
function percentOf({ includedCallsPerMonth }: PlanTerms, calls: number): number {
  const percent = (100 * calls) / includedCallsPerMonth;
  return THRESHOLDS.findLast((threshold) => threshold <= percent) ?? 0;
}

const REACHED: Statement = {
  text: 'select reached from included_calls where organization_id = $1 and month = $2',
};
const REACH: Statement = {
  text: `
    insert into included_calls (organization_id, month, calls, reached) values ($1, $2, $3, $4)
    on conflict (organization_id, month) do update set calls = excluded.calls, reached = excluded.reached`,
};

/** Under the lock of the organization, so that two runs announce nothing twice. */
async function announce(ctx: Context, organizationId: number, counted: { month: Month; calls: number }): Promise<void> {
  const { month, calls } = counted;
  await transaction(ctx, async (ctx) => {
    const organization = await OrganizationModel.query(ctx.db).findById(organizationId).forUpdate().throwIfNotFound();
    const day = iso(month.from).slice(0, 10);
    const [before] = await execute<{ reached: number }>(ctx.db, REACHED, [organizationId, day]);
    const terms = await termsOf(ctx, organization.plan);
    const { includedCallsPerMonth: included, overage } = terms;
    const reached = percentOf(terms, calls);
    const passed = THRESHOLDS.filter((threshold) => threshold > (before?.reached ?? 0) && threshold <= reached);
    if (passed.length === 0) return;
    await execute(ctx.db, REACH, [organizationId, day, calls, reached]);
    if (reached === 100 && overage === 'refuse' && month.to > ctx.now) {
      await OrganizationModel.query(ctx.db).findById(organizationId).patch({ callsUsedUpUntil: month.to });
      forgetAfterCommit(ctx, [`organization:${organizationId}`]);
    }
    const publicId = ctx.ids.encode('org', organizationId);
    for (const percent of passed) {
      const data = { organizationId: publicId, month: day.slice(0, 7), percent, calls, included, overage };
      await record(ctx, UsageThresholdReached, { target: organization, data, organizationId });
    }
  });
}
