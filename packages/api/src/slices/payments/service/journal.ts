import { postAtEnd } from '../../books/service/journal.ts';
import type { DisputeModel, PaymentModel, RefundModel } from '../model.ts';
import type { TenantContext } from './fulfilment.ts';

/** What a payment moves, in the books: each entry once. */

/** Again when the fee is known, if it was not. */
export async function postCharge(ctx: TenantContext, payment: PaymentModel): Promise<void> {
  const { id, organizationId, provider, purpose, currency, amountMinor, feeMinor, paidAt } = payment;
  const source = { kind: 'payment', id } as const;
  const cash = `cash_${provider}` as const;
  const at = paidAt ?? ctx.now;
  await postAtEnd(ctx, {
    kind: 'PAYMENT',
    source,
    organizationId,
    at,
    lines: [
      { account: cash, currency, amountMinor },
      { account: purpose === 'INVOICE' ? 'receivable' : 'revenue', currency, amountMinor: -amountMinor },
    ],
  });
  await postAtEnd(ctx, {
    kind: 'FEE',
    source,
    organizationId,
    at: ctx.now,
    lines: [
      { account: 'fees', currency, amountMinor: feeMinor ?? 0 },
      { account: cash, currency, amountMinor: -(feeMinor ?? 0) },
    ],
  });
}

export async function postRefund(
  ctx: TenantContext,
  refund: RefundModel,
  account: 'refunds' | 'receivable',
): Promise<void> {
  const { id, organizationId, provider, currency, amountMinor } = refund;
  await postAtEnd(ctx, {
    kind: 'REFUND',
    source: { kind: 'refund', id },
    organizationId,
    at: ctx.now,
    lines: [
      { account, currency, amountMinor },
      { account: `cash_${provider}`, currency, amountMinor: -amountMinor },
    ],
  });
}

/** Where the money comes from, and where it goes. */
const DISPUTE = {
  DISPUTE_OPENED: ['cash', 'disputes'],
  DISPUTE_WON: ['disputes', 'cash'],
  DISPUTE_LOST: ['disputes', 'refunds'],
} as const;

export async function postDispute(
  ctx: TenantContext,
  dispute: DisputeModel,
  kind: keyof typeof DISPUTE,
): Promise<void> {
  const { id, organizationId, provider, currency, amountMinor } = dispute;
  const [from, to] = DISPUTE[kind].map((account) => (account === 'cash' ? (`cash_${provider}` as const) : account));
  await postAtEnd(ctx, {
    kind,
    source: { kind: 'dispute', id },
    organizationId,
    at: ctx.now,
    lines: [
      { account: to!, currency, amountMinor },
      { account: from!, currency, amountMinor: -amountMinor },
    ],
  });
}
