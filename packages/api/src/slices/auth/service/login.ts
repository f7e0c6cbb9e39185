import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { SessionStarted } from '../events.ts';
import { SessionModel } from '../model.ts';
import { deliverTokens } from '../refresh-cookie.ts';
import type { Login, Tokens } from '../schemas.ts';
import { lockProvenUser } from './locked-user.ts';
import { issueTokens } from './refresh.ts';

/**
 * An unknown address and a wrong password get one answer at one cost. Other reasons are shown only after the right
 * password.
 */
export async function login(ctx: Context, input: Login): Promise<Tokens> {
  const found = await UserModel.query(ctx.db).findOne({ emailKey: emailKey(input.email) });
  const right = await ctx.ports.passwords.matches(input.password, found?.passwordHash ?? null);
  if (!found || !right) {
    await recordSecurityEvent(ctx, 'login_failed', { userId: found?.id ?? null, details: { method: 'password' } });
    throw new ApiError('invalid_credentials');
  }

  const tokens = await transaction(ctx, async (ctx) => {
    const user = await lockProvenUser(ctx, found);
    if (!user.emailVerifiedAt && ctx.ports.env.REQUIRE_EMAIL_VERIFICATION) throw new ApiError('email_not_verified');
    const session = await SessionModel.query(ctx.db)
      .insert({
        userId: user.id,
        ip: ctx.request.ip,
        userAgent: ctx.request.userAgent,
        authenticatedAt: ctx.now,
        createdAt: ctx.now,
        expiresAt: new Date(ctx.now.getTime() + ctx.ports.env.REFRESH_TOKEN_TTL_S * 1000),
      })
      .returning('*');
    await record(asUser(ctx, user, session), SessionStarted, { target: session, data: session.present() });
    return issueTokens(ctx, user, session);
  });
  return deliverTokens(ctx, tokens, input.cookie);
}

/** The caller is known from here on, so the audit row names the user. */
function asUser(ctx: Context, user: UserModel, session: SessionModel): Context {
  return {
    ...ctx,
    actor: { kind: 'user', user, session, membership: null },
  };
}
