import { mailJob } from '../../mail/mail-job.ts';
import { type MailText, mailMoney, mailText } from '../../mail/mail-text.ts';
import { InvoiceMailed } from './events.ts';

export { renderInvoice } from './service/render.ts';

/** A second one for each invoice at most: when it is due, and when it was paid. */
export const mailInvoices = mailJob({
  name: 'invoices.mail',
  on: InvoiceMailed,
  share: 'invoices',
  compose: async (_, { data: { organization, number, notice, total, due, dueAt } }) => {
    const sentences: Record<typeof notice, [subject: MailText, what: MailText]> = {
      OPEN: [
        mailText`Invoice ${number} of ${organization} is to be paid`,
        dueAt
          ? mailText`${mailMoney(due)} are to be paid until ${new Date(dueAt)} (UTC).`
          : mailText`${mailMoney(due)} are to be paid.`,
      ],
      PAID: [
        mailText`Invoice ${number} of ${organization} was paid`,
        mailText`It is of ${mailMoney(total)}, of which nothing is due any more.`,
      ],
      CREDITED: [
        mailText`${organization} was credited ${mailMoney(total)}`,
        mailText`The credit note ${number} takes back ${mailMoney(total)} of an earlier invoice.`,
      ],
      VOIDED: [mailText`Invoice ${number} of ${organization} was voided`, mailText`It is not to be paid.`],
    };
    const [subject, what] = sentences[notice];
    return {
      subject,
      paragraphs: [what, mailText`Who may see the billing of ${organization} can download it.`],
      action: { label: 'How to download it', path: '/docs/guides/plans-and-invoices' },
      footnote: mailText`You own or manage ${organization}, or it has named this address for its invoices.`,
    };
  },
});
