import type { Context } from '../../../context.ts';
import { postAtEnd } from '../../books/service/journal.ts';
import type { InvoiceModel } from '../model.ts';

/** What an invoice claims, in the books: what the balance pays of it is claimed no more. */
export async function postInvoice(ctx: Context, invoice: InvoiceModel): Promise<void> {
  await post(ctx, invoice, 'INVOICE_FINALISED', 1);
}

export async function postVoid(ctx: Context, invoice: InvoiceModel): Promise<void> {
  await post(ctx, invoice, 'INVOICE_VOIDED', -1);
}

async function post(
  ctx: Context,
  { id, organizationId, currency, subtotalMinor, taxMinor, totalMinor, balanceMinor }: InvoiceModel,
  kind: 'INVOICE_FINALISED' | 'INVOICE_VOIDED',
  sign: 1 | -1,
): Promise<void> {
  await postAtEnd(ctx, {
    kind,
    source: { kind: 'invoice', id },
    organizationId,
    at: ctx.now,
    lines: [
      { account: 'receivable', currency, amountMinor: sign * (totalMinor - balanceMinor) },
      { account: 'customer_balance', currency, amountMinor: sign * balanceMinor },
      { account: 'revenue', currency, amountMinor: -sign * subtotalMinor },
      { account: 'tax', currency, amountMinor: -sign * taxMinor },
    ],
  });
}

/** Where what a credit note takes back goes: it lowers what is due, is refunded, or adds to the balance. */
export async function postCredit(
  ctx: Context,
  { id, organizationId, currency, subtotalMinor, taxMinor, totalMinor }: InvoiceModel,
  { refundedMinor, returnedMinor }: { refundedMinor: number; returnedMinor: number },
): Promise<void> {
  await postAtEnd(ctx, {
    kind: 'INVOICE_CREDITED',
    source: { kind: 'invoice', id },
    organizationId,
    at: ctx.now,
    lines: [
      { account: 'revenue', currency, amountMinor: -subtotalMinor },
      { account: 'tax', currency, amountMinor: -taxMinor },
      { account: 'receivable', currency, amountMinor: totalMinor + refundedMinor + returnedMinor },
      { account: 'refunds', currency, amountMinor: -refundedMinor },
      { account: 'customer_balance', currency, amountMinor: -returnedMinor },
    ],
  });
}
