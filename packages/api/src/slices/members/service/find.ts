import type { Context, OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { readRows, rowsOf } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { rolesOf } from '../../roles/service/find.ts';
import { UserModel } from '../../users/model.ts';
import { MemberModel } from '../model.ts';
import type { ListMembers, Member, MemberPage } from '../schemas.ts';

export async function listMembers(ctx: OrganizationContext, input: ListMembers): Promise<MemberPage> {
  const list = { name: 'members', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(MemberModel.of(ctx)));
  return { items: await presentMembers(ctx, rows), nextCursor };
}

/** A page of members with their names and custom roles: three more queries for any number of members. */
export async function presentMembers(ctx: Context & Tenancy, members: readonly MemberModel[]): Promise<Member[]> {
  const userIds = members.map(({ userId }) => userId);
  const [users, roles] = await Promise.all([
    readRows(UserModel.query(ctx.db).findByIds(userIds)),
    rolesOf(ctx, userIds),
  ]);
  const byId = new Map(users.map((user) => [user.id, user]));
  return members.map((member) => member.present(ctx.ids, byId.get(member.userId)!, roles.get(member.userId) ?? []));
}

export async function presentMember(ctx: Context & Tenancy, member: MemberModel): Promise<Member> {
  return (await presentMembers(ctx, [member]))[0]!;
}

export async function findMember(ctx: OrganizationContext, userId: string): Promise<MemberModel> {
  const member = await MemberModel.of(ctx).findOne({ userId: ctx.ids.decode('usr', userId) });
  if (!member) throw new ApiError('not_found');
  return member;
}

/** A user's memberships in all organizations. */
export function membershipsOf(ctx: Pick<Context, 'db'>, userId: number) {
  return MemberModel.acrossOrganizations(ctx.db).where({ userId });
}

/** Whether the owner of a mailbox is already a member. */
export async function isMailboxOfMember(ctx: Tenancy, emailKey: string): Promise<boolean> {
  const owner = UserModel.query(ctx.db).where({ emailKey }).select('id');
  return (await MemberModel.of(ctx).whereIn('userId', owner).first()) !== undefined;
}
