import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { sliceRange, type TimeSlice } from '../../../contract/time-range.ts';
import { resolveEntitlements, type Terms } from '../../../pipeline/entitlements.ts';
import { findUncounted } from '../../analytics/service/read-counts.ts';
import {
  allCalls,
  LIVE_VERIFICATIONS,
  MAX_SUMMED_SLOTS,
  readSums,
  WITHOUT_KEY,
} from '../../analytics/service/read-sums.ts';
import type { GetOrganizationUsage, OrganizationUsage, UsageCounts } from '../schemas.ts';
import { NO_CALLS, withoutCounts } from './counts.ts';
import { toSlots } from './slot-range.ts';

/** What was called in the organization, and how much of its plan that is. */
export async function getOrganizationUsage(
  ctx: OrganizationContext,
  input: GetOrganizationUsage,
): Promise<OrganizationUsage> {
  const { now } = ctx;
  const range = toSlots(input, now, monthOf);
  const { plan, limits } = resolveEntitlements({ ...termsOf(ctx.actor), key: null, settings: ctx.ports.env, now });
  const ofPlan = limits.flatMap(({ name, limit, windowS }) =>
    name.startsWith('plan-') && windowS !== null ? [{ name, limit, windowS }] : [],
  );
  const windows = ofPlan.map(({ windowS }) => toSlots({}, now, (to) => new Date(to.getTime() - windowS * 1000)));
  const [asked, ...windowed] = await countByEnvironment(
    ctx,
    [range, ...windows].flatMap((each) => sliceRange(each)),
  );
  const { live, test, withoutKey } = asked!; // the range is one slice
  return {
    organizationId: ctx.ids.encode('org', ctx.organization.id),
    ...range,
    live,
    test,
    withoutKey,
    plan,
    // A verification takes from these limits as a call of the key that asks.
    limits: ofPlan.map((limit, at) => ({
      ...limit,
      calls: windowed[at]!.live.calls - windowed[at]!.verifications.calls,
    })),
  };
}

function termsOf(actor: OrganizationContext['actor']): Terms {
  const terms = actor.kind === 'key' ? actor.key.terms : actor.membership?.terms;
  if (!terms) throw new ApiError('not_found');
  return terms;
}

/** The month that ends at its end. */
function monthOf(to: Date): Date {
  const last = new Date(to.getTime() - 1);
  return new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth()));
}

/** Sums count calls without a key as live ones, and have those apart once more. */
const GROUPS = [allCalls('live'), WITHOUT_KEY, allCalls('test'), LIVE_VERIFICATIONS];

async function countByEnvironment(
  ctx: OrganizationContext,
  slices: readonly TimeSlice[],
): Promise<(Pick<OrganizationUsage, 'live' | 'test' | 'withoutKey'> & { verifications: UsageCounts })[]> {
  const times = slices.flatMap(({ from, to }) => [from.getTime(), to.getTime()]);
  const whole = { from: new Date(Math.min(...times)), to: new Date(Math.max(...times)) };
  const uncounted = await findUncounted(ctx, whole, MAX_SUMMED_SLOTS);
  const counts = slices.map(() => GROUPS.map(() => NO_CALLS));
  for (const { group, bucket, ...sums } of await readSums(ctx, GROUPS, slices, uncounted))
    counts[bucket]![group] = sums;
  return counts.map(([live = NO_CALLS, withoutKey = NO_CALLS, test = NO_CALLS, verifications = NO_CALLS]) => ({
    live: withoutCounts(live, withoutKey),
    test,
    withoutKey,
    verifications,
  }));
}
