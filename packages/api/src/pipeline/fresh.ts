import type { Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import type { Actor } from './actor.ts';

const FRESH_FOR_MS = 10 * 60_000;

/** A stolen access token, or an unlocked laptop, must not be enough. A key has no login, so it is never fresh. */
export function assertFresh(ctx: Pick<Context, 'now'>, actor: Actor): void {
  if (actor.kind !== 'user') throw new ApiError('user_required');
  if (ctx.now.getTime() - actor.session.authenticatedAt.getTime() > FRESH_FOR_MS)
    throw new ApiError('reauthentication_required');
}
