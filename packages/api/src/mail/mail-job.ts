import type { z } from 'zod';
import type { Context } from '../context.ts';
import type { EventType } from '../events/event.ts';
import { type Job, job, type RecordedEvent } from '../jobs/job.ts';
import { composeMail, type MailContent } from './compose.ts';
import { admitMail } from './mailbox-limit.ts';

interface MailJob<Data extends z.ZodType<{ email: string }>> {
  name: string;
  on: EventType<Data>;
  /** Whether there is anything to mail; always, where absent. */
  when?: (data: z.output<Data>) => boolean;
  /** For what the owner of the mailbox alone can cause: strangers cannot flood with it. */
  unlimited?: true;
  /** Null where nothing is to be mailed any more. Tokens are made here, so that no event holds one. */
  compose(ctx: Context, event: RecordedEvent<z.output<Data>>): Promise<MailContent | null>;
}

/** Mails what an event causes to the address in its data, as often as a mailbox may be mailed. */
export function mailJob<Data extends z.ZodType<{ email: string }>>(mail: MailJob<Data>): Job {
  const { name, on, when, unlimited, compose } = mail;
  return job({
    name,
    queue: 'emails',
    on,
    async run(ctx, event) {
      if (when && !when(event.data)) return;
      if (!unlimited && !(await admitMail(ctx, name, event))) return;
      const content = await compose(ctx, event);
      if (content) await ctx.ports.mailer.send(composeMail(ctx, event, content));
    },
  });
}
