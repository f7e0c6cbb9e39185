import { z } from 'zod';
import { id } from '../../contract/ids.ts';
import {
  type Permission as AnyPermission,
  ORGANIZATION_PERMISSIONS,
  PLATFORM_PERMISSIONS,
  PLATFORM_ROLES,
} from '../../contract/permissions.ts';
import { OrganizationRole } from '../organizations/schemas.ts';
import { OrganizationPermission } from '../roles/schemas.ts';

const organizationPermissions = Object.keys(ORGANIZATION_PERMISSIONS) as AnyPermission[];

export const Permission = z
  .enum([...PLATFORM_PERMISSIONS, ...organizationPermissions])
  .meta({ id: 'Permission', example: 'api_keys:read' });

const CatalogueEntry = z
  .object({
    permission: Permission,
    level: z.enum(['organization', 'platform']).meta({
      description: 'Platform permissions come from the platform role only, never from an organization role or a key.',
    }),
    kind: z
      .enum(['read', 'write', 'fresh'])
      .nullable()
      .meta({ description: '`fresh` also requires a recent login. Null for platform permissions.' }),
    grantable: z.boolean().meta({ description: 'Whether a custom role can contain it.' }),
    roles: z.array(OrganizationRole).meta({ description: 'The organization roles that contain it.' }),
  })
  .meta({ id: 'PermissionEntry' });

export const PermissionCatalogue = z
  .object({ items: z.array(CatalogueEntry), nextCursor: z.null().meta({ description: 'All are on one page.' }) })
  .meta({ id: 'PermissionCatalogue' });
export type PermissionCatalogue = z.output<typeof PermissionCatalogue>;

export const PermissionMatrix = z
  .object({
    permissions: z.array(OrganizationPermission).meta({ description: 'The columns.' }),
    roles: z
      .array(
        z.object({
          id: id('rol'),
          name: z.string(),
          system: z.boolean(),
          grants: z
            .array(z.enum(['own', 'inherited']).nullable())
            .meta({ description: 'One for each column: how the role has the permission, or null.' }),
        }),
      )
      .meta({ description: 'The rows.' }),
  })
  .meta({ id: 'PermissionMatrix' });
export type PermissionMatrix = z.output<typeof PermissionMatrix>;

export const CheckPermissions = z
  .strictObject({ permissions: z.array(Permission).min(1).max(100) })
  .meta({ id: 'CheckPermissions' });
export type CheckPermissions = z.output<typeof CheckPermissions>;

export const PermissionCheck = z
  .object({
    allowed: z.boolean().meta({ description: 'Whether the caller has all of them.' }),
    results: z.array(z.object({ permission: Permission, allowed: z.boolean() })),
  })
  .meta({ id: 'PermissionCheck' });
export type PermissionCheck = z.output<typeof PermissionCheck>;

const PermissionPath = z
  .discriminatedUnion('from', [
    z.object({ from: z.literal('platform_role'), role: z.enum(PLATFORM_ROLES) }),
    z.object({ from: z.literal('organization_role'), role: OrganizationRole }),
    z.object({
      from: z.literal('custom_role'),
      path: z
        .array(z.object({ id: id('rol'), name: z.string() }))
        .meta({ description: 'From the assigned role to the ancestor that contains the permission itself.' }),
    }),
  ])
  .meta({ id: 'PermissionPath', description: 'How a user got a permission.' });
export type PermissionPath = z.output<typeof PermissionPath>;

export const EffectivePermissions = z
  .object({
    organizationId: id('org').nullable(),
    permissions: z.array(z.object({ permission: Permission, via: z.array(PermissionPath) })),
  })
  .meta({ id: 'EffectivePermissions' });
export type EffectivePermissions = z.output<typeof EffectivePermissions>;
