import { exampleId } from '../../contract/ids.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleInvoice, exampleSummary, Invoice, InvoiceId, InvoicePage, ListInvoices } from './schemas.ts';
import { getInvoice, listInvoices } from './service/find.ts';

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
});
