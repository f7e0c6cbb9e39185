import { execute, type Statement } from '@rentapi/platform/database';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { sliceRange } from '../../../contract/time-range.ts';
import { resolveEntitlements, type Terms } from '../../../pipeline/entitlements.ts';
import type { GetOrganizationUsage, OrganizationUsage, UsageCounts } from '../schemas.ts';
import { countedSlots, NO_CALLS, SUMS } from './counted.ts';
import { toSlots } from './slot-range.ts';

type Environment = 'live' | 'test' | 'none';

const BY_ENVIRONMENT: Statement = {
  text: `
    with ${countedSlots({
      where: '',
      columns: { rolledUp: 'environment', calls: "coalesce(environment, 'none') as environment" },
    })}
    select environment, ${SUMS} from counted group by environment`,
};

/** What was called in the organization, and how much of its plan that is. */
export async function getOrganizationUsage(
  ctx: OrganizationContext,
  input: GetOrganizationUsage,
): Promise<OrganizationUsage> {
  const { now } = ctx;
  const range = toSlots(input, now, monthOf);
  sliceRange(range);
  const { live, test, none } = await countByEnvironment(ctx, range);
  const { plan, limits } = resolveEntitlements({ ...termsOf(ctx.actor), key: null, settings: ctx.ports.env, now });
  const ofPlan: OrganizationUsage['limits'] = [];
  for (const { name, limit, windowS } of limits) {
    if (!name.startsWith('plan-') || windowS === null) continue;
    const window = toSlots({}, now, (to) => new Date(to.getTime() - windowS * 1000));
    ofPlan.push({ name, limit, windowS, calls: (await countByEnvironment(ctx, window)).live.calls });
  }
  const organizationId = ctx.ids.encode('org', ctx.organization.id);
  return { organizationId, ...range, live, test, withoutKey: none, plan, limits: ofPlan };
}

function termsOf(actor: OrganizationContext['actor']): Terms {
  const terms = actor.kind === 'key' ? actor.key.terms : actor.membership?.terms;
  if (!terms) throw new ApiError('not_found');
  return terms;
}

const monthOf = (to: Date): Date => new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth()));

async function countByEnvironment(
  { db, organization }: OrganizationContext,
  { from, to }: { from: string; to: string },
): Promise<Record<Environment, UsageCounts>> {
  const rows = await execute<UsageCounts & { environment: Environment }>(db, BY_ENVIRONMENT, [
    organization.id,
    from,
    to,
  ]);
  const counts = { live: NO_CALLS, test: NO_CALLS, none: NO_CALLS };
  for (const { environment, ...sums } of rows) counts[environment] = sums;
  return counts;
}
