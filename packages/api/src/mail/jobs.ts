import { purgeJob } from '../data/purge.ts';

export { mailLater } from './mailbox-limit.ts';

/** One hour: the limit counts the mails of the last hour. */
export const purgeMailboxMails = purgeJob('mail.purge_mailbox_mails', [
  { table: 'mailbox_mails', column: 'sent_at', keptMs: 3_600_000 },
]);
