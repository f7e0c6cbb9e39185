import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { InvoicePaid, InvoicePaymentFailed, InvoiceVoided } from '../events.ts';
import type { InvoiceModel } from '../model.ts';
import { mailInvoice } from './announce.ts';
import { findInvoice, lockInvoice } from './find.ts';
import { postVoid } from './post.ts';

/**
 * Counts a payment that succeeded. Null: so much is not due, because another one was faster or the invoice is void;
 * all of it is to be refunded.
 */
export async function settleInvoice(
  ctx: Context & Tenancy,
  id: number,
  amountMinor: number,
): Promise<InvoiceModel | null> {
  return transaction(ctx, async (ctx) => {
    const before = await lockInvoice(ctx, id);
    if (amountMinor > before.dueMinor) return null;
    const paid = await settle(ctx, before, { paidMinor: before.paidMinor + amountMinor });
    if (paid.status === 'PAID') await mailInvoice(ctx, paid, 'PAID');
    return paid;
  });
}

type Amounts = Partial<Pick<InvoiceModel, 'paidMinor' | 'creditedMinor' | 'returnedMinor'>>;

/** Changes what is settled of a locked invoice that is final. Once nothing is due it is paid, and stays so. */
export async function settle(ctx: Context & Tenancy, before: InvoiceModel, amounts: Amounts): Promise<InvoiceModel> {
  const { paidMinor, creditedMinor, returnedMinor } = { ...before, ...amounts };
  const settledMinor = paidMinor + before.balanceMinor + creditedMinor - returnedMinor;
  const becomesPaid = before.status !== 'PAID' && settledMinor === before.totalMinor;
  const after = await change(ctx, before, { ...amounts, ...(becomesPaid && { status: 'PAID', paidAt: ctx.now }) });
  if (becomesPaid) await record(ctx, InvoicePaid, { target: after, before, after, data: after.summary(ctx.ids) });
  return after;
}

/** Says that a payment of it failed. What is due stays due. */
export async function missInvoicePayment(ctx: Context & Tenancy, id: number): Promise<void> {
  const invoice = await findInvoice(ctx, id);
  if (invoice.status !== 'OPEN' && invoice.status !== 'UNCOLLECTIBLE') return;
  await record(ctx, InvoicePaymentFailed, { target: invoice, data: invoice.summary(ctx.ids) });
}

/** Takes back an invoice of which nothing was paid or credited. What the balance paid of it returns there. */
export async function voidInvoice(ctx: Context & Tenancy, id: number): Promise<InvoiceModel> {
  return transaction(ctx, async (ctx) => {
    const before = await lockInvoice(ctx, id);
    if (before.status === 'VOID') return before;
    const isOpen = before.status === 'OPEN' || before.status === 'UNCOLLECTIBLE';
    if (!isOpen || before.paidMinor > 0 || before.creditedMinor > 0)
      throw new Error(`invoice ${before.label} is ${before.status}: correct it by a credit note`);
    const after = await change(ctx, before, { status: 'VOID', voidedAt: ctx.now });
    await postVoid(ctx, after);
    await record(ctx, InvoiceVoided, { target: after, before, after, data: after.summary(ctx.ids) });
    await mailInvoice(ctx, after, 'VOIDED');
    return after;
  });
}
