import { createHash } from 'node:crypto';
import type { StoredFile } from '@rentapi/platform/storage';
import { z } from 'zod';
import { type Context, type OrganizationContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import { job } from '../../../jobs/job.ts';
import { InvoiceRendered } from '../events.ts';
import type { InvoiceModel } from '../model.ts';
import type { InvoiceId } from '../schemas.ts';
import { findInvoice, linesOf, lockInvoice } from './find.ts';
import { drawInvoice } from './pdf.ts';

/** One at a time: drawing takes memory, and holds up whatever else the process does. */
export const renderInvoice = job({
  name: 'invoices.render',
  queue: 'subscriptions',
  concurrency: 1,
  data: z.strictObject({ organizationId: z.int(), invoiceId: z.int() }),
  run: (ctx, { organizationId, invoiceId }) => render(within(ctx, organizationId), invoiceId),
});

const fileOf = ({ organizationId, id }: InvoiceModel): string => `invoices/${organizationId}/${id}.pdf`;

/** Its bytes follow from the row alone, so that a file that is lost is made again as it was. */
async function render(ctx: Context & Tenancy, invoiceId: number): Promise<void> {
  const invoice = await findInvoice(ctx, invoiceId);
  if (invoice.pdfSha256 !== null && (await ctx.ports.storage.get(fileOf(invoice)))) return; // another run was faster
  const pdf = await drawInvoice(await printedOf(ctx, invoice));
  const pdfSha256 = createHash('sha256').update(pdf).digest('hex');
  await ctx.ports.storage.put(fileOf(invoice), pdf);
  await transaction(ctx, async (ctx) => {
    const before = await lockInvoice(ctx, invoiceId);
    const after = await change(ctx, before, { pdfSha256 });
    if (after === before) return;
    const data = { id: ctx.ids.encode('inv', invoiceId), sha256: pdfSha256 };
    await record(ctx, InvoiceRendered, { target: after, before, after, data });
  });
}

async function printedOf(ctx: Context & Tenancy, invoice: InvoiceModel) {
  const { number, seller, buyer, issuedAt, dueAt, ...shown } = invoice.present(ctx.ids, await linesOf(ctx, invoice.id));
  if (!number || !seller || !buyer || !issuedAt || !dueAt) throw new Error(`invoice ${invoice.id} is not final`);
  const corrected = invoice.correctsId === null ? null : await findInvoice(ctx, invoice.correctsId);
  return { ...shown, number, seller, buyer, issuedAt, dueAt, correctsNumber: corrected?.label ?? null };
}

/** The PDF of an invoice that is final, and its number. One whose file is lost is rendered again. */
export async function openInvoice(
  ctx: OrganizationContext,
  { invoiceId }: InvoiceId,
): Promise<{ file: StoredFile; number: string }> {
  const invoice = await findInvoice(ctx, ctx.ids.decode('inv', invoiceId));
  if (invoice.status === 'DRAFT') throw new ApiError('invoice_is_draft');
  const file = invoice.pdfSha256 === null ? null : await ctx.ports.storage.get(fileOf(invoice));
  if (file) return { file, number: invoice.label! };
  const data = { organizationId: invoice.organizationId, invoiceId: invoice.id };
  await transaction(ctx, (ctx) => enqueue(ctx, renderInvoice, data, { key: `invoices.render/${invoice.id}` }));
  throw new ApiError('invoice_not_rendered', { retryAfterS: 2 });
}
