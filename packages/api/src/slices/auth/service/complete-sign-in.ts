import { executeTogether } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { insertion, toModel } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { openChallenge } from '../../two-factor/service/challenge.ts';
import {
  deliverDevice,
  findTrustedDevice,
  readDeviceCookie,
  trustDevice,
  useTrustedDevice,
} from '../../two-factor/service/trusted-device.ts';
import type { UserModel } from '../../users/model.ts';
import { SessionEnded, SessionStarted } from '../events.ts';
import { SessionModel } from '../model.ts';
import type { RememberedTokens, SignInAnswer, Tokens } from '../schemas.ts';
import { type KnownSource, noticeNewSource, notingSource } from './known-sources.ts';
import { beginChain } from './refresh.ts';
import { deliverTokens } from './refresh-cookie.ts';
import { endingOldest, sessionEnd } from './sessions.ts';

export interface SignIn {
  /** Whether the refresh token is to be delivered as a cookie; a challenge keeps it. */
  cookie?: boolean | undefined;
  /** Of a device that the account trusts, which need not show the second factor. */
  deviceToken?: string | undefined;
  /** When the person authenticated, if that was elsewhere; null where it is unknown: then the login is not recent. */
  authenticatedAt?: Date | null | undefined;
  /** Runs in the transaction of a session that is opened at once. */
  onSession?: ((ctx: Context, session: SessionModel) => Promise<void>) | undefined;
}

/** Never recent. */
const UNKNOWN_TIME = new Date(0);

/**
 * Every way of signing in ends here once its first factor is proven: with tokens, or with a challenge where the account
 * has a second factor. `prove` runs in the transaction and returns the user, locked and read again.
 */
export async function completeSignIn(
  ctx: Context,
  { cookie = false, deviceToken, authenticatedAt = ctx.now, onSession }: SignIn,
  prove: (ctx: Context) => Promise<UserModel>,
): Promise<SignInAnswer> {
  const answer = await transaction(ctx, async (ctx): Promise<SignInAnswer> => {
    const user = await prove(ctx);
    assertVerified(ctx, user);
    if (!user.twoFactorEnabledAt) {
      const { tokens, session } = await startSession(ctx, user, authenticatedAt ?? UNKNOWN_TIME);
      await onSession?.(ctx, session);
      return tokens;
    }
    const device = await findTrustedDevice(ctx, user.id, deviceToken ?? (cookie ? readDeviceCookie(ctx) : undefined));
    if (!device) return openChallenge(ctx, { userId: user.id, cookie });
    const { tokens, session } = await startSession(ctx, user, authenticatedAt ?? UNKNOWN_TIME);
    await onSession?.(ctx, session);
    await useTrustedDevice(ctx, device, session.id);
    return tokens;
  });
  return deliverTokens(ctx, answer, cookie);
}

type StartSession = (ctx: Context, user: UserModel) => Promise<RememberedTokens>;

/**
 * The rest of a sign-in that had to show a second factor. `prove` calls `start` in the transaction that uses the factor
 * up.
 */
export async function continueSignIn(
  ctx: Context,
  { cookie, rememberDevice }: { cookie: boolean; rememberDevice: boolean },
  prove: (ctx: Context, start: StartSession) => Promise<RememberedTokens>,
): Promise<RememberedTokens> {
  const answer = await prove(ctx, async (ctx, user) => {
    const { tokens, session } = await startSession(ctx, user);
    return { ...tokens, deviceToken: rememberDevice ? await trustDevice(ctx, user.id, session.id) : null };
  });
  return deliverDevice(ctx, deliverTokens(ctx, answer, cookie), cookie);
}

function assertVerified(ctx: Context, user: UserModel): void {
  if (!user.emailVerifiedAt && ctx.ports.env.REQUIRE_EMAIL_VERIFICATION) throw new ApiError('email_not_verified');
}

/** Opens the session of a person who has proven every factor, in the transaction of the last one. */
export async function startSession(
  ctx: Context,
  user: UserModel,
  authenticatedAt = ctx.now,
): Promise<{ tokens: Tokens; session: SessionModel }> {
  const row = {
    userId: user.id,
    ip: ctx.request.ip,
    userAgent: ctx.request.userAgent,
    authenticatedAt,
    createdAt: ctx.now,
    expiresAt: sessionEnd(ctx, ctx.now),
  };
  const [, ended, [added], [known]] = await executeTogether<[object, object, object, KnownSource]>(ctx.db, [
    ...endingOldest(ctx, user.id),
    insertion(SessionModel, row),
    notingSource(ctx, user.id),
  ]);
  for (const session of ended.map((row) => toModel(SessionModel, row))) {
    await record(ctx, SessionEnded, { target: session, data: session.present() });
  }
  const session = toModel(SessionModel, added!);
  const asUser = signedInAs(ctx, user, session);
  await record(asUser, SessionStarted, { target: session, data: session.present() });
  await noticeNewSource(asUser, user, known!);
  return { tokens: await beginChain(ctx, user, session), session };
}

/** The caller is known from here on, so the audit row names the user. */
function signedInAs(ctx: Context, user: UserModel, session: SessionModel): Context {
  return { ...ctx, actor: { kind: 'user', user, session, membership: null } };
}
