import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import { mintMailedToken } from '../auth/service/mailed-token.ts';
import { UserDeleted, UserInvited } from './events.ts';
import { eraseDeletedAccounts } from './service/erase.ts';

const INVITED_FOR_MS = 7 * 86_400_000;

/** Only platform staff can cause it. */
export const mailAccount = mailJob({
  name: 'accounts.mail_invitation',
  on: UserInvited,
  unlimited: true,
  compose: async (ctx, event) => {
    const token = await mintMailedToken(ctx, 'password_reset', event, { ttlMs: INVITED_FOR_MS });
    if (token === null) return null;
    return {
      subject: mailText`Your account is ready`,
      paragraphs: [mailText`An administrator created an account for this address. Set a password to use it.`],
      action: { label: 'Set a password', path: `/reset-password?token=${token}` },
      footnote: mailText`The link works once, for 7 days. If you do not expect an account, ignore this mail.`,
    };
  },
});

/** Only the owner or platform staff can cause it. */
export const mailDeleted = mailJob({
  name: 'accounts.mail_deleted',
  on: UserDeleted,
  unlimited: true,
  compose: async () => ({
    subject: mailText`Your account was deleted`,
    paragraphs: [
      mailText`Your account was deleted, and every session of it has ended.`,
      mailText`For 30 days an administrator can restore it. After that, your personal data are erased for good.`,
    ],
    footnote: mailText`If this was not you, ask the administrators of the service to restore it now.`,
  }),
});

export const eraseAccounts = job({
  name: 'accounts.erase_deleted',
  queue: 'maintenance',
  every: '1 hour',
  concurrency: 1,
  run: (ctx, _, control) => eraseDeletedAccounts(ctx, control),
});
