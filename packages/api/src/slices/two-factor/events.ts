import { event } from '../../events/event.ts';
import { exampleUser, User } from '../users/schemas.ts';

const ofUser = { data: User, audience: 'person', example: exampleUser } as const;

export const TwoFactorEnabled = event('user.two_factor_enabled', {
  ...ofUser,
  description: 'An authenticator app was set up as second factor.',
});
export const TwoFactorDisabled = event('user.two_factor_disabled', {
  ...ofUser,
  description: 'The authenticator app was removed.',
});
export const BackupCodesRegenerated = event('user.backup_codes_regenerated', {
  ...ofUser,
  description: 'New backup codes replaced the old ones.',
});
