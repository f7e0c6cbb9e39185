import { type OrganizationContext, type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { record } from '../../../events/record.ts';
import { MemberAdded } from '../../members/events.ts';
import { MemberModel } from '../../members/model.ts';
import { addMember } from '../../members/service/add.ts';
import { presentMember } from '../../members/service/find.ts';
import { OrganizationRestored } from '../../organizations/events.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { markDeleted } from '../../organizations/service/delete.ts';
import { isLive } from '../../organizations/service/find.ts';
import { RoleAssignmentModel, RoleModel } from '../../roles/model.ts';
import { refreshMembers } from '../../roles/service/refresh.ts';
import { UserModel } from '../../users/model.ts';
import { FormerMembership, UserDeletionModel } from '../model.ts';

/** Gives back what deleting took: the personal organization, and memberships in organizations that still exist. */
export async function restore(ctx: UserContext, user: UserModel): Promise<void> {
  const deletion = await UserDeletionModel.query(ctx.db).findOne({ userId: user.id });
  if (!deletion || deletion.eraseAt <= ctx.now) throw new ApiError('account_erased');
  await UserDeletionModel.query(ctx.db).findById(deletion.id).delete();
  const home = await OrganizationModel.query(ctx.db).findById(user.personalOrganizationId).forUpdate();
  if (home?.deletedAt) await markDeleted(within(ctx, home.id), home, null, OrganizationRestored);
  // Not yet ACTIVE, but no longer deleted: a membership of a deleted account is refused.
  await UserModel.query(ctx.db).findById(user.id).patch({ status: 'INACTIVE' });
  for (const membership of FormerMembership.array().parse(deletion.memberships))
    await rejoin(within(ctx, membership.organizationId), user.id, membership);
}

async function rejoin(ctx: OrganizationContext, userId: number, { role, roleIds }: FormerMembership): Promise<void> {
  if (!(await isLive(ctx, ctx.organization.id))) return;
  if (await MemberModel.of(ctx).findOne({ userId })) return;
  const added = await addMember(ctx, ctx.organization, userId, role);
  const roles = await RoleModel.of(ctx).whereIn('id', roleIds);
  for (const { id } of roles) await RoleAssignmentModel.add(ctx, { userId, roleId: id, createdAt: ctx.now });
  await refreshMembers(ctx, [userId]);
  const member = await MemberModel.of(ctx).findOne({ id: added.id }).throwIfNotFound();
  await record(ctx, MemberAdded, { target: member, after: member, data: await presentMember(ctx, member) });
}
