import type { Context, OrganizationContext, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch } from '../../../contract/etag.ts';
import { nextVersion } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import type { EventType } from '../../../events/event.ts';
import { record } from '../../../events/record.ts';
import type { OrganizationModel } from '../../organizations/model.ts';
import { UserModel } from '../../users/model.ts';
import { lockMe } from '../../users/staff.ts';
import { MemberLeft, MemberRemoved } from '../events.ts';
import { MemberModel } from '../model.ts';
import type { Member } from '../schemas.ts';
import { assertNotOutranked, lockAuthority, lockOrganization } from './authority.ts';
import { findMember, presentMember } from './find.ts';

export async function removeMember(ctx: OrganizationContext, userId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { organization, permissions } = await lockAuthority(ctx, 'members:remove');
    const member = await findMember(ctx, userId);
    ifMatch(ctx, member);
    assertNotOutranked(ctx, permissions, member);
    await endMembership(ctx, organization, member, MemberRemoved);
  });
}

export async function leaveOrganization(ctx: UserContext): Promise<void> {
  const { organization: here } = ctx;
  if (!here) throw new ApiError('not_found');
  await transaction({ ...ctx, organization: here }, async (ctx) => {
    const user = await lockMe(ctx);
    const organization = await lockOrganization(ctx);
    const member = await findMember(ctx, ctx.ids.encode('usr', user.id));
    ifMatch(ctx, member);
    await endMembership(ctx, organization, member, MemberLeft);
  });
}

/** The user's sessions continue elsewhere; keys they made belong to the organization and stay. */
export async function endMembership(
  ctx: OrganizationContext,
  organization: OrganizationModel,
  member: MemberModel,
  type: EventType<typeof Member>,
): Promise<void> {
  await assertNotPersonalOrganization(ctx, organization, member.userId);
  await assertAnotherOwner(ctx, member);
  const data = await presentMember(ctx, member);
  await resetDefaultOrganization(ctx, member.userId);
  await MemberModel.of(ctx).where({ id: member.id }).delete(); // its role assignments are deleted with it
  await record(ctx, type, { target: member, before: member, data });
}

/** The caller holds the lock on the organization, so that of concurrent demotions one finds itself the last. */
export async function assertAnotherOwner(ctx: OrganizationContext, member: MemberModel): Promise<void> {
  if (member.role !== 'OWNER') return;
  const other = await MemberModel.of(ctx).where({ role: 'OWNER' }).whereNot({ id: member.id }).select('id').first();
  if (!other) throw new ApiError('last_owner');
}

/** A user always has an organization: at least they stay the owner of their personal one. */
export async function assertNotPersonalOrganization(
  ctx: Context,
  organization: OrganizationModel,
  userId: number,
): Promise<void> {
  if (!organization.personal) return;
  const user = await UserModel.query(ctx.db).findById(userId).select('personalOrganizationId');
  if (user?.personalOrganizationId === organization.id) throw new ApiError('personal_organization');
}

/** Users with this organization as their default get their personal one instead: one user, or all. */
export async function resetDefaultOrganization(ctx: Context & Tenancy, userId?: number): Promise<void> {
  const here = UserModel.query(ctx.db).where({ defaultOrganizationId: ctx.organization.id });
  await (userId === undefined ? here : here.where({ id: userId })).patch({
    defaultOrganizationId: UserModel.ref('personalOrganizationId') as never, // a column, which Objection's types do not take here
    version: nextVersion(ctx.db),
    updatedAt: ctx.now,
  });
}
