import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { OrganizationRole } from '../../../contract/permissions.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { lockName } from '../../../data/name-locks.ts';
import { OrganizationModel, RESTORE_WINDOW_MS } from '../../organizations/model.ts';
import { UserModel } from '../../users/model.ts';
import { MemberModel } from '../model.ts';

export const MAX_OWNED = 100;

export async function addMember(
  ctx: Context,
  organization: { id: number },
  userId: number,
  role: OrganizationRole,
): Promise<MemberModel> {
  if (role === 'OWNER') await assertMayOwnAnother(ctx, userId);
  const fields = { userId, role, createdAt: ctx.now, updatedAt: ctx.now };
  const member = await MemberModel.add({ db: ctx.db, organization }, fields);
  // The new row waits for a concurrent deletion of the account, which has ended all memberships that it saw.
  const deleted = await UserModel.query(ctx.db).findById(userId).where({ status: 'DELETED' }).select('id');
  if (deleted) throw new ApiError('account_inactive');
  return member;
}

/**
 * Checked on every way to become an owner. Deleted organizations count while they can be restored, because they keep
 * their names. Of two concurrent requests for one user, the second waits and counts the first.
 */
export async function assertMayOwnAnother(ctx: Context, userId: number): Promise<void> {
  await lockName(ctx.db, `owned by ${userId}`);
  const restorableSince = new Date(ctx.now.getTime() - RESTORE_WINDOW_MS);
  const kept = OrganizationModel.query(ctx.db)
    .where((either) => either.whereNull('deletedAt').orWhere('deletedAt', '>', restorableSince))
    .select('id');
  const owned = MemberModel.acrossOrganizations(ctx.db)
    .where({ userId, role: 'OWNER' })
    .whereIn('organizationId', kept);
  const detail = `A user owns at most ${MAX_OWNED} organizations, and one that was deleted counts for 30 days: transfer one first.`;
  assertRoom(await owned.resultSize(), MAX_OWNED, detail);
}
