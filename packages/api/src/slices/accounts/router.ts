import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure } from '../../procedure.ts';
import { exampleMember } from '../members/schemas.ts';
import { exampleUser, User } from '../users/schemas.ts';
import { CreateUser, ListUsers, UpdateUser, UserId, UserOrMember, UserPage } from './schemas.ts';
import { deleteMe, deleteUser } from './service/delete.ts';
import { getUser, listUsers } from './service/find.ts';
import { activateUser, deactivateUser, suspendUser } from './service/set-status.ts';
import { createUser, updateUser } from './service/write.ts';

const tags: [Tag] = ['Users'];
const userId = exampleUser.id;

/** `users.*`, without what other slices add. */
export const accounts = {
  list: procedure({
    access: 'org:read',
    openapi: {
      method: 'GET',
      path: '/users',
      tags,
      summary: 'List users',
      description:
        'The members of the current organization. Platform staff with `users:read` who name no organization see every user, as `User`.',
    },
    errors: ['invalid_cursor'],
    example: {
      input: { search: 'ada', sort: 'email', limit: 25 },
      output: { items: [exampleMember], nextCursor: null },
    },
  })
    .input(ListUsers)
    .output(UserPage)
    .query(({ ctx, input }) => listUsers(ctx, input)),

  get: procedure({
    access: 'org:read',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/users/{userId}',
      tags,
      summary: 'Get a user',
      description:
        'Yourself, a member of the current organization, or anyone for platform staff with `users:read` who name no organization.',
    },
    example: { input: { userId }, output: exampleMember },
  })
    .input(UserId)
    .output(UserOrMember)
    .query(({ ctx, input }) => getUser(ctx, input.userId)),

  create: procedure({
    access: 'users:create',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/users',
      tags,
      summary: 'Create a user',
      description: 'Mails its owner a link to set a password, which also verifies the address. It works for 7 days.',
    },
    rest: { status: 201 },
    errors: ['email_taken', 'username_taken'],
    example: { input: { email: exampleUser.email, fullName: 'Ada Lovelace' }, output: exampleUser },
  })
    .input(CreateUser)
    .output(User)
    .mutation(({ ctx, input }) => createUser(ctx, input)),

  update: procedure({
    access: 'self:users:update',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/users/{userId}',
      tags,
      summary: 'Update a user',
      description: 'With `If-Match`, only if the profile has not changed since the `ETag` was read.',
    },
    errors: ['username_taken', 'target_has_more_permissions', 'account_deleted', 'version_mismatch'],
    example: { input: { userId, fullName: 'Ada King' }, output: { ...exampleUser, fullName: 'Ada King' } },
  })
    .input(UpdateUser)
    .output(User)
    .mutation(({ ctx, input }) => updateUser(ctx, input)),

  delete: procedure({
    access: 'self:users:delete',
    fresh: true,
    openapi: {
      method: 'DELETE',
      path: '/users/{userId}',
      tags,
      summary: 'Delete a user',
      description:
        'Sessions, and the keys of the personal organization, end at once, and the user leaves every organization. For 30 days `POST /users/{userId}/activate` restores the account; then its personal data are erased.',
    },
    rest: { status: 204 },
    errors: ['last_owner', 'last_super_admin', 'target_has_more_permissions', 'version_mismatch'],
    example: { input: { userId } },
  })
    .input(UserId)
    .output(NoContent)
    .mutation(({ ctx, input }) => deleteUser(ctx, input.userId)),

  suspend: procedure({
    access: 'users:suspend',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/users/{userId}/suspend',
      tags,
      summary: 'Suspend a user',
      description: 'Ends the sessions, mailed links and keys of the personal organization at once.',
    },
    errors: ['account_deleted', 'last_super_admin', 'target_has_more_permissions', 'version_mismatch'],
    example: { input: { userId }, output: { ...exampleUser, status: 'SUSPENDED' } },
  })
    .input(UserId)
    .output(User)
    .mutation(({ ctx, input }) => suspendUser(ctx, input.userId)),

  activate: procedure({
    access: 'users:suspend',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/users/{userId}/activate',
      tags,
      summary: 'Activate a user',
      description:
        'Makes a suspended or inactive account active, and restores a deleted one with its memberships. Sessions and keys that have ended stay ended.',
    },
    errors: ['account_erased', 'limit_reached', 'target_has_more_permissions', 'version_mismatch'],
    example: { input: { userId }, output: exampleUser },
  })
    .input(UserId)
    .output(User)
    .mutation(({ ctx, input }) => activateUser(ctx, input.userId)),

  deactivate: procedure({
    access: 'users:update',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/users/{userId}/deactivate',
      tags,
      summary: 'Deactivate a user',
      description: 'For an account that is not used any more. What ends is the same as for a suspended one.',
    },
    errors: ['account_deleted', 'last_super_admin', 'target_has_more_permissions', 'version_mismatch'],
    example: { input: { userId }, output: { ...exampleUser, status: 'INACTIVE' } },
  })
    .input(UserId)
    .output(User)
    .mutation(({ ctx, input }) => deactivateUser(ctx, input.userId)),
};

/** Part of `users.me`. */
export const myAccount = {
  delete: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'DELETE',
      path: '/users/me',
      tags,
      summary: 'Delete your account',
      description:
        'Your sessions, and the keys of your personal organization, end at once, and you leave every organization. For 30 days an administrator can restore the account; then your personal data are erased.',
    },
    rest: { status: 204, aliases: [{ path: '/auth/me' }] },
    errors: ['last_owner', 'last_super_admin', 'version_mismatch'],
    example: {},
  })
    .input(NoInput)
    .output(NoContent)
    .mutation(({ ctx }) => deleteMe(ctx)),
};
