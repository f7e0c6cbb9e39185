import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { InvoiceModel } from '../model.ts';
import { mailInvoice } from './announce.ts';
import { addLines, type NewLine } from './draft.ts';
import { announce, takeNumber } from './finalise.ts';
import { linesOf, lockInvoice } from './find.ts';
import { postCredit } from './post.ts';
import { settle } from './settle.ts';
import { share } from './tax.ts';

/** Of credit notes, which have numbers of their own. */
const SUFFIX = 'C';

interface Correction {
  /** Of one invoice, a key corrects once: a repeat answers the same credit note. */
  key: string;
  /** Printed on it. */
  note: string;
  /** The lines with what is taken back of each, without tax; or a sum with tax, which is divided among all lines. */
  of: readonly { lineId: number; amountMinor: number }[] | { totalMinor: number };
  /** Whether the caller refunds what was paid already; else it goes to the customer's balance. */
  isRefunded: boolean;
}

/**
 * Takes back lines of an invoice, in the caller's transaction. It lowers what is due; what was paid already is refunded
 * or goes to the balance, from where the next invoices are paid.
 */
export async function creditInvoice(ctx: Context & Tenancy, id: number, correction: Correction): Promise<InvoiceModel> {
  const { key, note, of, isRefunded } = correction;
  return transaction(ctx, async (ctx) => {
    const invoice = await lockInvoice(ctx, id);
    const found = await InvoiceModel.of(ctx).findOne({ correctsId: id, correctionKey: key });
    if (found) return found;
    if (invoice.kind !== 'INVOICE' || invoice.status === 'DRAFT' || invoice.status === 'VOID')
      throw new Error(`invoice ${invoice.label} is ${invoice.status}: there is nothing to correct`);
    const open = await openLines(ctx, id);
    const lines = 'totalMinor' in of ? divide(open, of.totalMinor) : of.map((part) => partOf(open, part));
    const final = await writeNote(ctx, invoice, { key, note, lines });
    const creditedMinor = -final.totalMinor;
    const overMinor = Math.max(0, creditedMinor - invoice.dueMinor);
    const refundedMinor = isRefunded ? Math.min(overMinor, invoice.paidMinor) : 0;
    const returnedMinor = overMinor - refundedMinor;
    await settle(ctx, invoice, {
      creditedMinor: invoice.creditedMinor + creditedMinor,
      paidMinor: invoice.paidMinor - refundedMinor,
      returnedMinor: invoice.returnedMinor + returnedMinor,
    });
    await postCredit(ctx, final, { refundedMinor, returnedMinor });
    await mailInvoice(ctx, final, 'CREDITED');
    return final;
  });
}

/** The sum of the credit notes of an invoice whose keys begin so. */
export async function creditedBy(tenancy: Tenancy, correctsId: number, keys: string): Promise<number> {
  const notes = await InvoiceModel.of(tenancy).where({ correctsId }).where('correctionKey', 'like', `${keys}%`);
  return notes.reduce((sum, { totalMinor }) => sum - totalMinor, 0);
}

async function writeNote(
  ctx: Context & Tenancy,
  invoice: InvoiceModel,
  { key, note, lines }: { key: string; note: string; lines: readonly NewLine[] },
): Promise<InvoiceModel> {
  const { id: correctsId, collection, currency, subscriptionId, seller, buyer, taxTreatment, series } = invoice;
  const made = await InvoiceModel.add(ctx, {
    kind: 'CREDIT_NOTE',
    status: 'DRAFT',
    reason: 'CORRECTION',
    collection,
    currency,
    subscriptionId,
    correctsId,
    correctionKey: key,
    note,
    createdAt: ctx.now,
    updatedAt: ctx.now,
  });
  const draft = await addLines(ctx, made.id, lines);
  const taxMinor = lines.reduce((sum, line) => sum + (line.taxMinor ?? 0), 0);
  const final = await change(ctx, draft, {
    ...(await takeNumber(ctx, `${series}${SUFFIX}`)),
    status: 'PAID',
    taxTreatment,
    taxMinor,
    totalMinor: draft.subtotalMinor + taxMinor,
    seller,
    buyer,
    issuedAt: ctx.now,
    dueAt: ctx.now,
    paidAt: ctx.now,
  });
  await announce(ctx, draft, final);
  return final;
}

/** A line, and what earlier credit notes have left of it. */
interface OpenLine extends Pick<NewLine, 'kind' | 'description'> {
  id: number;
  taxRatePpm: number;
  amountMinor: number;
  taxMinor: number;
}

const CREDITED: Statement = {
  text: `
    select line.corrects_line_id as id, sum(line.amount_minor)::bigint as amount, sum(line.tax_minor)::bigint as tax
    from invoices note
    join invoice_lines line on line.organization_id = $1 and line.invoice_id = note.id
    where note.organization_id = $1 and note.corrects_id = $2 and note.status <> 'DRAFT'
    group by 1`,
};

async function openLines(tenancy: Tenancy, invoiceId: number): Promise<OpenLine[]> {
  const credited = await execute<{ id: number; amount: number; tax: number }>(tenancy.db, CREDITED, [
    tenancy.organization.id,
    invoiceId,
  ]);
  const byLine = new Map(credited.map((line) => [line.id, line]));
  return (await linesOf(tenancy, invoiceId)).map(({ id, kind, description, taxRatePpm, amountMinor, taxMinor }) => ({
    id,
    kind,
    description,
    taxRatePpm: taxRatePpm!, // an invoice that is final has them
    amountMinor: amountMinor + (byLine.get(id)?.amount ?? 0),
    taxMinor: taxMinor + (byLine.get(id)?.tax ?? 0),
  }));
}

/** The line of a credit note that takes back so much of a line. With the rest of a line goes the rest of its tax. */
function partOf(open: readonly OpenLine[], { lineId, amountMinor }: { lineId: number; amountMinor: number }): NewLine {
  const line = open.find(({ id }) => id === lineId);
  if (!line || amountMinor === 0 || Math.sign(amountMinor) !== Math.sign(line.amountMinor))
    throw new Error('the invoice has no such line');
  if (Math.abs(amountMinor) > Math.abs(line.amountMinor))
    throw new Error(`of the line are ${line.amountMinor} left, which is less than ${amountMinor}`);
  return creditOf(line, amountMinor, share(line.taxMinor, amountMinor, line.amountMinor));
}

const creditOf = (line: OpenLine, amountMinor: number, taxMinor: number): NewLine => ({
  kind: line.kind,
  description: line.description,
  amountMinor: -amountMinor,
  taxRatePpm: line.taxRatePpm,
  taxMinor: -taxMinor,
  correctsLineId: line.id,
});

/** Divides a sum with tax among the lines, by what is left of each. */
function divide(open: readonly OpenLine[], totalMinor: number): NewLine[] {
  const left = open.map(({ amountMinor, taxMinor }) => amountMinor + taxMinor);
  const whole = left.reduce((sum, amount) => sum + amount, 0);
  if (totalMinor <= 0 || totalMinor > whole)
    throw new Error(`of the invoice are ${whole} left, which is less than ${totalMinor}`);
  let before = 0;
  let sum = 0;
  return open.flatMap((line, at) => {
    // Shares of the running sum: they add up to the total, whatever is rounded.
    sum += left[at]!;
    const upTo = share(totalMinor, sum, whole);
    const part = upTo - before;
    before = upTo;
    if (part === 0) return [];
    const taxMinor = share(part, line.taxMinor, left[at]!);
    return [creditOf(line, part - taxMinor, taxMinor)];
  });
}
