import type { OrganizationContext } from '../../../context.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { forgetAfterCommit } from '../../../pipeline/actor-cache.ts';
import { effectivePermissions } from '../inheritance.ts';
import { RoleAssignmentModel, RoleModel } from '../model.ts';

/**
 * Stores what roles and members may do after a change, in its transaction and under the organization's lock. So a
 * request reads its permissions from one row, for any number and depth of roles. A role that changes because of an
 * ancestor gets a new version; the role that was `written` has counted its change already.
 */
export async function refreshRoles(ctx: OrganizationContext, written: number): Promise<void> {
  const roles = await RoleModel.of(ctx);
  const effective = effectivePermissions(roles);
  const changed = roles.filter(
    ({ id, effectivePermissions }) => String(effectivePermissions) !== String(effective.get(id)),
  );
  for (const { id, version } of changed)
    await RoleModel.of(ctx)
      .where({ id })
      .patch({
        effectivePermissions: effective.get(id)!,
        ...(id !== written && { version: version + 1, updatedAt: ctx.now }),
      });
  await refreshMembers(
    ctx,
    await holdersOf(
      ctx,
      changed.map(({ id }) => id),
    ),
  );
}

export async function holdersOf(ctx: Tenancy, roleIds: number[]): Promise<number[]> {
  const assigned = await RoleAssignmentModel.of(ctx).whereIn('roleId', roleIds).distinct('userId');
  return assigned.map(({ userId }) => userId);
}

export async function refreshMembers(ctx: OrganizationContext, userIds: number[]): Promise<void> {
  if (userIds.length === 0) return;
  forgetAfterCommit(
    ctx,
    userIds.map((userId) => `user:${userId}` as const),
  );
  await ctx.db.raw(
    `update organization_members m set custom_permissions = coalesce((
       select array_agg(distinct permission order by permission)
       from role_assignments a
       join roles r on r.organization_id = a.organization_id and r.id = a.role_id
       cross join unnest(r.effective_permissions) permission
       where a.organization_id = m.organization_id and a.user_id = m.user_id
     ), '{}')
     where m.organization_id = ? and m.user_id = any(?)`,
    [ctx.organization.id, userIds],
  );
}
