import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import type { UserModel } from '../../users/model.ts';
import { BackupCodeModel, PasskeyModel, TotpFactorModel } from '../model.ts';
import { endTrust } from './trusted-device.ts';

/**
 * After a factor was added or removed, under the lock of the user: whether logins ask for one. Without any, nothing is
 * kept that was made for its loss.
 */
export async function settleTwoFactor(ctx: Context, before: UserModel): Promise<UserModel> {
  const mine = { userId: before.id };
  const totp = await TotpFactorModel.query(ctx.db).findOne(mine).whereNotNull('confirmedAt');
  if (totp || (await PasskeyModel.query(ctx.db).findOne(mine)))
    return change(ctx, before, { twoFactorEnabledAt: before.twoFactorEnabledAt ?? ctx.now });
  await BackupCodeModel.query(ctx.db).delete().where(mine);
  await endTrust(ctx, before.id);
  return change(ctx, before, { twoFactorEnabledAt: null });
}
