import type { ActorContext } from '../../../context.ts';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { Ids } from '../../../contract/ids.ts';
import { factsOf, type ResolvedLimit, resolveEntitlements } from '../../../pipeline/entitlements.ts';
import { capsOf } from '../caps.ts';
import type { Entitlements } from '../schemas.ts';

/** What the caller may use in the current organization, and what decided each part of it. */
export async function getEntitlements(ctx: ActorContext): Promise<Entitlements> {
  const facts = factsOf(ctx, ctx.actor);
  if (!facts)
    throw new ApiError('permission_denied', { detail: 'Entitlements belong to an organization, and you are in none.' });
  const { plan, planUntil, features, scopes, limits, includedCalls, creditsPerCall } = resolveEntitlements(facts);
  return {
    plan,
    planUntil: isoOrNull(planUntil),
    features: [...features],
    scopes: [...scopes],
    limits: limits.map((limit) => presentLimit(ctx.ids, plan, limit)),
    includedCalls: { ...includedCalls, refusedUntil: isoOrNull(includedCalls.refusedUntil) },
    creditsPerCall,
    caps: capsOf(ctx.ports.env),
  };
}

const UNITS = new Map<number | null, string>([
  [60, '/min'],
  [3600, '/h'],
  [86_400, '/d'],
  [null, ' open'],
]);
const NUMBER = new Intl.NumberFormat('en-US');

function presentLimit(
  ids: Ids,
  plan: string,
  { name, limit, windowS, of, source, override }: ResolvedLimit,
): Entitlements['limits'][number] {
  const origin = { plan: `plan ${plan}`, key: 'the key', setting: 'RATE_LIMIT_PER_MINUTE' }[source];
  const id = override && ids.encode('ovr', override.id);
  return {
    name,
    limit,
    windowS,
    of,
    because: `${NUMBER.format(limit)}${UNITS.get(windowS)} because ${origin}${id ? ` + override ${id}` : ''}`,
    override: id && override ? { id, until: iso(new Date(override.untilMs)) } : null,
  };
}
