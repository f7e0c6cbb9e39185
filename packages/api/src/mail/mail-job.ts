import type { Mail } from '@rentapi/platform/mail';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { EventType } from '../events/event.ts';
import { type Job, job, type RecordedEvent } from '../jobs/job.ts';
import { composeMail, type MailContent } from './compose.ts';
import { admitMail, type MailShare } from './mailbox-limit.ts';

interface MailJob<Data extends z.ZodType<{ email: string }>> {
  name: string;
  on: EventType<Data>;
  /** Whether there is something to mail. Default: yes. */
  when?: (data: z.output<Data>) => boolean;
  /** Where to, if not to the address of the event: a previous one. */
  to?: (data: z.output<Data>) => string;
  /** For mails that only the owner of the mailbox can cause: strangers cannot flood it with them. */
  unlimited?: true;
  /** Which mails to the same mailbox it is counted with. Default: `any`. */
  share?: MailShare;
  /** Null where nothing is left to mail. Tokens are made here, so that no event contains one. */
  compose(ctx: Context, event: RecordedEvent<z.output<Data>>): Promise<MailContent | null>;
}

/** Mails an event to the address in its data, within the limit of the mailbox. */
export function mailJob<Data extends z.ZodType<{ email: string }>>(mail: MailJob<Data>): Job {
  const { name, on, when, to, unlimited, share = 'any', compose } = mail;
  type Event = RecordedEvent<z.output<Data>>;
  const addressed = (event: Event): RecordedEvent<{ email: string }> =>
    to ? { ...event, data: { email: to(event.data) } } : event;
  async function composed(ctx: Context, event: Event): Promise<Mail | null> {
    const content = await compose(ctx, event);
    return content && composeMail(ctx, addressed(event), content);
  }
  return {
    ...job({
      name,
      queue: 'emails',
      on,
      async run(ctx, event) {
        if (when && !when(event.data)) return;
        if (!unlimited && !(await admitMail(ctx, { job: name, share }, addressed(event)))) return;
        const mail = await composed(ctx, event);
        if (mail) await ctx.ports.mailer.send(mail);
      },
    }),
    preview: (ctx, event) => composed(ctx, { ...event, data: on.data.parse(event.data) }),
  };
}
