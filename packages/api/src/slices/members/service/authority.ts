import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { memberPermissions, type OrganizationPermission } from '../../../contract/permissions.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { permissionsOfKey } from '../../api-keys/scopes.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { UserModel } from '../../users/model.ts';
import { assertSessionNotRevoked } from '../../users/staff.ts';
import { MemberModel } from '../model.ts';

export interface Authority {
  organization: OrganizationModel;
  /** What the caller may do, read under the lock. */
  permissions: ReadonlySet<OrganizationPermission>;
}

/**
 * Serializes changes to permissions in an organization, by a lock on its row. While the caller waits for it, they may
 * be demoted or removed, or their key or session revoked: all of this is read again under the lock.
 */
export async function lockAuthority(
  ctx: OrganizationContext,
  needed: OrganizationPermission,
  { allowDeletedOrganization = false } = {},
): Promise<Authority> {
  const { actor } = ctx;
  // What ends all access of a user locks their row first, so it waits until what is granted here can be found.
  if (actor.kind === 'user') await UserModel.query(ctx.db).findById(actor.user.id).forKeyShare();
  const organization = await lockOrganization(ctx, { allowDeletedOrganization });
  if (actor.kind === 'user') await assertSessionNotRevoked(ctx, actor.session.id);
  const permissions = await (actor.kind === 'user'
    ? memberPermissionsOf(ctx, actor.user.id)
    : permissionsOfKey(ctx, actor.key.id));
  if (!permissions.has(needed)) throw new ApiError('permission_denied');
  return { organization, permissions };
}

export async function lockOrganization(
  ctx: Tenancy,
  { allowDeletedOrganization = false } = {},
): Promise<OrganizationModel> {
  const organization = await OrganizationModel.query(ctx.db).findById(ctx.organization.id).forUpdate();
  if (!organization || (organization.deletedAt && !allowDeletedOrganization)) throw new ApiError('not_found');
  return organization;
}

/** Empty for a user who is no member. */
export async function memberPermissionsOf(
  ctx: Pick<OrganizationContext, 'ports'> & Tenancy,
  userId: number,
): Promise<ReadonlySet<OrganizationPermission>> {
  const member = await MemberModel.of(ctx).findOne({ userId });
  return member ? memberPermissions(member, ctx.ports.env) : new Set();
}

/** Callers can only grant what they hold: otherwise the right to grant would be every permission. */
export function assertMayGrant(
  permissions: ReadonlySet<OrganizationPermission>,
  granted: Iterable<OrganizationPermission>,
): void {
  for (const permission of granted) {
    if (!permissions.has(permission)) {
      throw new ApiError('permission_not_held', {
        detail: `You do not have \`${permission}\` here: grant only permissions that you have.`,
      });
    }
  }
}

/** Callers cannot change a member with more permissions: an admin manages members, but never owners. */
export function assertNotOutranked(
  ctx: OrganizationContext,
  permissions: ReadonlySet<OrganizationPermission>,
  member: MemberModel,
): void {
  for (const permission of memberPermissions(member, ctx.ports.env)) {
    if (!permissions.has(permission)) throw new ApiError('target_has_more_permissions');
  }
}
