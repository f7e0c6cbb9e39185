import { NoInput } from '../../contract/common-schemas.ts';
import { exampleId } from '../../contract/ids.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  CheckPermissions,
  EffectivePermissions,
  PermissionCatalogue,
  PermissionCheck,
  PermissionMatrix,
} from './schemas.ts';
import { checkPermissions, explainPermissions, listPermissions, permissionMatrix } from './service.ts';

const tags: [Tag] = ['Roles & permissions'];

export const permissions = router({
  list: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/permissions',
      tags,
      summary: 'List all permissions there are',
      description: 'With the roles that hold each, and whether a custom role can.',
    },
    example: {
      output: {
        items: [
          {
            permission: 'api_keys:read',
            level: 'organization',
            kind: 'read',
            grantable: true,
            roles: ['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'],
          },
        ],
        nextCursor: null,
      },
    },
  })
    .input(NoInput)
    .output(PermissionCatalogue)
    .query(({ ctx }) => listPermissions(ctx)),

  matrix: procedure({
    access: 'roles:read',
    openapi: {
      method: 'GET',
      path: '/permissions/matrix',
      tags,
      summary: 'Get the permission matrix',
      description: 'Each role of the organization against each permission, with what it inherits.',
    },
    example: {
      output: {
        permissions: ['org:read', 'api_keys:read'],
        roles: [{ id: exampleId('rol'), name: 'Support', system: false, grants: [null, 'own'] }],
      },
    },
  })
    .input(NoInput)
    .output(PermissionMatrix)
    .query(({ ctx }) => permissionMatrix(ctx)),

  check: procedure({
    access: 'user',
    openapi: {
      method: 'POST',
      path: '/permissions/check',
      tags,
      summary: 'Check permissions',
      description: 'In the current organization.',
    },
    idempotency: false,
    audit: { none: 'it only reads' },
    example: {
      input: { permissions: ['api_keys:read'] },
      output: { allowed: true, results: [{ permission: 'api_keys:read', allowed: true }] },
    },
  })
    .input(CheckPermissions)
    .output(PermissionCheck)
    .mutation(({ ctx, input }) => checkPermissions(ctx, input)),
});

/** Part of `users.me`. */
export const myPermissions = procedure({
  access: 'user',
  openapi: {
    method: 'GET',
    path: '/users/me/permissions',
    tags,
    summary: 'List your permissions and where each comes from',
    description: 'In the current organization, and on the platform.',
  },
  example: {
    output: {
      organizationId: exampleId('org'),
      permissions: [
        {
          permission: 'webhooks:delete',
          via: [{ from: 'custom_role', path: [{ id: exampleId('rol'), name: 'Support' }] }],
        },
      ],
    },
  },
})
  .input(NoInput)
  .output(EffectivePermissions)
  .query(({ ctx }) => explainPermissions(ctx));
