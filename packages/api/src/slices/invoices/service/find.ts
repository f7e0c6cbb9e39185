import type { OrganizationContext } from '../../../context.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { existing, rowsOf, selectRows } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { InvoiceLineModel, InvoiceModel } from '../model.ts';
import { type Invoice, type InvoiceId, type InvoicePage, type ListInvoices, MAX_LINES } from '../schemas.ts';

export async function listInvoices(ctx: OrganizationContext, input: ListInvoices): Promise<InvoicePage> {
  const list = { name: 'invoices', of: ctx.organization.id };
  const query = InvoiceModel.of(ctx);
  if (input.status) query.where({ status: input.status });
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(query));
  return { items: rows.map((invoice) => invoice.summary(ctx.ids)), nextCursor };
}

export async function getInvoice(ctx: OrganizationContext, { invoiceId }: InvoiceId): Promise<Invoice> {
  const invoice = await findInvoice(ctx, ctx.ids.decode('inv', invoiceId));
  return invoice.present(ctx.ids, await linesOf(ctx, invoice.id));
}

export function findInvoice(tenancy: Tenancy, id: number): Promise<InvoiceModel> {
  return existing(InvoiceModel.find(tenancy, { id }));
}

export function lockInvoice(tenancy: Tenancy, id: number): Promise<InvoiceModel> {
  return existing(InvoiceModel.find(tenancy, { id }, 'for update'));
}

const LINES = `
  select * from invoice_lines where organization_id = $1 and invoice_id = $2 order by place limit ${MAX_LINES}`;

export function linesOf({ db, organization }: Tenancy, invoiceId: number): Promise<InvoiceLineModel[]> {
  return selectRows(db, InvoiceLineModel, LINES, [organization.id, invoiceId]);
}
