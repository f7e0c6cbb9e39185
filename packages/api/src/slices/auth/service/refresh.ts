import { execute, type Statement } from '@rentapi/platform/database';
import { deriveKey, seal, unseal } from '@rentapi/platform/secrets';
import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { findRow, insertion } from '../../../data/rows.ts';
import { executeAtEnd, transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { USER_COLUMNS, type UserColumns, UserModel } from '../../users/model.ts';
import { RefreshTokenReplayed } from '../events.ts';
import { RefreshTokenModel, SessionModel } from '../model.ts';
import type { Refresh, Tokens } from '../schemas.ts';
import { deliverTokens, readRefreshCookie } from './refresh-cookie.ts';

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
  const tokens = (await continueChain(ctx, refreshToken)) ?? (await repeatOrEnd(ctx, refreshToken));
  if (!tokens) throw new ApiError('invalid_refresh_token');
  return deliverTokens(ctx, tokens, input.refreshToken === undefined);
}

/**
 * Uses the token and adds its child, if it was not used and its session lives: in one statement, because this is what
 * nearly all refreshes do. The grandparent can no longer be repeated, so its child need not stay readable.
 */
const CONTINUE: Statement = {
  name: 'continue_refresh_tokens',
  text: `
    with token as (
      select id, session_id from refresh_tokens where token_hash = $1 and used_at is null and expires_at > $2 for update
    ), found as (
      select s.id as "sessionId", s.public_id as "publicId",
             least($5::timestamptz, s.created_at + make_interval(secs => $6)) as "expiresAt", ${USER_COLUMNS}
      from token join sessions s on s.id = token.session_id join users u on u.id = s.user_id
      where s.revoked_at is null and s.expires_at > $2 and u.status = 'ACTIVE'
    ), child as (
      insert into refresh_tokens (session_id, token_hash, created_at, expires_at)
      select "sessionId", $3, $2, "expiresAt" from found returning id
    ), parent as (
      update refresh_tokens set used_at = $2, child_id = child.id, child_sealed = $4
      from token, child where refresh_tokens.id = token.id
    ), grandparent as (
      update refresh_tokens set child_sealed = null
      from token, found where child_id = token.id and child_sealed is not null
    ), session as (
      update sessions set expires_at = "expiresAt" from found where sessions.id = "sessionId"
    )
    select * from found`,
};

type Continued = UserColumns & { sessionId: number; publicId: string };

async function continueChain(ctx: Context, parent: string): Promise<Tokens | undefined> {
  const { REFRESH_TOKEN_TTL_S, SESSION_MAX_AGE_S } = ctx.ports.env;
  const child = newToken();
  const [found] = await execute<Continued>(ctx.db, CONTINUE, [
    tokenHash(parent),
    ctx.now,
    tokenHash(child),
    seal(graceKey(parent), child, 'refresh'),
    new Date(ctx.now.getTime() + REFRESH_TOKEN_TTL_S * 1000),
    SESSION_MAX_AGE_S,
  ]);
  return found && presentTokens(ctx, UserModel.ofRow(found), found.publicId, child);
}

/** For a token that was used, or that is none. */
function repeatOrEnd(ctx: Context, refreshToken: string): Promise<Tokens | null> {
  return transaction(ctx, async (ctx) => {
    // The row lock serializes requests with the same token.
    const token = await findRow(ctx.db, RefreshTokenModel, { tokenHash: tokenHash(refreshToken) }, 'for update');
    if (!token?.usedAt || token.expiresAt <= ctx.now) return null;
    const session = await SessionModel.query(ctx.db).findById(token.sessionId).throwIfNotFound();
    if (session.revokedAt || session.expiresAt <= ctx.now) return null;
    const user = await UserModel.query(ctx.db).findById(session.userId).throwIfNotFound();
    if (user.status !== 'ACTIVE') return null;
    const child = await childWithinGrace(ctx, refreshToken, token);
    if (child) return presentTokens(ctx, user, session.publicId, child);
    await SessionModel.query(ctx.db).findById(session.id).patch({ revokedAt: ctx.now });
    await record(ctx, RefreshTokenReplayed, { target: session, data: session.present() });
    await recordSecurityEvent(ctx, 'refresh_token_replayed', { userId: user.id });
    return null; // no exception: the end of the session must be committed
  });
}

/** The first refresh token of a session. */
export async function beginChain(ctx: Context, user: UserModel, session: SessionModel): Promise<Tokens> {
  const token = newToken();
  const row = { sessionId: session.id, tokenHash: tokenHash(token), createdAt: ctx.now, expiresAt: session.expiresAt };
  await executeAtEnd(ctx.db, ...insertion(RefreshTokenModel, row));
  return presentTokens(ctx, user, session.publicId, token);
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

async function presentTokens(ctx: Context, user: UserModel, sid: string, refreshToken: string): Promise<Tokens> {
  const { accessTokens } = ctx.ports;
  return {
    accessToken: await accessTokens.sign({ sub: ctx.ids.encode('usr', user.id), sid }, ctx.now),
    refreshToken,
    tokenType: 'Bearer',
    expiresIn: accessTokens.ttlS,
    user: user.present(ctx.ids),
  };
}
