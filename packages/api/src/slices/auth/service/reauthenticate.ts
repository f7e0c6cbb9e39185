import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { moveTrust } from '../../two-factor/service/trusted-device.ts';
import { UserModel } from '../../users/model.ts';
import { SessionReauthenticated } from '../events.ts';
import { SessionModel } from '../model.ts';
import type { Reauthenticate, Tokens } from '../schemas.ts';
import { startSession } from './complete-sign-in.ts';
import { lockProvenUser } from './locked-user.ts';
import { isPasswordOf } from './lockout.ts';
import { deliverTokens } from './refresh-cookie.ts';

/**
 * Proves that the caller is its user, which allows operations that require a recent login. A new session replaces the
 * old one: a copy of the old tokens must not become fresh with it (V7.2.4).
 */
export async function reauthenticate(ctx: UserContext, { password, cookie }: Reauthenticate): Promise<Tokens> {
  const user = await UserModel.query(ctx.db).findById(ctx.actor.user.id).throwIfNotFound();
  if (!(await isPasswordOf(ctx, { email: user.email, user, password }))) {
    throw new ApiError('invalid_credentials', { detail: 'This is not the password of your account.' });
  }
  const tokens = await transaction(ctx, async (ctx) => {
    const proven = await lockProvenUser(ctx, user);
    const old = await SessionModel.query(ctx.db)
      .findById(ctx.actor.session.id)
      .patch({ revokedAt: ctx.now })
      .whereNull('revokedAt')
      .returning('*')
      .first();
    if (!old) throw new ApiError('session_revoked');
    const { session, tokens } = await startSession(ctx, proven);
    await moveTrust(ctx, old.id, session.id);
    await record(ctx, SessionReauthenticated, { target: old, data: old.present() });
    return tokens;
  });
  return deliverTokens(ctx, tokens, cookie);
}
