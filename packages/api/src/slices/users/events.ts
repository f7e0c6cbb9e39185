import { event } from '../../events/event.ts';
import { exampleUser, User } from './schemas.ts';

export const UserUpdated = event('user.updated', {
  data: User,
  audience: 'person',
  description: 'A user changed their profile.',
  example: exampleUser,
});
