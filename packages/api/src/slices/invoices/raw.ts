import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exampleId } from '../../contract/ids.ts';
import { rawRoute } from '../../wire/raw-route.ts';
import { InvoiceId } from './schemas.ts';
import { openInvoice } from './service/render.ts';

export const invoicePdf = rawRoute({
  name: 'billing.invoices.pdf',
  meta: {
    access: 'billing:read',
    openapi: {
      method: 'GET',
      path: '/subscriptions/invoices/{invoiceId}/download',
      tags: ['Billing'],
      summary: 'Download an invoice',
      description:
        'A PDF of what the invoice says, made once it is final: the same bytes each time, of which `pdfSha256` is the hash. Characters of scripts that its font lacks, such as Chinese, are printed as �.',
    },
    errors: ['invoice_is_draft', 'invoice_not_rendered'],
    example: { input: { invoiceId: exampleId('inv') } },
  },
  input: InvoiceId,
  answer: {
    type: 'application/pdf',
    schema: z.string().meta({ format: 'binary', description: 'The document.' }),
    fileName: 'invoice.pdf',
    servesHead: true,
  },
  async serve(ctx, input, { res }) {
    const { file, number } = await openInvoice(ctx, input);
    res.setHeader('Content-Disposition', `attachment; filename="${number}.pdf"`);
    res.setHeader('Content-Length', file.sizeBytes);
    await pipeline(file.read(), res);
  },
});
