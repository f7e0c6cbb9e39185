import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { revokeKeysOfCreator } from '../../api-keys/service.ts';
import { settleTwoFactor } from '../../two-factor/service/settle.ts';
import type { UserModel } from '../../users/model.ts';

/** By their names: both belong to slices above this one. */
const OPENING_TABLES = ['passkeys', 'user_identities'] as const;

/** Refuses to take the last way in. Call it after what is taken is gone, under the lock of the user. */
export async function assertWayIn(ctx: Context, user: UserModel): Promise<void> {
  if (user.passwordHash !== null) return;
  for (const table of OPENING_TABLES) if (await ctx.db(table).where({ userId: user.id }).first('id')) return;
  throw new ApiError('last_way_in');
}

/**
 * Takes away what was made since then and opens the account besides its password, under the lock of the user: a
 * stranger may have made it, and an app of theirs would keep the owner out.
 */
export async function endWaysIn(ctx: Context, user: UserModel, since = new Date(0)): Promise<UserModel> {
  for (const table of [...OPENING_TABLES, 'totp_factors', 'backup_codes'])
    await ctx.db(table).where({ userId: user.id }).where('createdAt', '>=', since).delete();
  await revokeKeysOfCreator(ctx, user.id, since);
  return settleTwoFactor(ctx, user);
}
