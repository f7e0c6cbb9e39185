import type { Tag } from '../../contract/tags.ts';
import { procedure } from '../../procedure.ts';
import { exampleSecurityEvent, ListActivity, SecurityEventPage } from './schemas.ts';
import { listActivity } from './service.ts';

const tags: [Tag] = ['Users'];

/** Part of `users.me`. */
export const activity = procedure({
  access: 'user',
  openapi: {
    method: 'GET',
    path: '/users/me/activity',
    tags,
    summary: 'List what happened to the safety of your account',
    description:
      'Wrong passwords, new devices, lockouts and changes to how you sign in, newest first. Kept for 90 days.',
  },
  errors: ['invalid_cursor'],
  example: { input: { limit: 25 }, output: { items: [exampleSecurityEvent], nextCursor: null } },
})
  .input(ListActivity)
  .output(SecurityEventPage)
  .query(({ ctx, input }) => listActivity(ctx, input));
