import { z } from 'zod';
import { event } from '../../events/event.ts';
import { exampleUser, User } from '../users/schemas.ts';

const previousEmail = z.string();

export const EmailChangeRequested = event('user.email_change_requested', {
  data: User.pick({ id: true, email: true }).extend({ previousEmail }),
  audience: 'person',
  description: 'A user asked to change their e-mail address to `email`, which is mailed a link.',
  example: { id: exampleUser.id, email: 'ada@new.example', previousEmail: exampleUser.email },
});
export const EmailChanged = event('user.email_changed', {
  data: User.extend({ previousEmail, previousEmailVerified: z.boolean() }),
  audience: 'person',
  description:
    'The e-mail address of an account changed. The previous one, if it was verified, is mailed a link that takes it back.',
  example: {
    ...exampleUser,
    email: 'ada@new.example',
    previousEmail: exampleUser.email,
    previousEmailVerified: true,
  },
});
export const EmailChangeUndone = event('user.email_change_undone', {
  data: User.extend({ previousEmail }),
  audience: 'person',
  description: 'A change of the e-mail address was undone from the old mailbox.',
  example: { ...exampleUser, previousEmail: 'ada@new.example' },
});
