import { emailKey } from '@rentapi/platform/mail-address';
import { mac } from '@rentapi/platform/secrets';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { lockName } from '../data/name-locks.ts';
import { transaction } from '../data/transaction.ts';
import { enqueue } from '../jobs/enqueue.ts';
import { job, type RecordedEvent } from '../jobs/job.ts';
import { readEvent } from '../jobs/read-event.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Mails to reset a password are counted apart: other mails that strangers cause must not lock the owner out. So are
 * invoices, which go to an address that need not be the owner's.
 */
export type MailShare = 'any' | 'password_reset' | 'invoices';

/**
 * Whether a mail may go now. One mailbox gets at most MAILBOX_LIMIT_PER_HOUR in each share, and a sixtieth of that a
 * minute, over all requesters. A mail that comes too early is sent later; one beyond the hour's share is dropped. A job
 * that runs again finds its mail counted already.
 */
export async function admitMail(
  ctx: Context,
  { job: jobName, share }: { job: string; share: MailShare },
  event: RecordedEvent<{ email: string }>,
): Promise<boolean> {
  const counted = `${share} ${emailKey(event.data.email)}`;
  const mailbox = mac(ctx.ports.keyring.key('rentapi/mailbox'), counted);
  const name = mailbox.toString('hex');
  const perHour = ctx.ports.env.MAILBOX_LIMIT_PER_HOUR;
  const perMinute = Math.ceil(perHour / 60);
  return transaction(ctx, async (ctx) => {
    await lockName(ctx.db, `mailbox ${name}`);
    const sent = await sentTo(ctx, mailbox);
    if (sent.some(({ eventId }) => eventId === event.id)) return true;
    if (sent.length >= perHour) return false;
    const lastMinute = sent.filter(({ sentAt }) => sentAt.getTime() > ctx.now.getTime() - MINUTE_MS);
    if (lastMinute.length < perMinute) {
      await ctx.db('mailbox_mails').insert({ mailbox, eventId: event.id, sentAt: ctx.now });
      return true;
    }
    const at = new Date(lastMinute[0]!.sentAt.getTime() + MINUTE_MS);
    // Of one person's own mails of a kind that wait for the same moment, one is enough.
    const which = event.organizationId === null ? name : event.id;
    const key = `${jobName}/${which}/${at.getTime()}`;
    await enqueue(ctx, mailLater, { job: jobName, eventId: event.id }, { at, key });
    return false;
  });
}

/** Mails of the last hour in one share of a mailbox, oldest first. */
function sentTo(ctx: Context, mailbox: Buffer): Promise<{ eventId: number; sentAt: Date }[]> {
  return ctx
    .db('mailbox_mails')
    .where({ mailbox })
    .where('sentAt', '>', new Date(ctx.now.getTime() - HOUR_MS))
    .orderBy('sentAt')
    .select('eventId', 'sentAt');
}

/** Runs a mail's own job once its mailbox may receive mail again. */
export const mailLater = job({
  name: 'mail.later',
  queue: 'emails',
  data: z.object({ job: z.string(), eventId: z.int() }),
  async run(ctx, data, control) {
    const mail = ctx.ports.jobs.all.find(({ name }) => name === data.job);
    if (mail) await mail.run(ctx, await readEvent(ctx.ports, mail, data.eventId), control);
  },
});
