import type { OrganizationContext } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { factsOf, resolveEntitlements } from './entitlements.ts';

/**
 * Room for one more socket or subscription, of the organization and of the caller; throws where there is none. The
 * caller releases it. What is open stays open when a limit becomes smaller.
 */
export async function takeRoom(ctx: OrganizationContext, what: 'sockets' | 'subscriptions'): Promise<() => void> {
  const { actor, organization, ports } = ctx;
  const facts = factsOf(ctx, actor);
  if (!facts) return () => {}; // never: the caller is in the organization
  const caller = actor.kind === 'user' ? `user:${actor.user.id}` : `key:${actor.key.id}`;
  const pools = resolveEntitlements(facts).limits.flatMap(({ name, limit, of }) =>
    name === what || name === `caller-${what}`
      ? [{ name, key: `{${organization.id}}${what}${of === 'caller' ? `:${caller}` : ''}`, size: limit }]
      : [],
  );
  const { release, full } = await ports.slots.take(pools);
  if (release) return release;
  throw new ApiError('limit_reached', {
    detail: `The limit \`${full.name}\` of ${full.size} is reached: close one first. GET /api/v1/entitlements says what decided it.`,
  });
}
