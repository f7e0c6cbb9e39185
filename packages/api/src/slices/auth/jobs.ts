import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import type { MailContent } from '../../mail/compose.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailIp, mailText } from '../../mail/mail-text.ts';
import {
  AccountLocked,
  EmailVerified,
  NewDeviceUsed,
  PasswordChanged,
  PasswordRequired,
  PasswordReset,
  PasswordResetRequested,
  RegistrationRepeated,
  UserRegistered,
  VerificationRequested,
} from './events.ts';
import { DEVICE_KNOWN_MS } from './service/known-sources.ts';
import { mintMailedToken } from './service/mailed-token.ts';
import { eraseSealedChildren } from './service/refresh.ts';

const verificationMail = (token: string | null): MailContent | null =>
  token === null
    ? null
    : {
        subject: mailText`Confirm your e-mail address`,
        paragraphs: [mailText`Welcome. Please confirm that this address is yours.`],
        action: { label: 'Confirm e-mail address', path: `/verify-email?token=${token}` },
        footnote: mailText`The link works once, for 24 hours. If you did not register, ignore this mail.`,
      };

const passwordMail = (
  token: string | null,
  content: Pick<MailContent, 'subject' | 'paragraphs'>,
): MailContent | null =>
  token === null
    ? null
    : {
        ...content,
        action: { label: 'Set a password', path: `/reset-password?token=${token}` },
        footnote: mailText`The link works once, for an hour. It ends every session of your account.`,
      };

export const mailVerification = mailJob({
  name: 'auth.mail_verification',
  on: UserRegistered,
  when: ({ emailVerifiedAt }) => !emailVerifiedAt, // an operator vouched for the others
  compose: async (ctx, event) => verificationMail(await mintMailedToken(ctx, 'email', event)),
});

/** Once for each account: an address is verified once. */
export const mailWelcome = mailJob({
  name: 'auth.mail_welcome',
  on: EmailVerified,
  unlimited: true,
  compose: async () => ({
    subject: mailText`Welcome`,
    paragraphs: [
      mailText`Your e-mail address is confirmed, and your account is ready.`,
      mailText`The guides show the first calls, and how to work with others in an organization.`,
    ],
    action: { label: 'Read the guides', path: '/docs/guides' },
  }),
});

export const mailVerificationAgain = mailJob({
  name: 'auth.mail_verification_again',
  on: VerificationRequested,
  compose: async (ctx, event) => verificationMail(await mintMailedToken(ctx, 'email', event)),
});

/** Only the mailbox learns that the address has an account. */
export const mailRepeatedRegistration = mailJob({
  name: 'auth.mail_repeated_registration',
  on: RegistrationRepeated,
  async compose(ctx, event) {
    const { data } = event;
    if (data.status === 'DELETED')
      return {
        subject: mailText`This address belongs to a deleted account`,
        paragraphs: [
          mailText`This address was registered again, perhaps by you. Its account was deleted: for 30 days after that, an administrator can restore it.`,
          mailText`After those 30 days the address is free, and can be registered again.`,
        ],
        footnote: mailText`If this was not you, nothing has changed and there is nothing to do.`,
      };
    if (!data.emailVerifiedAt)
      return verificationMail(await mintMailedToken(ctx, 'email', event, { registration: data.requested }));
    return {
      subject: mailText`You already have an account`,
      paragraphs: [
        mailText`This address was registered again, perhaps by you. It has an account already: log in instead.`,
        mailText`If you have forgotten your password, request a link to set a new one.`,
      ],
      action: { label: 'Set a new password', path: '/forgot-password' },
      footnote: mailText`If this was not you, nothing has changed and there is nothing to do.`,
    };
  },
});

export const mailPasswordRequired = mailJob({
  name: 'auth.mail_password_required',
  on: PasswordRequired,
  unlimited: true,
  compose: async (ctx, event) =>
    passwordMail(await mintMailedToken(ctx, 'password_reset', event), {
      subject: mailText`Set your password`,
      paragraphs: [
        mailText`Your e-mail address is confirmed. It was registered more than once, so no password is kept: set yours.`,
      ],
    }),
});

export const mailPasswordReset = mailJob({
  name: 'auth.mail_password_reset',
  on: PasswordResetRequested,
  share: 'password_reset',
  compose: async (ctx, event) =>
    passwordMail(await mintMailedToken(ctx, 'password_reset', event), {
      subject: mailText`Set a new password`,
      paragraphs: [
        mailText`You requested a link to set a new password. If you did not, ignore this mail: nothing has changed.`,
      ],
    }),
});

export const mailPasswordChanged = mailJob({
  name: 'auth.mail_password_changed',
  on: PasswordReset,
  unlimited: true,
  compose: async () => ({
    subject: mailText`Your password was changed`,
    paragraphs: [mailText`Your password was set by a mailed link, and every session of your account has ended.`],
    action: { label: 'Set another password', path: '/forgot-password' },
    footnote: mailText`If this was not you, set another password now, and check who else can read your mail.`,
  }),
});

export const mailPasswordChangedByOwner = mailJob({
  name: 'auth.mail_password_changed_by_owner',
  on: PasswordChanged,
  unlimited: true,
  compose: async () => ({
    subject: mailText`Your password was changed`,
    paragraphs: [
      mailText`The password of your account was changed, and every other session of your account has ended.`,
    ],
    action: { label: 'Set another password', path: '/forgot-password' },
    footnote: mailText`If this was not you, set another password now: that ends every session.`,
  }),
});

export const mailNewDevice = mailJob({
  name: 'auth.mail_new_device',
  on: NewDeviceUsed,
  unlimited: true, // only who knows the password can cause it
  compose: async (_, { data, createdAt }) => ({
    subject: mailText`New sign-in to your account`,
    paragraphs: [
      mailText`Your account was used from a device or network that is new to it: ${data.device}, address ${mailIp(data.ip)}, on ${createdAt} (UTC).`,
      mailText`If this was you, there is nothing to do.`,
    ],
    action: { label: 'Set a new password', path: '/forgot-password' },
    footnote: mailText`If this was not you, set a new password now: that ends every session of your account.`,
  }),
});

export const mailLockout = mailJob({
  name: 'auth.mail_lockout',
  on: AccountLocked,
  async compose(ctx, event) {
    const { data, createdAt } = event;
    const token = await mintMailedToken(ctx, 'unlock', event);
    return {
      subject: mailText`Too many wrong passwords`,
      paragraphs: [
        mailText`Wrong passwords for your account came from the address ${mailIp(data.ip)} on ${createdAt} (UTC). For ${ctx.ports.env.ACCOUNT_LOCKOUT_DURATION_MINUTES} minutes, no password from there is accepted, not even the right one.`,
        mailText`If this was not you, your password was not guessed, and you can still log in from networks that you used in the last 30 days. If it was you, the link lets you try again at once.`,
      ],
      ...(token && { action: { label: 'Unlock my account', path: `/unlock?token=${token}` } }),
      footnote: mailText`The link works once, for an hour. If you forgot your password, it leads to a new one, too.`,
    };
  },
});

export { noticeLockout } from './service/lockout.ts';

export const eraseSealed = job({
  name: 'auth.erase_sealed_tokens',
  queue: 'maintenance',
  every: '1 minute',
  run: (ctx, _, control) => eraseSealedChildren(ctx, control),
});

/**
 * Ended sessions are kept so that those of the audit log can be looked up. Deleting one deletes its refresh tokens;
 * expired tokens are deleted before.
 */
export const purgeExpired = purgeJob('auth.purge_expired', [
  { table: 'verification_tokens', column: 'expires_at', keptMs: 0 },
  { table: 'email_changes', column: 'expires_at', keptMs: 0 },
  { table: 'refresh_tokens', column: 'expires_at', keptMs: 0 },
  { table: 'sign_in_attempts', column: 'resets_at', keptMs: 0 },
  { table: 'sign_in_sources', column: 'used_at', keptMs: DEVICE_KNOWN_MS },
  { table: 'sessions', column: 'expires_at', keptMs: 30 * 86_400_000 },
]);
