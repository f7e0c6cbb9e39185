import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { change, nextVersion } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { MemberModel } from '../../members/model.ts';
import { assertMayGrant, lockAuthority } from '../../members/service/authority.ts';
import { RoleCreated, RoleDeleted, RoleUpdated } from '../events.ts';
import { RoleModel } from '../model.ts';
import type { CreateRole, Role, UpdateRole } from '../schemas.ts';
import { decodeCustomRoleId } from '../system-roles.ts';
import { findRole } from './find.ts';
import { holdersOf, refreshMembers, refreshRoles } from './refresh.ts';

export const MAX_ROLES = 100;
const COUNT_ROLES = { text: 'select count(*)::integer from roles where organization_id = $1' };

export async function createRole(ctx: OrganizationContext, input: CreateRole): Promise<Role> {
  return transaction(ctx, async (ctx) => {
    const { permissions, count } = await lockAuthority(ctx, 'roles:create', { counting: COUNT_ROLES });
    assertRoom(count, MAX_ROLES, `An organization has at most ${MAX_ROLES} roles of its own.`);
    const role = await RoleModel.add(ctx, {
      name: input.name,
      nameKey: input.name.toLowerCase(),
      description: input.description ?? null,
      parentId: await decodeParent(ctx, input.parentId),
      permissions: sortedUnique(input.permissions),
      effectivePermissions: [],
      createdAt: ctx.now,
      updatedAt: ctx.now,
    });
    await refreshRoles(ctx, role.id);
    const after = await findRole(ctx, role.id);
    assertMayGrant(permissions, after.effectivePermissions);
    await record(ctx, RoleCreated, { target: after, after, data: after.present(ctx.ids) });
    return presentWithEtag(ctx, after);
  });
}

/** The caller must hold what is added, by the role itself or by a new parent; removing needs nothing more. */
export async function updateRole(ctx: OrganizationContext, input: UpdateRole): Promise<Role> {
  const id = decodeCustomRoleId(ctx, input.roleId);
  return transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'roles:update');
    const before = await findRole(ctx, id);
    ifMatch(ctx, before);
    const changed = await change(ctx, before, {
      name: input.name,
      nameKey: input.name?.toLowerCase(),
      description: input.description,
      parentId: input.parentId === undefined ? undefined : await decodeParent(ctx, input.parentId),
      permissions: input.permissions && sortedUnique(input.permissions),
    });
    if (changed === before) return presentWithEtag(ctx, before);
    await refreshRoles(ctx, id);
    const after = await findRole(ctx, id);
    const had = new Set(before.effectivePermissions);
    assertMayGrant(
      permissions,
      after.effectivePermissions.filter((permission) => !had.has(permission)),
    );
    await record(ctx, RoleUpdated, { target: after, before, after, data: after.present(ctx.ids) });
    return presentWithEtag(ctx, after);
  });
}

export async function deleteRole(ctx: OrganizationContext, roleId: string): Promise<void> {
  const id = decodeCustomRoleId(ctx, roleId);
  await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'roles:delete');
    const role = await findRole(ctx, id);
    ifMatch(ctx, role);
    if (await RoleModel.of(ctx).findOne({ parentId: id })) throw new ApiError('role_has_children');
    const holders = await holdersOf(ctx, [id]);
    await RoleModel.of(ctx).where({ id }).delete(); // its assignments are deleted with it
    await refreshMembers(ctx, holders);
    await MemberModel.of(ctx)
      .whereIn('userId', holders)
      .patch({ version: nextVersion(ctx.db), updatedAt: ctx.now }); // each member is shown with one role less
    await record(ctx, RoleDeleted, { target: role, before: role, data: role.present(ctx.ids) });
  });
}

const sortedUnique = <T>(permissions: readonly T[]): T[] => [...new Set(permissions)].sort();

async function decodeParent(ctx: OrganizationContext, parentId: string | null | undefined): Promise<number | null> {
  return parentId ? (await findRole(ctx, decodeCustomRoleId(ctx, parentId))).id : null;
}
