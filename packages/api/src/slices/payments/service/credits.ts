import { freezeCredits, grantCredits, takeBackCredits, thawCredits } from '../../credits/service/ledger.ts';
import { CreditPurchaseModel, type PaymentModel } from '../model.ts';
import type { Fulfilment, TenantContext } from './fulfilment.ts';

/** Spent before what staff gave. */
const PRIORITY = 50;

const grantOf = ({ ids }: TenantContext, { id }: PaymentModel) =>
  ({ source: 'PAYMENT', key: `payment/${ids.encode('pay', id)}` }) as const;

async function purchaseOf(ctx: TenantContext, { subjectId }: PaymentModel): Promise<CreditPurchaseModel> {
  return CreditPurchaseModel.of(ctx).findOne({ id: subjectId }).throwIfNotFound();
}

/** Credits are granted once for a payment, and taken back with it. */
export const creditFulfilment: Fulfilment = {
  async settle(ctx, payment) {
    const { credits } = await purchaseOf(ctx, payment);
    await grantCredits(ctx, { ...grantOf(ctx, payment), credits, priority: PRIORITY });
  },
  async reverse(ctx, payment, kind, amountMinor) {
    const grant = grantOf(ctx, payment);
    if (kind === 'dispute_opened') return freezeCredits(ctx, grant);
    if (kind === 'dispute_won') return thawCredits(ctx, grant);
    const { credits } = await purchaseOf(ctx, payment);
    const lostMinor = kind === 'refund' ? amountMinor : amountMinor + payment.refundedMinor;
    await takeBackCredits(ctx, { ...grant, credits: shareOf(credits, lostMinor, payment.amountMinor) });
  },
};

/** The credits of a part of their price, rounded down; of all of it, all. */
function shareOf(credits: number, partMinor: number, wholeMinor: number): number {
  if (partMinor >= wholeMinor) return credits;
  return Number((BigInt(credits) * BigInt(partMinor)) / BigInt(wholeMinor));
}
