import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { UserModel } from '../../users/model.ts';

/** By their names: both belong to slices above this one. */
const OPENING_TABLES = ['passkeys', 'user_identities'] as const;

/** Refuses to take the last way in. Call it after what is taken is gone, under the lock of the user. */
export async function assertWayIn(ctx: Context, user: UserModel): Promise<void> {
  if (user.passwordHash !== null) return;
  for (const table of OPENING_TABLES) if (await ctx.db(table).where({ userId: user.id }).first('id')) return;
  throw new ApiError('last_way_in');
}
