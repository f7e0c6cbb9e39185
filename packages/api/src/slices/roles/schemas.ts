import { z } from 'zod';
import { Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import {
  GRANTABLE_PERMISSIONS,
  ORGANIZATION_PERMISSIONS,
  type OrganizationPermission as Permission,
} from '../../contract/permissions.ts';

export const OrganizationPermission = z
  .enum(Object.keys(ORGANIZATION_PERMISSIONS) as [Permission, ...Permission[]])
  .meta({
    id: 'OrganizationPermission',
    description: 'What may be done in an organization.',
    example: 'api_keys:read',
  });

const GrantablePermission = z.enum(GRANTABLE_PERMISSIONS).meta({
  id: 'GrantablePermission',
  description: 'Every organization permission except those of owners.',
  example: 'api_keys:read',
});

const RoleName = z.string().trim().min(1).max(60).meta({ description: 'A name that people read.', example: 'Support' });
const RoleDescription = z
  .string()
  .trim()
  .max(300)
  .nullish()
  .meta({ description: 'What the role is for.', example: 'Answers customers' });
const Permissions = z
  .array(GrantablePermission)
  .max(GRANTABLE_PERMISSIONS.length)
  .meta({ description: 'Only permissions that you have in this organization.' });

export const Role = z
  .object({
    id: id('rol'),
    name: RoleName,
    description: z.string().nullable().meta({ description: 'What the role is for.', example: 'Answers customers' }),
    system: z
      .boolean()
      .meta({ description: 'OWNER, ADMIN, MEMBER and VIEWER: each member has one, and they cannot be changed.' }),
    parentId: id('rol').nullable().meta({ description: 'The role from which this one inherits permissions.' }),
    permissions: z.array(OrganizationPermission).meta({ description: 'Its own permissions.' }),
    inheritedPermissions: z
      .array(OrganizationPermission)
      .meta({ description: 'The permissions of its ancestors, in addition.' }),
    createdAt: Timestamp.nullable().meta({ description: 'Null for system roles.' }),
    updatedAt: Timestamp.nullable().meta({ description: 'When it last changed; null for system roles.' }),
  })
  .meta({ id: 'Role', description: 'A set of permissions that can be assigned to members.' });
export type Role = z.output<typeof Role>;

export const exampleRole: Role = {
  id: exampleId('rol'),
  name: 'Support',
  description: 'Answers customers',
  system: false,
  parentId: null,
  permissions: ['api_keys:read'],
  inheritedPermissions: [],
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

export const CreateRole = z
  .strictObject({
    name: RoleName,
    description: RoleDescription,
    parentId: id('rol').nullish().meta({ description: 'The role from which this one inherits permissions.' }),
    permissions: Permissions,
  })
  .meta({ id: 'CreateRole', description: 'A new role.' });
export type CreateRole = z.output<typeof CreateRole>;

export const RoleId = z.strictObject({ roleId: id('rol') });

export const UpdateRole = RoleId.extend({
  name: RoleName.optional(),
  description: RoleDescription,
  parentId: id('rol')
    .nullish()
    .meta({ description: 'The role from which this one inherits permissions; null for none.' }),
  permissions: Permissions.optional(),
}).meta({ id: 'UpdateRole', description: 'A missing field stays unchanged; null clears it.' });
export type UpdateRole = z.output<typeof UpdateRole>;

export const ListRoles = pageInput({});
export type ListRoles = z.output<typeof ListRoles>;
export const RolePage = page('RolePage', Role);
export type RolePage = z.output<typeof RolePage>;

export const MAX_ASSIGNED = 50;

export const SetUserRoles = z
  .strictObject({
    userId: id('usr'),
    roleIds: z
      .array(id('rol'))
      .max(MAX_ASSIGNED)
      .meta({ description: 'All custom roles the member has from now on; no system roles.' }),
  })
  .meta({ id: 'SetUserRoles', description: 'The custom roles of a member from now on.' });
export type SetUserRoles = z.output<typeof SetUserRoles>;
