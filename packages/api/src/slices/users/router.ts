import { NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure } from '../../procedure.ts';
import { exampleUser, UpdateMe, User } from './schemas.ts';
import { getMe, updateMe } from './service.ts';

const tags: [Tag] = ['Users'];

/** `users.me.*`, without what other slices add. */
export const me = {
  get: procedure({
    access: 'userOrKey',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/users/me',
      tags,
      summary: 'Get the current user',
      description: 'With an API key: the user who created the key, while a member of its organization.',
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
      description: 'With `If-Match`, only if the profile has not changed since the `ETag` was read.',
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
};
