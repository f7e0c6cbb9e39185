import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { type MailText, mailText } from '../../mail/mail-text.ts';
import { SubscriptionMailed } from './events.ts';
import { runDue } from './service/run-due.ts';

export const runDueSubscriptions = job({
  name: 'billing.run_due',
  queue: 'subscriptions',
  concurrency: 1,
  every: '1 minute',
  run: (ctx, _, control) => runDue(ctx, control),
});

/** One for each step that says something new. */
export const mailSubscriptions = mailJob({
  name: 'subscriptions.mail',
  on: SubscriptionMailed,
  unlimited: true,
  compose: async (_, { data: { organization, plan, notice, at } }) => {
    const sentences: Record<typeof notice, [subject: MailText, what: MailText]> = {
      TRIAL_ENDING: [
        mailText`The trial of ${organization} ends soon`,
        mailText`${organization} uses ${plan} free of charge until ${new Date(at)} (UTC). Then the first period is charged.`,
      ],
      METHOD_NEEDED: [
        mailText`${organization} needs another payment method`,
        mailText`The next period of ${plan} cannot be charged. Add a payment method, or pay the open invoice.`,
      ],
      USAGE_UNPAID: [
        mailText`The usage of ${organization} could not be charged`,
        mailText`What ${organization} used beyond ${plan} in the last month is not paid. Add a payment method, or pay the open invoice.`,
      ],
      TRANSFER_OVERDUE: [
        mailText`A bank transfer of ${organization} is overdue`,
        mailText`An invoice of ${plan} was to be paid until ${new Date(at)} (UTC). Transfer it with its reference, or pay it in another way.`,
      ],
      GIVEN_UP: [
        mailText`The subscription of ${organization} has ended`,
        mailText`The last period of ${plan} was not paid, so the subscription has ended. You can subscribe again at any time.`,
      ],
    };
    const [subject, what] = sentences[notice];
    return {
      subject,
      paragraphs: [what],
      action: { label: 'How subscriptions work', path: '/docs/guides/subscriptions' },
      footnote: mailText`You own or manage ${organization}.`,
    };
  },
});
