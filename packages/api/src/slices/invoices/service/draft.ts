import { CURRENCIES } from '@rentapi/payments/currencies';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import { selectRows } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { executeSoon, transaction } from '../../../data/transaction.ts';
import { InvoiceModel } from '../model.ts';
import { type InvoiceReason, type LineKind, MAX_LINES } from '../schemas.ts';
import { lockInvoice } from './find.ts';
import { share } from './tax.ts';

export interface NewLine {
  kind: LineKind;
  description: string;
  /** 1 unless it is given. */
  quantity?: number;
  /** Where the amount is so much for each, or for as many as `unitSize` says. */
  unitMinor?: number;
  /** 1 unless it is given. */
  unitSize?: number;
  /** Without tax. */
  amountMinor: number;
  period?: { from: Date; to: Date };
  /** Where it is not taxed as the others. */
  taxRatePpm?: number;
  correctsLineId?: number;
  /** Of a credit note; elsewhere it follows from the rate. */
  taxMinor?: number;
}

export interface NewInvoice {
  reason: Exclude<InvoiceReason, 'CORRECTION'>;
  /** AUTOMATIC: it is charged by itself. */
  collection: InvoiceModel['collection'];
  currency: string;
  /** Of one subscription, reason and key there is one invoice. */
  subscriptionId?: number;
  periodKey?: string;
  lines: readonly NewLine[];
}

const DRAFT = `
  insert into invoices (organization_id, kind, status, reason, collection, currency, subscription_id, period_key, subtotal_minor, total_minor, created_at, updated_at)
  values ($1, 'INVOICE', 'DRAFT', $2, $3, $4, $5, $6, $7, $7, $8, $8)
  on conflict on constraint invoices_period_unique do nothing returning *`;

const ADD_LINES: Statement = {
  name: 'add_invoice_lines',
  text: `
    insert into invoice_lines (organization_id, invoice_id, place, kind, description, quantity, unit_minor, amount_minor,
      period_start, period_end, tax_rate_ppm, tax_minor, corrects_line_id, unit_size)
    select $1, $2, $3 + line.at, line.kind, line.description, line.quantity, line.unit_minor, line.amount_minor,
           line.period_start, line.period_end, line.tax_rate_ppm, line.tax_minor, line.corrects_line_id,
           line.unit_size
    from unnest($4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::timestamptz[], $10::timestamptz[],
      $11::integer[], $12::bigint[], $13::bigint[], $14::bigint[])
      with ordinality as line (kind, description, quantity, unit_minor, amount_minor, period_start, period_end,
        tax_rate_ppm, tax_minor, corrects_line_id, unit_size, at)`,
};

const LINES: Statement = {
  text: `
    select count(*)::integer as count, coalesce(sum(amount_minor), 0)::bigint as sum from invoice_lines
    where organization_id = $1 and invoice_id = $2`,
};

/** A draft in the caller's transaction. For a period that has an invoice, that one: its lines stay as they are. */
export async function draftInvoice(ctx: Context & Tenancy, draft: NewInvoice): Promise<InvoiceModel> {
  return transaction(ctx, async (ctx) => {
    const { invoice, isNew } = await beginInvoice(ctx, draft);
    if (isNew) await insertLines(ctx, invoice.id, draft.lines, 0);
    return invoice;
  });
}

/** The same without its lines. */
export async function beginInvoice(
  ctx: Context & Tenancy,
  draft: NewInvoice,
): Promise<{ invoice: InvoiceModel; isNew: boolean }> {
  const { reason, collection, currency, subscriptionId = null, periodKey = null, lines } = draft;
  if (!CURRENCIES.has(currency)) throw new Error(`${currency} is not a currency that can be paid`);
  if ((subscriptionId === null) !== (periodKey === null)) throw new Error('a period is one of a subscription');
  assertLines(lines, 0);
  const of = [ctx.organization.id, reason, collection, currency, subscriptionId, periodKey];
  const [made] = await selectRows(ctx.db, InvoiceModel, DRAFT, [...of, sumOf(lines), ctx.now]);
  if (made) return { invoice: made, isNew: true };
  const query = InvoiceModel.of(ctx).findOne({ reason, subscriptionId, periodKey });
  return { invoice: await query.forUpdate().throwIfNotFound(), isNew: false };
}

/** Adds lines to a draft, such as what a period used. The database refuses it once the invoice is final. */
export async function addLines(
  ctx: Context & Tenancy,
  invoiceId: number,
  lines: readonly NewLine[],
): Promise<InvoiceModel> {
  return transaction(ctx, async (ctx) => {
    const invoice = await lockInvoice(ctx, invoiceId);
    const of = [ctx.organization.id, invoiceId];
    const [before] = await execute<{ count: number; sum: number }>(ctx.db, LINES, of);
    const { count, sum } = before!;
    assertLines(lines, count);
    await insertLines(ctx, invoiceId, lines, count);
    const subtotalMinor = sum + sumOf(lines);
    return change(ctx, invoice, { subtotalMinor, totalMinor: subtotalMinor });
  });
}

const sumOf = (lines: readonly NewLine[]): number => lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);

export async function insertLines(
  { db, organization }: Tenancy,
  invoiceId: number,
  lines: readonly NewLine[],
  count: number,
): Promise<void> {
  const column = <T>(read: (line: NewLine) => T): T[] => lines.map(read);
  await executeSoon(db, ADD_LINES, [
    organization.id,
    invoiceId,
    count,
    column(({ kind }) => kind),
    column(({ description }) => description),
    column(({ quantity = 1 }) => quantity),
    column(({ unitMinor = null }) => unitMinor),
    column(({ amountMinor }) => amountMinor),
    column(({ period }) => period?.from ?? null),
    column(({ period }) => period?.to ?? null),
    column(({ taxRatePpm = null }) => taxRatePpm),
    column(({ taxMinor = 0 }) => taxMinor),
    column(({ correctsLineId = null }) => correctsLineId),
    column(({ unitSize = 1 }) => unitSize),
  ]);
}

/** Far above what anything costs, and far below what a number holds exactly. */
export const MAX_MINOR = 1e12;

function assertLines(lines: readonly NewLine[], count: number): void {
  for (const line of lines) assertLine(line);
  if (count + lines.length > MAX_LINES) throw new Error(`an invoice has at most ${MAX_LINES} lines`);
}

function assertLine({ quantity = 1, unitMinor, unitSize = 1, amountMinor, description }: NewLine): void {
  const amounts = [quantity, unitMinor ?? 0, unitSize, amountMinor];
  if (!amounts.every((value) => Number.isSafeInteger(value) && Math.abs(value) <= MAX_MINOR))
    throw new Error(`${description}: ${amounts.join(', ')} are no whole amounts that can be billed`);
  if (unitMinor !== undefined && share(unitMinor, quantity, unitSize) !== amountMinor)
    throw new Error(`${description}: ${quantity} of ${unitMinor} for ${unitSize} are not ${amountMinor}`);
}
