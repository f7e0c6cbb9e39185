import { change } from '../../../data/base-model.ts';
import { creditedBy, creditInvoice } from '../../invoices/service/credit.ts';
import { lockInvoice } from '../../invoices/service/find.ts';
import type { Fulfilment, Reversal } from '../../payments/service/fulfilment.ts';
import { refundDuplicate } from '../../payments/service/refunds.ts';
import { countFailedPayment, countPayment, type SettledPayment } from './fulfil.ts';
import type { TenantContext } from './move.ts';

/** What follows from a payment of an invoice. */
export const invoiceFulfilment: Fulfilment = {
  async settle(ctx, payment) {
    if (!(await countPayment(ctx, payment))) await refundDuplicate(ctx, payment);
  },
  reverse,
  fail: countFailedPayment,
};

async function reverse(
  ctx: TenantContext,
  payment: SettledPayment,
  kind: Reversal,
  amountMinor: number,
): Promise<void> {
  const invoice = await lockInvoice(ctx, payment.subjectId);
  if (kind === 'refund') {
    // The sum of all refunds of the payment: a credit note takes back what those of earlier refunds have not, and at
    // most what all credit notes have left of the invoice.
    const refunds = `refund/${payment.id}/`;
    const left = invoice.totalMinor - invoice.creditedMinor;
    const totalMinor = Math.min(amountMinor - (await creditedBy(ctx, invoice.id, refunds)), left);
    if (totalMinor <= 0 || invoice.status === 'VOID') return;
    const key = `${refunds}${amountMinor}`;
    await creditInvoice(ctx, invoice.id, { key, note: 'Refunded', of: { totalMinor }, isRefunded: true });
  }
  if (kind === 'dispute_lost' && invoice.chargedBackMinor === 0)
    await change(ctx, invoice, { chargedBackMinor: Math.min(amountMinor, invoice.totalMinor) });
}
