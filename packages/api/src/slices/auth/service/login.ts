import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { findRowEvenly } from '../../../data/rows.ts';
import { UserModel } from '../../users/model.ts';
import type { Login, SignInAnswer } from '../schemas.ts';
import { completeSignIn } from './complete-sign-in.ts';
import { lockProvenUser } from './locked-user.ts';
import { findByPassword } from './lockout.ts';

/**
 * An unknown address and a wrong password get one answer at one cost. Other reasons are shown only after the right
 * password.
 */
export async function login(ctx: Context, input: Login): Promise<SignInAnswer> {
  const { email, password } = input;
  const find = () => findRowEvenly(ctx.db, UserModel, { emailKey: emailKey(email) });
  const user = await findByPassword(ctx, { email, find, password });
  if (!user) throw new ApiError('invalid_credentials');
  return completeSignIn(ctx, input, (ctx) => lockProvenUser(ctx, user));
}
