import { z } from 'zod';
import { event } from '../../events/event.ts';
import { User } from '../users/schemas.ts';

const Session = z.object({ sessionId: z.string(), ip: z.string(), userAgent: z.string().nullable() });

export const UserRegistered = event('user.registered', { data: User, audience: 'person' });
/** An address was registered that has an account. `requested` is what that registration asked for. */
export const RegistrationRepeated = event('user.registration_repeated', {
  data: User.extend({ requested: z.object({ username: z.string().nullable(), fullName: z.string().nullable() }) }),
  audience: 'person',
});
export const VerificationRequested = event('user.verification_requested', { data: User, audience: 'person' });
export const EmailVerified = event('user.email_verified', { data: User, audience: 'person' });
/** The address was verified, but the password may be a stranger's: the owner has to set one. */
export const PasswordRequired = event('user.password_required', { data: User, audience: 'person' });
export const PasswordResetRequested = event('user.password_reset_requested', { data: User, audience: 'person' });
export const PasswordReset = event('user.password_reset', { data: User, audience: 'person' });
export const SessionStarted = event('session.started', { data: Session, audience: 'person' });
export const SessionReauthenticated = event('session.reauthenticated', { data: Session, audience: 'person' });
export const SessionEnded = event('session.ended', { data: Session, audience: 'person' });
/** A used refresh token came back: it was copied, so the whole session ends. */
export const RefreshTokenReplayed = event('session.refresh_token_replayed', { data: Session, audience: 'person' });
