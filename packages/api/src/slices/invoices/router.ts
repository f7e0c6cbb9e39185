import { exampleId } from '../../contract/ids.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleStarted, StartedPayment } from '../payments/schemas.ts';
import {
  exampleInvoice,
  exampleSummary,
  Invoice,
  InvoiceId,
  InvoicePage,
  ListInvoices,
  PayInvoice,
} from './schemas.ts';
import { getInvoice, listInvoices } from './service/find.ts';
import { payInvoice } from './service/pay.ts';

const tags: [Tag] = ['Billing'];

/** `billing.invoices`. */
export const invoices = router({
  list: procedure({
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/invoices',
      tags,
      summary: 'List the invoices of the organization',
      description: 'Newest first, credit notes and drafts among them, without their lines.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleSummary], nextCursor: null } },
  })
    .input(ListInvoices)
    .output(InvoicePage)
    .query(({ ctx, input }) => listInvoices(ctx, input)),

  get: procedure({
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/invoices/{invoiceId}',
      tags,
      summary: 'Get an invoice',
      description:
        'With its lines, and both sides as they were when it got its number: what is changed afterwards does not change it.',
    },
    example: { input: { invoiceId: exampleId('inv') }, output: exampleInvoice },
  })
    .input(InvoiceId)
    .output(Invoice)
    .query(({ ctx, input }) => getInvoice(ctx, input)),

  pay: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'POST',
      path: '/subscriptions/invoices/{invoiceId}/pay',
      tags,
      summary: 'Pay an invoice',
      description:
        'Begins a payment of what is due, and answers where the payer goes. The invoice is PAID once the payment is SUCCEEDED, whether the browser comes back or not. While a payment of it waits for its payer, this answers that payment; with another provider, it takes its place. Of two that succeed all the same, one is refunded.',
    },
    rest: { status: 201 },
    commitsItself: true,
    errors: [
      'invoice_is_draft',
      'invoice_not_due',
      'payment_in_progress',
      'currency_not_supported',
      'amount_below_minimum',
      'return_url_not_allowed',
      'payment_provider_not_set_up',
    ],
    example: {
      input: { invoiceId: exampleId('inv'), provider: 'stripe', returnUrl: 'https://app.example.com/billing' },
      output: { ...exampleStarted, payment: { ...exampleStarted.payment, purpose: 'INVOICE' } },
    },
  })
    .input(PayInvoice)
    .output(StartedPayment)
    .mutation(({ ctx, input }) => payInvoice(ctx, input)),
});
