import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import type { Login, SignInAnswer } from '../schemas.ts';
import { completeSignIn } from './complete-sign-in.ts';
import { lockProvenUser } from './locked-user.ts';

/**
 * An unknown address and a wrong password get one answer at one cost. Other reasons are shown only after the right
 * password.
 */
export async function login(ctx: Context, input: Login): Promise<SignInAnswer> {
  const found = await UserModel.query(ctx.db).findOne({ emailKey: emailKey(input.email) });
  const right = await ctx.ports.passwords.matches(input.password, found?.passwordHash ?? null);
  if (!found || !right) {
    await recordSecurityEvent(ctx, 'login_failed', { userId: found?.id ?? null, details: { method: 'password' } });
    throw new ApiError('invalid_credentials');
  }
  return completeSignIn(ctx, input, (ctx) => lockProvenUser(ctx, found));
}
