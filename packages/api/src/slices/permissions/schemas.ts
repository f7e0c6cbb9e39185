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

export const Permission = z.enum([...PLATFORM_PERMISSIONS, ...organizationPermissions]).meta({
  id: 'Permission',
  description: 'What may be done: in an organization, or on the whole platform.',
  example: 'api_keys:read',
});

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
  .meta({ id: 'PermissionEntry', description: 'A permission, and who holds it.' });

export const PermissionCatalogue = z
  .object({
    items: z.array(CatalogueEntry).meta({ description: 'Every permission.' }),
    nextCursor: z.null().meta({ description: 'All are on one page.' }),
  })
  .meta({ id: 'PermissionCatalogue', description: 'Every permission there is.' });
export type PermissionCatalogue = z.output<typeof PermissionCatalogue>;

export const PermissionMatrix = z
  .object({
    permissions: z.array(OrganizationPermission).meta({ description: 'The columns.' }),
    roles: z
      .array(
        z.object({
          id: id('rol'),
          name: z.string().meta({ description: 'The name of the role.', example: 'Support' }),
          system: z.boolean().meta({ description: 'OWNER, ADMIN, MEMBER or VIEWER, which do not change.' }),
          grants: z
            .array(z.enum(['own', 'inherited']).nullable())
            .meta({ description: 'One for each column: how the role has the permission, or null.' }),
        }),
      )
      .meta({ description: 'The rows.' }),
  })
  .meta({ id: 'PermissionMatrix', description: 'Which role of the organization holds which permission.' });
export type PermissionMatrix = z.output<typeof PermissionMatrix>;

export const CheckPermissions = z
  .strictObject({ permissions: z.array(Permission).min(1).max(100).meta({ description: 'Which to check.' }) })
  .meta({ id: 'CheckPermissions', description: 'Permissions to check.' });
export type CheckPermissions = z.output<typeof CheckPermissions>;

export const PermissionCheck = z
  .object({
    allowed: z.boolean().meta({ description: 'Whether the caller has all of them.' }),
    results: z
      .array(
        z.object({
          permission: Permission,
          allowed: z.boolean().meta({ description: 'Whether the caller holds it.' }),
        }),
      )
      .meta({ description: 'One for each, in the order of the question.' }),
  })
  .meta({ id: 'PermissionCheck', description: 'Which permissions the caller holds.' });
export type PermissionCheck = z.output<typeof PermissionCheck>;

const PermissionPath = z
  .discriminatedUnion('from', [
    z.object({
      from: z.literal('platform_role').meta({ description: 'The role on the platform.' }),
      role: z.enum(PLATFORM_ROLES).meta({ description: 'Which role.' }),
    }),
    z.object({
      from: z.literal('organization_role').meta({ description: 'The role in the organization.' }),
      role: OrganizationRole,
    }),
    z.object({
      from: z.literal('custom_role').meta({ description: 'A custom role, or one that it inherits from.' }),
      path: z
        .array(
          z.object({
            id: id('rol'),
            name: z.string().meta({ description: 'The name of the role.', example: 'Support' }),
          }),
        )
        .meta({ description: 'From the assigned role to the ancestor that contains the permission itself.' }),
    }),
  ])
  .meta({ id: 'PermissionPath', description: 'How a caller came by a permission.' });
export type PermissionPath = z.output<typeof PermissionPath>;

export const EffectivePermissions = z
  .object({
    organizationId: id('org').nullable().meta({ description: 'The organization they hold in; null for none.' }),
    permissions: z
      .array(
        z.object({
          permission: Permission,
          via: z.array(PermissionPath).meta({ description: 'Every way by which the caller has it.' }),
        }),
      )
      .meta({ description: 'Every permission of the caller.' }),
  })
  .meta({ id: 'EffectivePermissions', description: 'What the caller may do, and why.' });
export type EffectivePermissions = z.output<typeof EffectivePermissions>;
