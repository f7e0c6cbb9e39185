import { type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { MemberLeft, MemberRemoved } from '../../members/events.ts';
import { MemberModel } from '../../members/model.ts';
import { endMembership, resetDefaultOrganization } from '../../members/service/end.ts';
import { membershipsOf } from '../../members/service/find.ts';
import { OrganizationDeleted } from '../../organizations/events.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { markDeleted } from '../../organizations/service/delete.ts';
import { RoleAssignmentModel } from '../../roles/model.ts';
import { UserModel } from '../../users/model.ts';
import { lockUser } from '../../users/staff.ts';
import { UserDeleted } from '../events.ts';
import { type FormerMembership, RESTORE_ACCOUNT_MS, UserDeletionModel } from '../model.ts';
import { assertAnotherSuperAdmin, stopAccount } from './set-status.ts';

export function deleteMe(ctx: UserContext): Promise<void> {
  return deleteUser(ctx, ctx.ids.encode('usr', ctx.actor.user.id));
}

/**
 * The account stops at once, leaves its organizations, and is erased after 30 days. Organizations are left now, so that
 * nothing else has to ask whether a member, or the last owner, still exists. Repeating it changes nothing.
 */
export async function deleteUser(ctx: UserContext, userId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const locked = await lockUser(ctx, userId, 'users:delete');
    if (locked.status === 'DELETED') return;
    await assertAnotherSuperAdmin(ctx, locked);
    const memberships = await leaveOrganizations(ctx, locked);
    await deletePersonalOrganization(ctx, locked.personalOrganizationId);
    const before = await UserModel.query(ctx.db).findById(locked.id).throwIfNotFound();
    const after = await change(ctx, before, { status: 'DELETED' });
    await stopAccount(ctx, after);
    const eraseAt = new Date(ctx.now.getTime() + RESTORE_ACCOUNT_MS);
    await UserDeletionModel.query(ctx.db).insert({ userId: after.id, memberships, deletedAt: ctx.now, eraseAt });
    await record(ctx, UserDeleted, { target: after, before, after, data: after.present(ctx.ids) });
  });
}

/** All of them, in order of their ids. Refused if one would be left without an owner. */
async function leaveOrganizations(ctx: UserContext, user: UserModel): Promise<FormerMembership[]> {
  const left: FormerMembership[] = [];
  const ownerless: string[] = [];
  for (const { organizationId } of await membershipsOf(ctx, user.id).orderBy('organizationId')) {
    if (organizationId === user.personalOrganizationId) continue;
    const there = within(ctx, organizationId);
    const organization = await OrganizationModel.query(ctx.db).findById(organizationId).forUpdate().throwIfNotFound();
    const member = await MemberModel.of(there).findOne({ userId: user.id }); // again, under the lock
    if (!member) continue;
    const assigned = await RoleAssignmentModel.of(there).where({ userId: user.id });
    try {
      const type = user.id === ctx.actor.user.id ? MemberLeft : MemberRemoved;
      await endMembership(there, organization, member, type);
      left.push({ organizationId, role: member.role, roleIds: assigned.map(({ roleId }) => roleId) });
    } catch (error) {
      if (!(error instanceof ApiError && error.errorCode === 'last_owner')) throw error;
      // A deleted organization waits with its only owner, who can restore it once their account is restored.
      if (!organization.deletedAt) ownerless.push(ctx.ids.encode('org', organizationId));
    }
  }
  if (ownerless.length > 0)
    throw new ApiError('last_owner', {
      detail: `Transfer or delete these organizations first, or make another member OWNER: ${ownerless.slice(0, 10).join(', ')}.`,
    });
  return left;
}

async function deletePersonalOrganization(ctx: UserContext, organizationId: number): Promise<void> {
  const there = within(ctx, organizationId);
  const home = await OrganizationModel.query(ctx.db).findById(organizationId).forUpdate().throwIfNotFound();
  await resetDefaultOrganization(there);
  if (!home.deletedAt) await markDeleted(there, home, ctx.now, OrganizationDeleted);
}
