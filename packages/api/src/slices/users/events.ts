import { event } from '../../events/event.ts';
import { User } from './schemas.ts';

export const UserUpdated = event('user.updated', { data: User, audience: 'person' });
