import { emailKey } from '@rentapi/platform/mail-address';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import { UserModel } from '../users/model.ts';
import { EmailChanged, EmailChangeRequested, EmailChangeUndone } from './events.ts';
import { mintConfirmToken, mintUndoToken } from './service/tokens.ts';

/** To the new address. Only its mailbox learns whether it has an account. */
export const mailNewAddress = mailJob({
  name: 'email_change.mail_new_address',
  on: EmailChangeRequested,
  async compose(ctx, event) {
    const { data } = event;
    const owner = await UserModel.query(ctx.db)
      .findOne({ emailKey: emailKey(data.email) })
      .select('id');
    if (owner)
      return {
        subject: mailText`This address has an account already`,
        paragraphs: [
          mailText`Someone, perhaps you, asked to use this address for another account. It has an account already, so nothing has changed.`,
          mailText`If both accounts are yours, delete this one first, or use another address.`,
        ],
        footnote: mailText`If this was not you, there is nothing to do.`,
      };
    const token = await mintConfirmToken(ctx, event);
    if (token === null) return null;
    return {
      subject: mailText`Confirm your new e-mail address`,
      paragraphs: [mailText`You asked to use this address for your account. Please confirm that it is yours.`],
      action: {
        label: 'Confirm the new address',
        path: `/confirm-email-change?token=${token}`,
      },
      footnote: mailText`The link works once, for 24 hours. If this was not you, ignore this mail: nothing has changed.`,
    };
  },
});

export const mailOldAddress = mailJob({
  name: 'email_change.mail_old_address',
  on: EmailChanged,
  when: ({ previousEmailVerified }) => previousEmailVerified, // the link gives the account to the mailbox
  unlimited: true,
  to: ({ previousEmail }) => previousEmail,
  async compose(ctx, event) {
    const token = await mintUndoToken(ctx, event);
    if (token === null) return null;
    return {
      subject: mailText`Your e-mail address was changed`,
      paragraphs: [
        mailText`The e-mail address of your account is not this one any more.`,
        mailText`If this was not you, take it back now: that ends every session of your account. Then set a new password.`,
      ],
      action: { label: 'Take my address back', path: `/undo-email-change?token=${token}` },
      footnote: mailText`The link works once, for 7 days. If this was you, there is nothing to do.`,
    };
  },
});

export const mailUndone = mailJob({
  name: 'email_change.mail_undone',
  on: EmailChangeUndone,
  unlimited: true,
  compose: async () => ({
    subject: mailText`Your e-mail address is back`,
    paragraphs: [
      mailText`This is the address of your account again, and every session has ended.`,
      mailText`The person who changed it knew your password, or used your device: set a new password now.`,
    ],
    action: { label: 'Set a new password', path: '/forgot-password' },
  }),
});
