import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import {
  BackupCodesRegenerated,
  PasskeyAdded,
  PasskeyRemoved,
  TwoFactorDisabled,
  TwoFactorEnabled,
  TwoFactorReset,
  TwoFactorResetRequested,
} from './events.ts';
import { objectionToken, resetDueTwoFactors } from './service/reset.ts';

const notYou = mailText`If this was not you, set another password now: that ends every session of your account.`;
const setPassword = { label: 'Set another password', path: '/forgot-password' };

export const mailTwoFactorEnabled = mailJob({
  name: 'two_factor.mail_enabled',
  on: TwoFactorEnabled,
  unlimited: true, // only a person who is signed in can cause it
  compose: async () => ({
    subject: mailText`A second factor protects your account`,
    paragraphs: [
      mailText`From now on a login asks for a code of your authenticator app.`,
      mailText`Keep the backup codes where your device is not: each lets you log in once without the app.`,
    ],
    action: setPassword,
    footnote: notYou,
  }),
});

export const mailTwoFactorDisabled = mailJob({
  name: 'two_factor.mail_disabled',
  on: TwoFactorDisabled,
  unlimited: true,
  compose: async () => ({
    subject: mailText`Your authenticator app was removed`,
    paragraphs: [mailText`A login asks for no code any more, and no device is trusted.`],
    action: setPassword,
    footnote: notYou,
  }),
});

export const mailBackupCodesRegenerated = mailJob({
  name: 'two_factor.mail_backup_codes',
  on: BackupCodesRegenerated,
  unlimited: true,
  compose: async () => ({
    subject: mailText`New backup codes`,
    paragraphs: [mailText`New backup codes were made for your account. Those from before are not valid any more.`],
    action: setPassword,
    footnote: notYou,
  }),
});

export const mailPasskeyAdded = mailJob({
  name: 'two_factor.mail_passkey_added',
  on: PasskeyAdded,
  unlimited: true,
  compose: async (_, { data }) => ({
    subject: mailText`A passkey was added`,
    paragraphs: [
      mailText`The passkey ${data.passkey.name} was added to your account. It signs you in without a password.`,
      mailText`A login with your password asks for a second factor from now on: a passkey, a code or a backup code.`,
    ],
    action: setPassword,
    footnote: notYou,
  }),
});

export const mailPasskeyRemoved = mailJob({
  name: 'two_factor.mail_passkey_removed',
  on: PasskeyRemoved,
  unlimited: true,
  compose: async (_, { data }) => ({
    subject: mailText`A passkey was removed`,
    paragraphs: [mailText`The passkey ${data.passkey.name} was removed from your account.`],
    action: setPassword,
    footnote: notYou,
  }),
});

/** Only platform staff can cause it. */
export const mailResetRequested = mailJob({
  name: 'two_factor.mail_reset_requested',
  on: TwoFactorResetRequested,
  unlimited: true,
  compose: async (ctx, { data }) => ({
    subject: mailText`Your second factor will be removed`,
    paragraphs: [
      mailText`An administrator asked to remove the second factor of your account: authenticator app, backup codes and passkeys. The reason: ${data.reason}`,
      mailText`It happens on ${new Date(data.effectiveAt)} (UTC), and ends every session. If you did not ask for it, object now.`,
    ],
    action: {
      label: 'Keep my second factor',
      path: `/keep-two-factor?token=${objectionToken(ctx, data.id, data.effectiveAt)}`,
    },
    footnote: mailText`If you asked for it, there is nothing to do.`,
  }),
});

export const mailReset = mailJob({
  name: 'two_factor.mail_reset',
  on: TwoFactorReset,
  unlimited: true,
  compose: async () => ({
    subject: mailText`Your second factor was removed`,
    paragraphs: [
      mailText`As an administrator asked a day ago, your account has no second factor any more, and every session has ended.`,
      mailText`Log in, and set up a new one.`,
    ],
    action: setPassword,
    footnote: notYou,
  }),
});

export const resetTwoFactors = job({
  name: 'two_factor.reset_due',
  queue: 'maintenance',
  every: '1 minute',
  run: (ctx, _, control) => resetDueTwoFactors(ctx, control),
});

export const purgeTwoFactor = purgeJob('two_factor.purge', [
  { table: 'sign_in_challenges', column: 'expires_at', keptMs: 0 },
  { table: 'passkey_challenges', column: 'expires_at', keptMs: 0 },
  { table: 'code_attempts', column: 'resets_at', keptMs: 0 },
  { table: 'trusted_devices', column: 'expires_at', keptMs: 0 },
]);
