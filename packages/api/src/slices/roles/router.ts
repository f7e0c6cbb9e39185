import { NoContent } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleMember, Member } from '../members/schemas.ts';
import { CreateRole, exampleRole, ListRoles, Role, RoleId, RolePage, SetUserRoles, UpdateRole } from './schemas.ts';
import { setUserRoles } from './service/assign.ts';
import { getRole, listRoles } from './service/find.ts';
import { createRole, deleteRole, updateRole } from './service/write.ts';

const tags: [Tag] = ['Roles & permissions'];

const roleId = exampleRole.id;

export const roles = router({
  list: procedure({
    access: 'roles:read',
    openapi: {
      method: 'GET',
      path: '/roles',
      tags,
      summary: 'List roles',
      description: "The organization's own, newest first, then OWNER, ADMIN, MEMBER and VIEWER.",
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleRole], nextCursor: null } },
  })
    .input(ListRoles)
    .output(RolePage)
    .query(({ ctx, input }) => listRoles(ctx, input)),

  create: procedure({
    access: 'roles:create',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/roles',
      tags,
      summary: 'Create a role',
      description: 'It has its own permissions and those of its parent. You can grant only permissions that you have.',
    },
    rest: { status: 201 },
    errors: ['not_found', 'permission_not_held', 'role_name_taken', 'role_too_deep', 'system_role', 'limit_reached'],
    example: {
      input: { name: 'Support', description: 'Answers customers', parentId: roleId, permissions: ['api_keys:read'] },
      output: { ...exampleRole, parentId: roleId },
    },
  })
    .input(CreateRole)
    .output(Role)
    .mutation(({ ctx, input }) => createRole(ctx, input)),

  get: procedure({
    access: 'roles:read',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/roles/{roleId}',
      tags,
      summary: 'Get a role',
      description: 'One of the organization, or one of the system.',
    },
    example: { input: { roleId }, output: exampleRole },
  })
    .input(RoleId)
    .output(Role)
    .query(({ ctx, input }) => getRole(ctx, input.roleId)),

  update: procedure({
    access: 'roles:update',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/roles/{roleId}',
      tags,
      summary: 'Update a role',
      description:
        'You must have the permissions that you add. The change takes effect at once for all members who have the role or inherit from it.',
    },
    errors: [
      'permission_not_held',
      'role_name_taken',
      'role_cycle',
      'role_too_deep',
      'system_role',
      'version_mismatch',
    ],
    example: { input: { roleId, permissions: ['api_keys:read'] }, output: exampleRole },
  })
    .input(UpdateRole)
    .output(Role)
    .mutation(({ ctx, input }) => updateRole(ctx, input)),

  delete: procedure({
    access: 'roles:delete',
    openapi: {
      method: 'DELETE',
      path: '/roles/{roleId}',
      tags,
      summary: 'Delete a role',
      description: 'Members who had it lose it at once.',
    },
    rest: { status: 204 },
    errors: ['role_has_children', 'system_role', 'version_mismatch'],
    example: { input: { roleId } },
  })
    .input(RoleId)
    .output(NoContent)
    .mutation(({ ctx, input }) => deleteRole(ctx, input.roleId)),
});

/** Part of `users`. */
export const userRoles = router({
  set: procedure({
    access: 'roles:assign',
    versioned: true,
    openapi: {
      method: 'PUT',
      path: '/users/{userId}/roles',
      tags,
      summary: "Set a member's custom roles",
      description: 'In the current organization, in addition to the organization role.',
    },
    errors: ['permission_not_held', 'target_has_more_permissions', 'system_role', 'version_mismatch'],
    example: { input: { userId: exampleMember.userId, roleIds: [roleId] }, output: exampleMember },
  })
    .input(SetUserRoles)
    .output(Member)
    .mutation(({ ctx, input }) => setUserRoles(ctx, input)),
});
