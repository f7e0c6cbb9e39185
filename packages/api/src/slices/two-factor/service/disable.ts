import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { record } from '../../../events/record.ts';
import { findByPassword } from '../../auth/service/lockout.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { assertSessionNotRevoked } from '../../users/staff.ts';
import { TwoFactorDisabled } from '../events.ts';
import { TotpFactorModel } from '../model.ts';
import type { DisableTwoFactor } from '../schemas.ts';
import { withCode } from './code.ts';
import { settleTwoFactor } from './settle.ts';

/** Removes the app and what was made for its loss. The right password and a code are asked for, as at a login. */
export async function disableTwoFactor(ctx: UserContext, { password, code }: DisableTwoFactor): Promise<void> {
  const { user, session } = ctx.actor;
  const found = await UserModel.query(ctx.db).findById(user.id).throwIfNotFound();
  const totp = await TotpFactorModel.query(ctx.db).findOne({ userId: found.id }).whereNotNull('confirmedAt');
  if (!totp) throw new ApiError('two_factor_not_enabled');
  if (
    found.passwordHash &&
    !(await findByPassword(ctx, { email: found.email, find: async () => found, password: password ?? '' }))
  )
    throw new ApiError('invalid_credentials', { detail: 'This is not the password of your account.' });
  await withCode(ctx, found.id, code, async (ctx, before) => {
    await assertSessionNotRevoked(ctx, session.id);
    if (before.passwordHash !== found.passwordHash) throw new ApiError('invalid_credentials');
    await TotpFactorModel.query(ctx.db).delete().where({ userId: before.id });
    const after = await settleTwoFactor(ctx, before);
    await recordSecurityEvent(ctx, 'two_factor_disabled', { userId: after.id });
    await record(ctx, TwoFactorDisabled, { target: after, before, after, data: after.present(ctx.ids) });
  });
}
