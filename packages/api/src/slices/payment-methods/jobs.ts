import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import { PaymentMethodExpiryMailed } from './events.ts';
import { notifyExpiring } from './service/expiring.ts';
import { settleDue } from './service/look.ts';

export { settleMethod } from './service/look.ts';

export const settleDueMethods = job({
  name: 'payment_methods.settle_due',
  queue: 'subscriptions',
  concurrency: 1,
  every: '1 minute',
  run: (ctx, _, control) => settleDue(ctx, control),
});

/** At seven in the morning, so that someone is there soon. */
export const notifyExpiringMethods = job({
  name: 'payment_methods.notify_expiring',
  queue: 'subscriptions',
  concurrency: 1,
  every: '0 7 * * *',
  run: (ctx, _, control) => notifyExpiring(ctx, control),
});

/** One for each card and person. */
export const mailExpiringMethod = mailJob({
  name: 'payment_methods.mail_expiring',
  on: PaymentMethodExpiryMailed,
  unlimited: true,
  compose: async (_, { data }) => ({
    subject: mailText`A card of ${data.organization} expires`,
    paragraphs: [
      mailText`The card ${data.brand ?? 'saved'} that ends in ${data.last4 ?? '…'} expires on ${new Date(data.expiresAt)} (UTC).`,
      mailText`If the bank has sent another one, save it and make it the default, so that payments do not fail.`,
    ],
    footnote: mailText`You manage this organization. The expiry of a card is mentioned once.`,
  }),
});
