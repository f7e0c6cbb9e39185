import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { withCode } from '../../two-factor/service/code.ts';
import { findSignInChallenge, withPasskey } from '../../two-factor/service/prove-passkey.ts';
import { moveTrust } from '../../two-factor/service/trusted-device.ts';
import { UserModel } from '../../users/model.ts';
import { SessionReauthenticated } from '../events.ts';
import { SessionModel } from '../model.ts';
import type { Reauthenticate, Tokens } from '../schemas.ts';
import { startSession } from './complete-sign-in.ts';
import { lockProvenUser } from './locked-user.ts';
import { findByPassword } from './lockout.ts';
import { deliverTokens } from './refresh-cookie.ts';

/**
 * Proves that the holder of the access token is its user. The session ends and a new one begins: otherwise a copied
 * token of it would become fresh together with its owner's (V7.2.4).
 */
export async function reauthenticate(ctx: UserContext, input: Reauthenticate): Promise<Tokens> {
  const old = ctx.actor.session.id;
  const tokens = await withProof(ctx, input, async (ctx, user) => {
    const ended = await SessionModel.query(ctx.db)
      .findById(old)
      .patch({ revokedAt: ctx.now })
      .whereNull('revokedAt')
      .returning('*')
      .first();
    if (!ended) throw new ApiError('session_revoked');
    const { tokens, session } = await startSession(ctx, user);
    await moveTrust(ctx, ended.id, session.id);
    await record(ctx, SessionReauthenticated, { target: ended, data: ended.present() });
    return tokens;
  });
  return deliverTokens(ctx, tokens, input.cookie);
}

type OnProven = (ctx: Context, user: UserModel) => Promise<Tokens>;

/** Runs `onProven` in the transaction that uses the proof up. */
async function withProof(ctx: UserContext, input: Reauthenticate, onProven: OnProven): Promise<Tokens> {
  const userId = ctx.actor.user.id;
  const { password, code, challengeToken, credential } = input;
  if (code !== undefined) return withCode(ctx, userId, code, onProven);
  if (challengeToken !== undefined && credential) {
    const challenge = await findSignInChallenge(ctx, challengeToken);
    return withPasskey(ctx, challenge, credential, async (ctx, user) => {
      if (user.id !== userId) throw new ApiError('invalid_passkey');
      return onProven(ctx, user);
    });
  }
  const user = await UserModel.query(ctx.db).findById(userId).throwIfNotFound();
  if (!(await findByPassword(ctx, { email: user.email, find: async () => user, password: password ?? '' }))) {
    throw new ApiError('invalid_credentials', { detail: user.passwordHash ? NOT_THE_PASSWORD : NO_PASSWORD });
  }
  return transaction(ctx, async (ctx) => onProven(ctx, await lockProvenUser(ctx, user)));
}

const NOT_THE_PASSWORD = 'This is not the password of your account.';
const NO_PASSWORD =
  'Your account has no password: use a code or a passkey, or set a password with `POST /auth/password-reset/request`.';
