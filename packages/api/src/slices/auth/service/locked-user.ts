import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { findRow } from '../../../data/rows.ts';
import { UserModel } from '../../users/model.ts';

/**
 * The user whose password was compared, read again under a lock: the password may have been reset, or removed, during
 * the comparison. A change that comes later waits for the lock and then ends what was granted.
 */
export async function lockProvenUser(ctx: Context, { id, passwordHash }: UserModel): Promise<UserModel> {
  const user = await findRow(ctx.db, UserModel, { id }, 'for share');
  if (user?.passwordHash !== passwordHash) throw new ApiError('invalid_credentials');
  if (user.status !== 'ACTIVE') throw new ApiError('account_inactive');
  return user;
}
