import type { Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { assertSourceHasRoom, chargeFailedAttempt } from './limits.ts';

/**
 * Runs before every upgrade. A source over its limit is refused first, at the least cost. A page of a foreign origin is
 * refused even with a credential: browsers send no preflight for a socket, and allow every page to open one.
 */
export async function admitHandshake(ctx: Context): Promise<void> {
  await assertSourceHasRoom(ctx);
  const { origin } = ctx.request;
  if (origin === undefined || (await ctx.ports.origins.allows(origin))) return;
  const refused = new ApiError('origin_not_allowed', {
    detail:
      "Open the connection from a page of PUBLIC_URL, of an origin in CORS_ORIGINS, or of one in an active key's `allowedOrigins`.",
  });
  await chargeFailedAttempt(ctx, refused);
  throw refused;
}

/**
 * Whether a page of the request's origin may send the request that it asks for, because an active key works from there;
 * the request itself is judged by its own key. An origin of no key costs its source, as a failed call does.
 */
export async function admitPreflight(ctx: Context): Promise<boolean> {
  const { origin = '' } = ctx.request;
  if (await ctx.ports.origins.isOfKey(origin, () => assertSourceHasRoom(ctx))) return true;
  await chargeFailedAttempt(ctx, new ApiError('origin_not_allowed'));
  return false;
}
