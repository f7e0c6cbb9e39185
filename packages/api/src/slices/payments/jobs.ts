import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailMoney, mailText } from '../../mail/mail-text.ts';
import { PaymentMailed } from './events.ts';
import { sweepPayments } from './service/sweep.ts';

export { chargePayment } from './service/charge.ts';
export { refundPayment } from './service/refunds.ts';

export const runDuePayments = job({
  name: 'payments.run_due',
  queue: 'subscriptions',
  concurrency: 1,
  every: '1 minute',
  run: (ctx, _, control) => sweepPayments(ctx, control),
});

const SUBJECTS = {
  SUCCEEDED: (organization: string) => mailText`A payment of ${organization} is paid`,
  FAILED: (organization: string) => mailText`A payment of ${organization} was refused`,
  ACTION_REQUIRED: (organization: string) => mailText`A payment of ${organization} needs you`,
  REFUNDED: (organization: string) => mailText`A payment of ${organization} was paid back`,
};

const SENTENCES = {
  SUCCEEDED: mailText`It is paid. Thank you.`,
  FAILED: mailText`The payment was refused, and nothing was charged. Pay again, with another card or account if you can.`,
  ACTION_REQUIRED: mailText`Your bank wants you to confirm it. Until then nothing is charged.`,
  REFUNDED: mailText`The money is on its way back to the card or account that it was paid from.`,
};

/** One for each thing that happens to a payment. */
export const mailNotice = mailJob({
  name: 'payments.mail_notice',
  on: PaymentMailed,
  share: 'invoices',
  compose: async (_, { data: { organization, notice, description, amount, actionUrl } }) => ({
    subject: SUBJECTS[notice](organization),
    paragraphs: [mailText`${mailMoney(amount)} for ${description}, for ${organization}.`, SENTENCES[notice]],
    ...(notice === 'ACTION_REQUIRED' &&
      actionUrl && { action: { label: 'Confirm the payment', providerUrl: actionUrl } }),
    footnote: mailText`You manage ${organization}, or invoices of it are sent to you.`,
  }),
});
