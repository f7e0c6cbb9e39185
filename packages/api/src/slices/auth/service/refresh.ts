import { deriveKey, seal, unseal } from '@rentapi/platform/secrets';
import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { RefreshTokenReplayed } from '../events.ts';
import { RefreshTokenModel, SessionModel } from '../model.ts';
import type { Refresh, Tokens } from '../schemas.ts';
import { deliverTokens, readRefreshCookie } from './refresh-cookie.ts';
import { sessionEnd } from './sessions.ts';

const NO_TOKEN =
  'Log in first: the request has neither a `refreshToken` nor the cookie of a login with `cookie: true`.';

/**
 * Each refresh token works once (RFC 9700, section 4.14.2). A used one that comes back within the grace period gets the
 * same child again: an answer was lost, or a second tab asked. Later, or after the child was used, it must be a copy:
 * the session ends.
 */
export async function refresh(ctx: Context, input: Refresh): Promise<Tokens> {
  const refreshToken = input.refreshToken ?? readRefreshCookie(ctx);
  if (refreshToken === undefined) throw new ApiError('invalid_refresh_token', { detail: NO_TOKEN });
  const outcome = await transaction(ctx, async (ctx) => {
    // The row lock serializes requests with the same token.
    const token = await RefreshTokenModel.query(ctx.db)
      .findOne({ tokenHash: tokenHash(refreshToken) })
      .forUpdate();
    if (!token || token.expiresAt <= ctx.now) return null;
    const session = await SessionModel.query(ctx.db).findById(token.sessionId).throwIfNotFound();
    if (session.revokedAt || session.expiresAt <= ctx.now) return null;
    const user = await UserModel.query(ctx.db).findById(session.userId).throwIfNotFound();
    if (user.status !== 'ACTIVE') return null;
    if (!token.usedAt) return issueTokens(ctx, user, session, { token: refreshToken, row: token });
    const child = await childWithinGrace(ctx, refreshToken, token);
    if (child) return presentTokens(ctx, user, session, child);
    await SessionModel.query(ctx.db).findById(session.id).patch({ revokedAt: ctx.now });
    await record(ctx, RefreshTokenReplayed, { target: session, data: session.present() });
    await recordSecurityEvent(ctx, 'refresh_token_replayed', { userId: user.id });
    return null; // no exception: the end of the session must be committed
  });
  if (!outcome) throw new ApiError('invalid_refresh_token');
  return deliverTokens(ctx, outcome, input.refreshToken === undefined);
}

/** A new pair for the session; its refresh token follows `parent` in the chain. */
export async function issueTokens(
  ctx: Context,
  user: UserModel,
  session: SessionModel,
  parent?: { token: string; row: RefreshTokenModel },
): Promise<Tokens> {
  const token = newToken();
  const expiresAt = sessionEnd(ctx, session.createdAt);
  const child = await RefreshTokenModel.query(ctx.db)
    .insert({ sessionId: session.id, tokenHash: tokenHash(token), createdAt: ctx.now, expiresAt })
    .returning('*');
  if (parent) {
    const childSealed = seal(graceKey(parent.token), token, 'refresh');
    await RefreshTokenModel.query(ctx.db)
      .findById(parent.row.id)
      .patch({ usedAt: ctx.now, childId: child.id, childSealed });
    // The grandparent can no longer be repeated, so its child need not stay readable.
    await RefreshTokenModel.query(ctx.db).where({ childId: parent.row.id }).patch({ childSealed: null });
    await SessionModel.query(ctx.db).findById(session.id).patch({ expiresAt });
  }
  return presentTokens(ctx, user, session, token);
}

async function childWithinGrace(ctx: Context, token: string, row: RefreshTokenModel): Promise<string | null> {
  const graceEnds = row.usedAt!.getTime() + ctx.ports.env.REFRESH_GRACE_S * 1000;
  if (!row.childSealed || ctx.now.getTime() > graceEnds) return null;
  const child = await RefreshTokenModel.query(ctx.db).findById(row.childId!).throwIfNotFound();
  return child.usedAt ? null : unseal(graceKey(token), row.childSealed, 'refresh');
}

const ERASE_BATCH = 1000;
/**
 * Clocks of two machines differ: after an early erasure, a lost answer would look like a copied token and end the
 * session.
 */
const CLOCK_SKEW_MS = 30_000;

/** After the grace period, a parent that leaks from a log or a backup must not open its child, which works for days. */
export async function eraseSealedChildren(ctx: Context, { touch, signal }: RunControl): Promise<void> {
  const graceOver = new Date(ctx.now.getTime() - ctx.ports.env.REFRESH_GRACE_S * 1000 - CLOCK_SKEW_MS);
  for (let erased = ERASE_BATCH; erased >= ERASE_BATCH && !signal.aborted; touch()) {
    const over = RefreshTokenModel.query(ctx.db)
      .whereNotNull('childSealed')
      .where('usedAt', '<', graceOver)
      .select('id')
      .limit(ERASE_BATCH)
      .forUpdate()
      .skipLocked(); // a row in use is erased by its request, or in the next round
    erased = await RefreshTokenModel.query(ctx.db).whereIn('id', over).patch({ childSealed: null });
  }
}

/** Made from the parent token itself, of which only a hash is stored. */
const graceKey = (parentToken: string) => deriveKey(parentToken, 'rentapi/refresh/grace');

async function presentTokens(
  ctx: Context,
  user: UserModel,
  session: SessionModel,
  refreshToken: string,
): Promise<Tokens> {
  const { accessTokens } = ctx.ports;
  return {
    accessToken: await accessTokens.sign({ sub: ctx.ids.encode('usr', user.id), sid: session.publicId }, ctx.now),
    refreshToken,
    tokenType: 'Bearer',
    expiresIn: accessTokens.ttlS,
    user: user.present(ctx.ids),
  };
}
