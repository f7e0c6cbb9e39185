import { NoInput } from '../../contract/common-schemas.ts';
import { exampleId } from '../../contract/ids.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { myPermissions } from '../permissions/router.ts';
import { userRoles } from '../roles/router.ts';
import { UpdateMe, User } from './schemas.ts';
import { getMe, updateMe } from './service.ts';

const tags: [Tag] = ['Users'];

export const exampleUser: User = {
  id: exampleId('usr'),
  email: 'ada@example.com',
  username: 'ada',
  fullName: 'Ada Lovelace',
  status: 'ACTIVE',
  role: 'USER',
  emailVerifiedAt: '2026-01-31T12:05:00.000Z',
  defaultOrganizationId: exampleId('org'),
  metadata: {},
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:05:00.000Z',
};

export const users = router({
  me: router({
    get: procedure({
      access: 'userOrKey',
      versioned: true,
      openapi: {
        method: 'GET',
        path: '/users/me',
        tags,
        summary: 'Get the current user',
        description: 'With an API key: the person who made the key, while a member of its organization.',
      },
      rest: { aliases: [{ path: '/auth/me' }] },
      errors: ['key_without_user'],
      example: { output: exampleUser },
    })
      .input(NoInput)
      .output(User)
      .query(({ ctx }) => getMe(ctx)),

    update: procedure({
      access: 'user',
      versioned: true,
      openapi: {
        method: 'PATCH',
        path: '/users/me',
        tags,
        summary: 'Update the current user',
        description: 'With `If-Match`, only if nobody changed the profile since the `ETag` was read.',
      },
      rest: { aliases: [{ path: '/auth/me' }] },
      errors: ['username_taken', 'not_found', 'version_mismatch'],
      example: {
        input: { fullName: 'Ada King', defaultOrganizationId: exampleUser.defaultOrganizationId },
        output: { ...exampleUser, fullName: 'Ada King' },
      },
    })
      .input(UpdateMe)
      .output(User)
      .mutation(({ ctx, input }) => updateMe(ctx, input)),

    permissions: myPermissions,
  }),

  roles: userRoles,
});
