import { purge } from '../data/purge.ts';
import { job } from '../jobs/job.ts';

export { mailLater } from './mailbox-limit.ts';

/** One hour: the limit counts the mails of the last hour. */
export const purgeMailboxMails = job({
  name: 'mail.purge_mailbox_mails',
  queue: 'maintenance',
  every: '1 hour',
  run: (ctx, _, control) =>
    purge(ctx, control, {
      table: 'mailbox_mails',
      column: 'sent_at',
      before: new Date(ctx.now.getTime() - 3_600_000),
    }),
});
