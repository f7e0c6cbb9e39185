import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { endChallenges } from '../../two-factor/service/challenge.ts';
import { endTrust } from '../../two-factor/service/trusted-device.ts';
import { UserModel } from '../../users/model.ts';
import { lockMe } from '../../users/staff.ts';
import { PasswordChanged } from '../events.ts';
import { SessionModel, VerificationTokenModel } from '../model.ts';
import type { ChangePassword } from '../schemas.ts';
import { findByPassword } from './lockout.ts';
import { hashNewPassword, personOf } from './new-password.ts';
import { endEmailChanges } from './verify-email.ts';

/**
 * Who knew the old password loses access: other sessions, open links to reset it or to change the address, and logins
 * under way end, and so does the trust of other devices.
 */
export async function changePassword(ctx: UserContext, input: ChangePassword): Promise<void> {
  const user = await UserModel.query(ctx.db).findById(ctx.actor.user.id).throwIfNotFound();
  if (user.passwordHash === null)
    throw new ApiError('invalid_credentials', {
      detail: 'Your account has no password: request a mail with a link to set one.',
    });
  if (!(await findByPassword(ctx, { email: user.email, find: async () => user, password: input.currentPassword })))
    throw new ApiError('invalid_credentials', { detail: 'The current password is not the one of your account.' });
  const passwordHash = await hashNewPassword(ctx, 'newPassword', input.newPassword, await personOf(ctx, user));
  await transaction(ctx, async (ctx) => {
    const before = await lockMe(ctx);
    if (before.passwordHash !== user.passwordHash) throw new ApiError('invalid_credentials');
    const after = await change(ctx, before, { passwordHash });
    await SessionModel.query(ctx.db)
      .where({ userId: user.id })
      .whereNot({ id: ctx.actor.session.id })
      .whereNull('revokedAt')
      .patch({ revokedAt: ctx.now });
    await VerificationTokenModel.query(ctx.db).delete().where({ userId: user.id, purpose: 'password_reset' });
    await endEmailChanges(ctx, user.id);
    await endChallenges(ctx, user.id);
    await endTrust(ctx, user.id, { except: ctx.actor.session.id });
    await recordSecurityEvent(ctx, 'password_changed', { userId: user.id });
    await record(ctx, PasswordChanged, { target: after, before, after, data: after.present(ctx.ids) });
  });
}
