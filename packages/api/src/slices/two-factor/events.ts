import { z } from 'zod';
import { exampleId, id } from '../../contract/ids.ts';
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
export const TwoFactorResetRequested = event('user.two_factor_reset_requested', {
  data: User.extend({ reason: z.string(), effectiveAt: z.string() }),
  audience: 'person',
  description:
    'An administrator asked to remove the second factor, which happens a day later unless the owner objects.',
  example: { ...exampleUser, reason: 'Lost the phone; seen in person.', effectiveAt: '2026-02-01T12:00:00.000Z' },
});
export const TwoFactorResetStopped = event('user.two_factor_reset_stopped', {
  ...ofUser,
  description: 'The owner objected to the removal of the second factor.',
});
export const TwoFactorReset = event('user.two_factor_reset', {
  ...ofUser,
  description: 'The second factor was removed on the request of an administrator.',
});
export const BackupCodesRegenerated = event('user.backup_codes_regenerated', {
  ...ofUser,
  description: 'New backup codes replaced the old ones.',
});

const ofPasskey = {
  data: User.extend({ passkey: z.object({ id: id('psk'), name: z.string() }) }),
  audience: 'person',
  example: { ...exampleUser, passkey: { id: exampleId('psk'), name: 'Phone' } },
} as const;

export const PasskeyAdded = event('user.passkey_added', { ...ofPasskey, description: 'A passkey was added.' });
export const PasskeyRenamed = event('user.passkey_renamed', {
  ...ofPasskey,
  description: 'A passkey got another name.',
});
export const PasskeyRemoved = event('user.passkey_removed', { ...ofPasskey, description: 'A passkey was removed.' });
