import { emailKey } from '@rentapi/platform/mail-address';
import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { presentWithEtag } from '../../../contract/etag.ts';
import { lockMailbox } from '../../../data/name-locks.ts';
import { transaction } from '../../../data/transaction.ts';
import { createAccount } from '../../auth/service/register.ts';
import { UserModel } from '../../users/model.ts';
import type { User } from '../../users/schemas.ts';
import { changeProfile, isUsernameFree } from '../../users/service.ts';
import { assertStaff, lockUser } from '../../users/staff.ts';
import { UserInvited } from '../events.ts';
import type { CreateUser, UpdateUser } from '../schemas.ts';

/** Without a password: its owner sets one with the mailed link, which verifies the address too. */
export async function createUser(ctx: UserContext, input: CreateUser): Promise<User> {
  return transaction(ctx, async (ctx) => {
    await lockMailbox(ctx.db, input.email);
    await assertStaff(ctx, 'users:create');
    const owner = await UserModel.query(ctx.db)
      .findOne({ emailKey: emailKey(input.email) })
      .select('id');
    if (owner) throw new ApiError('email_taken');
    if (input.username && !(await isUsernameFree(ctx, input.username))) throw new ApiError('username_taken');
    return presentWithEtag(ctx, await createAccount(ctx, { ...input, passwordHash: null }, UserInvited));
  });
}

export async function updateUser(ctx: UserContext, { userId, ...profile }: UpdateUser): Promise<User> {
  return transaction(ctx, async (ctx) => {
    const before = await lockUser(ctx, userId, 'users:update');
    if (before.status === 'DELETED') throw new ApiError('account_deleted');
    return changeProfile(ctx, before, profile);
  });
}
