import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { exampleUser, User } from '../users/schemas.ts';

const ofUser = { data: User, audience: 'person', example: exampleUser } as const;

export const UserInvited = event('user.invited', {
  ...ofUser,
  description: 'An administrator created an account; its owner is mailed a link to set a password.',
});
export const UserSuspended = event('user.suspended', { ...ofUser, description: 'An administrator suspended a user.' });
export const UserDeactivated = event('user.deactivated', {
  ...ofUser,
  description: 'An administrator made an account inactive.',
});
export const UserActivated = event('user.activated', {
  ...ofUser,
  description: 'An administrator made an account active again, or restored a deleted one.',
});
export const UserDeleted = event('user.deleted', {
  ...ofUser,
  description: 'An account was deleted. For 30 days it can be restored; then its personal data are erased.',
});
export const UserErased = event('user.erased', {
  data: z.object({ id: id('usr') }),
  audience: 'person',
  description: 'The personal data of a deleted account were erased.',
  example: { id: exampleId('usr') },
});
