import { z } from 'zod';
import { event } from '../../events/event.ts';
import { exampleUser, User } from '../users/schemas.ts';

const Session = z.object({ sessionId: z.string(), ip: z.string(), userAgent: z.string().nullable() });

const ofUser = { data: User, audience: 'person', example: exampleUser } as const;
const ofSession = {
  data: Session,
  audience: 'person',
  example: { sessionId: '6b0d3b5e-0c55-4d0c-8a6f-3f1d2c4b5a69', ip: '203.0.113.9', userAgent: 'curl/8.5.0' },
} as const;

export const UserRegistered = event('user.registered', { ...ofUser, description: 'An account was created.' });
export const RegistrationRepeated = event('user.registration_repeated', {
  data: User.extend({ requested: z.object({ username: z.string().nullable(), fullName: z.string().nullable() }) }),
  audience: 'person',
  description: 'An address was registered that has an account. `requested` contains what that registration sent.',
  example: { ...exampleUser, requested: { username: 'ada', fullName: 'Ada Lovelace' } },
});
export const VerificationRequested = event('user.verification_requested', {
  ...ofUser,
  description: 'A mail with a link that verifies the address was requested.',
});
export const EmailVerified = event('user.email_verified', {
  ...ofUser,
  description: 'The link of the verification mail was opened.',
});
export const PasswordRequired = event('user.password_required', {
  ...ofUser,
  description: "The address was verified, but the password may be a stranger's: the owner has to set one.",
});
export const PasswordResetRequested = event('user.password_reset_requested', {
  ...ofUser,
  description: 'A mail with a link to set a new password was requested.',
});
export const PasswordReset = event('user.password_reset', {
  ...ofUser,
  description: 'A new password was set with a mailed link.',
});
export const NewDeviceUsed = event('user.new_device', {
  data: User.extend({ device: z.string(), ip: z.string() }),
  audience: 'person',
  description: 'A login from a device or network that the account did not use lately.',
  example: { ...exampleUser, device: 'Firefox on Windows', ip: '203.0.113.9' },
});
export const AccountLocked = event('user.locked', {
  data: User.extend({ ip: z.string() }),
  audience: 'person',
  description: 'Too many wrong passwords: for a while, further ones from there are not compared.',
  example: { ...exampleUser, ip: '203.0.113.9' },
});
export const AccountUnlocked = event('user.unlocked', {
  ...ofUser,
  description: 'An administrator, or the link of the mail about it, ended a lockout.',
});
export const PasswordChanged = event('user.password_changed', {
  ...ofUser,
  description: 'A signed-in user changed the password.',
});
export const SessionStarted = event('session.started', { ...ofSession, description: 'A user logged in.' });
export const SessionReauthenticated = event('session.reauthenticated', {
  ...ofSession,
  description: 'A user proved once more who they are: a new session replaces this one.',
});
export const SessionEnded = event('session.ended', { ...ofSession, description: 'A session was ended.' });
export const RefreshTokenReplayed = event('session.refresh_token_replayed', {
  ...ofSession,
  description: 'A used refresh token came back: it was copied, so the whole session ends.',
});
