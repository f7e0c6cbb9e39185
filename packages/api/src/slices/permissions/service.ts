import type { OrganizationContext, UserContext } from '../../context.ts';
import {
  isGrantable,
  isOrganizationPermission,
  ORGANIZATION_PERMISSIONS,
  ORGANIZATION_ROLES,
  type OrganizationPermission,
  type Permission,
  PLATFORM_PERMISSIONS,
  platformPermissions,
  rolePermissions,
} from '../../contract/permissions.ts';
import { allRoles, assignedLineages } from '../roles/service/find.ts';
import type {
  CheckPermissions,
  EffectivePermissions,
  PermissionCatalogue,
  PermissionCheck,
  PermissionMatrix,
  PermissionPath,
} from './schemas.ts';

const organizationPermissions = Object.keys(ORGANIZATION_PERMISSIONS) as OrganizationPermission[];

export function listPermissions(ctx: UserContext): PermissionCatalogue {
  const ofOrganizations = organizationPermissions.map((permission) => ({
    permission,
    level: 'organization' as const,
    kind: ORGANIZATION_PERMISSIONS[permission],
    grantable: isGrantable(permission),
    roles: ORGANIZATION_ROLES.filter((role) => rolePermissions(role, ctx.ports.env).has(permission)),
  }));
  const ofPlatform = PLATFORM_PERMISSIONS.map((permission) => ({
    permission,
    level: 'platform' as const,
    kind: null,
    grantable: false,
    roles: [],
  }));
  return { items: [...ofOrganizations, ...ofPlatform], nextCursor: null };
}

export async function permissionMatrix(ctx: OrganizationContext): Promise<PermissionMatrix> {
  const roles = (await allRoles(ctx)).map((role) => role.present(ctx.ids));
  return {
    permissions: organizationPermissions,
    roles: roles.map(({ id, name, system, permissions, inheritedPermissions }) => ({
      id,
      name,
      system,
      grants: organizationPermissions.map((permission) =>
        permissions.includes(permission) ? 'own' : inheritedPermissions.includes(permission) ? 'inherited' : null,
      ),
    })),
  };
}

/** What the caller may do in the current organization and on the platform. */
export function checkPermissions(ctx: UserContext, { permissions }: CheckPermissions): PermissionCheck {
  const onPlatform = platformPermissions(ctx.actor.user, ctx.ports.env);
  const results = permissions.map((permission) => ({
    permission,
    allowed: isOrganizationPermission(permission)
      ? Boolean(ctx.organization?.permissions.has(permission))
      : onPlatform.has(permission),
  }));
  return { allowed: results.every(({ allowed }) => allowed), results };
}

/** Every permission of the caller, with each role that grants it. */
export async function explainPermissions(ctx: UserContext): Promise<EffectivePermissions> {
  const { user, membership } = ctx.actor;
  const via = new Map<Permission, PermissionPath[]>();
  const add = (permission: Permission, path: PermissionPath) =>
    via.set(permission, [...(via.get(permission) ?? []), path]);
  if (membership && !membership.needsTwoFactor) {
    for (const permission of rolePermissions(membership.role, ctx.ports.env))
      add(permission, { from: 'organization_role', role: membership.role });
    const here = { db: ctx.db, organization: { id: membership.organizationId } };
    for (const line of await assignedLineages(here, user.id)) {
      line.forEach((role, at) => {
        const path = line.slice(0, at + 1).map(({ id, name }) => ({ id: ctx.ids.encode('rol', id), name }));
        for (const permission of role.permissions) add(permission, { from: 'custom_role', path });
      });
    }
  }
  for (const permission of platformPermissions(user, ctx.ports.env))
    add(permission, { from: 'platform_role', role: user.role });
  return {
    organizationId: membership && ctx.ids.encode('org', membership.organizationId),
    permissions: [...via].map(([permission, via]) => ({ permission, via })),
  };
}
