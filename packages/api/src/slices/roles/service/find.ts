import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { presentWithEtag } from '../../../contract/etag.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { readRows } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { ancestry } from '../inheritance.ts';
import { RoleAssignmentModel, RoleModel } from '../model.ts';
import type { ListRoles, Role, RolePage } from '../schemas.ts';
import { systemRoles } from '../system-roles.ts';

/** The organization's own, newest first, then those of the system. */
export async function listRoles(ctx: OrganizationContext, input: ListRoles): Promise<RolePage> {
  const list = { name: 'roles', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, await allRoles(ctx));
  return { items: rows.map((role) => role.present(ctx.ids)), nextCursor };
}

/** An organization has at most a hundred custom roles, so a page is cut from all of them in memory. */
export async function allRoles(ctx: OrganizationContext) {
  return [...(await readRows(RoleModel.of(ctx).orderBy('id', 'desc'))), ...systemRoles(ctx)];
}

export async function getRole(ctx: OrganizationContext, roleId: string): Promise<Role> {
  const id = ctx.ids.decode('rol', roleId);
  const system = systemRoles(ctx).find((role) => role.id === id);
  return system ? system.present() : presentWithEtag(ctx, await findRole(ctx, id));
}

export async function findRole(ctx: Tenancy, id: number): Promise<RoleModel> {
  const role = await RoleModel.of(ctx).findOne({ id });
  if (!role) throw new ApiError('not_found');
  return role;
}

/** The custom roles of these members, by user. */
export async function rolesOf(ctx: Tenancy, userIds: readonly number[]): Promise<Map<number, RoleModel[]>> {
  const assigned = await readRows(RoleAssignmentModel.of(ctx).whereIn('userId', [...userIds]));
  const roles = await readRows(RoleModel.of(ctx).whereIn('id', [...new Set(assigned.map(({ roleId }) => roleId))]));
  const byId = new Map(roles.map((role) => [role.id, role]));
  const byUser = Map.groupBy(assigned, ({ userId }) => userId);
  // A role may have been deleted between the two queries: it is then left out.
  return new Map([...byUser].map(([userId, given]) => [userId, given.flatMap(({ roleId }) => byId.get(roleId) ?? [])]));
}

/** Each role assigned to a member, followed by its ancestors. */
export async function assignedLineages(ctx: Tenancy, userId: number): Promise<RoleModel[][]> {
  const assigned = await RoleAssignmentModel.of(ctx).where({ userId });
  const roles = new Map((await RoleModel.of(ctx)).map((role) => [role.id, role]));
  return assigned.map(({ roleId }) => ancestry(roles, roleId));
}
