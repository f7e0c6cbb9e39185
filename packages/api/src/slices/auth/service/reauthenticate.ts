import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { UserModel } from '../../users/model.ts';
import { SessionReauthenticated } from '../events.ts';
import { SessionModel } from '../model.ts';
import { lockProvenUser } from './locked-user.ts';
import { isPasswordOf } from './lockout.ts';

/** Proves that the holder of the access token is its user, which allows operations that require a recent login. */
export async function reauthenticate(ctx: UserContext, password: string): Promise<void> {
  const user = await UserModel.query(ctx.db).findById(ctx.actor.user.id).throwIfNotFound();
  if (!(await isPasswordOf(ctx, { email: user.email, user, password }))) {
    throw new ApiError('invalid_credentials', { detail: 'This is not the password of your account.' });
  }
  await transaction(ctx, async (ctx) => {
    await lockProvenUser(ctx, user);
    const session = await SessionModel.query(ctx.db)
      .findById(ctx.actor.session.id)
      .patch({ authenticatedAt: ctx.now })
      .whereNull('revokedAt')
      .returning('*')
      .first();
    if (!session) throw new ApiError('session_revoked');
    await record(ctx, SessionReauthenticated, { target: session, data: session.present() });
  });
}
