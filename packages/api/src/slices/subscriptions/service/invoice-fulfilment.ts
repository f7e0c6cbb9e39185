import { change } from '../../../data/base-model.ts';
import { freezeCredits, takeBackCredits, thawCredits } from '../../credits/service/ledger.ts';
import { creditedBy, creditInvoice } from '../../invoices/service/credit.ts';
import { lockInvoice } from '../../invoices/service/find.ts';
import type { Fulfilment, Reversal } from '../../payments/service/fulfilment.ts';
import { refundDuplicate } from '../../payments/service/refunds.ts';
import type { SubscriptionModel } from '../model.ts';
import { LIVE } from '../state.ts';
import type { Invoice } from './bill.ts';
import { end } from './cancel.ts';
import { countFailedPayment, countPayment, type SettledPayment, subscriptionOf } from './fulfil.ts';
import { keysOfInvoice } from './grant-credits.ts';
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
  const subscription = await subscriptionOf(ctx, payment.subjectId);
  const invoice = await lockInvoice(ctx, payment.subjectId);
  if (kind === 'refund') return creditRefunded(ctx, payment, invoice, amountMinor);
  if (subscription) await contest(ctx, subscription, invoice, kind);
  if (kind === 'dispute_lost' && invoice.chargedBackMinor === 0)
    await change(ctx, invoice, { chargedBackMinor: Math.min(amountMinor, invoice.totalMinor) });
}

/**
 * The sum of all refunds of the payment: a credit note takes back what those of earlier refunds have not, and at most
 * what all credit notes have left of the invoice.
 */
async function creditRefunded(
  ctx: TenantContext,
  payment: SettledPayment,
  invoice: Invoice,
  refundedMinor: number,
): Promise<void> {
  const refunds = `refund/${payment.id}/`;
  const left = invoice.totalMinor - invoice.creditedMinor;
  const totalMinor = Math.min(refundedMinor - (await creditedBy(ctx, invoice.id, refunds)), left);
  if (totalMinor <= 0 || invoice.status === 'VOID') return;
  const key = `${refunds}${refundedMinor}`;
  await creditInvoice(ctx, invoice.id, { key, note: 'Refunded', of: { totalMinor }, isRefunded: true });
}

/** More than any grant: all of it. */
const ALL = Number.MAX_SAFE_INTEGER;

/** Credits of what is disputed cannot be spent, and with a dispute that is lost they go, and the subscription ends. */
async function contest(
  ctx: TenantContext,
  subscription: SubscriptionModel,
  invoice: Invoice,
  kind: Exclude<Reversal, 'refund'>,
): Promise<void> {
  for (const key of await keysOfInvoice(ctx, subscription, invoice)) {
    const grant = { source: 'PLAN', key } as const;
    if (kind === 'dispute_opened') await freezeCredits(ctx, grant);
    if (kind === 'dispute_won') await thawCredits(ctx, grant);
    if (kind === 'dispute_lost') await takeBackCredits(ctx, { ...grant, credits: ALL });
  }
  if (kind === 'dispute_lost' && LIVE.includes(subscription.status))
    await end(ctx, subscription, { status: 'CANCELED', at: ctx.now });
}
