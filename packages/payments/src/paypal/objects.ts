import type {
  Order,
  OrdersCapture,
  PaymentTokenResponse,
  Refund as PayPalRefund,
  SetupTokenResponse,
} from '@paypal/paypal-server-sdk';
import { z } from 'zod';
import { fromDecimal, fromWire, type Money } from '../money.ts';
import type {
  Charge,
  ChargeStatus,
  Dispute,
  DisputeStatus,
  PaymentMethod,
  Refund,
  RefundStatus,
  Setup,
  SetupStatus,
} from '../payment-provider.ts';
import { PAYPAL_CURRENCIES } from './currencies.ts';

const ORDER_STATUS: ReadonlyMap<string, ChargeStatus> = new Map([
  ['CREATED', 'CREATED'],
  ['SAVED', 'CREATED'],
  ['PAYER_ACTION_REQUIRED', 'REQUIRES_ACTION'],
  ['APPROVED', 'REQUIRES_ACTION'],
  ['VOIDED', 'CANCELED'],
]);

const CAPTURE_STATUS: ReadonlyMap<string, ChargeStatus> = new Map([
  ['COMPLETED', 'SUCCEEDED'],
  ['PARTIALLY_REFUNDED', 'SUCCEEDED'],
  ['REFUNDED', 'SUCCEEDED'],
  ['PENDING', 'PENDING'],
  ['DECLINED', 'FAILED'],
  ['FAILED', 'FAILED'],
]);

export function chargeOf(order: Order, isLive: boolean): Charge {
  const [unit] = order.purchaseUnits ?? [];
  const capture = unit?.payments?.captures?.at(-1);
  // A completed order whose capture is pending is not paid.
  const status = capture
    ? (CAPTURE_STATUS.get(capture.status ?? '') ?? null)
    : (ORDER_STATUS.get(order.status ?? '') ?? null);
  const wallet = order.paymentSource?.paypal;
  return {
    id: known(order.id),
    status,
    providerStatus: capture ? `${order.status}/${capture.status}` : (order.status ?? ''),
    next: nextOf(order, status),
    amount: moneyOf(unit?.amount),
    reference: unit?.customId ?? null,
    actionUrl: status === 'REQUIRES_ACTION' ? linkOf(order.links, ['payer-action', 'approve']) : null,
    customerId: wallet?.attributes?.vault?.customer?.id ?? null,
    methodId: wallet?.attributes?.vault?.id ?? null,
    captureId: status === 'SUCCEEDED' || status === 'PENDING' ? (capture?.id ?? null) : null,
    refundedMinor: refundedOf(unit?.payments?.refunds ?? []),
    feeMinor: feeOf(capture),
    failureCode: status === 'FAILED' ? (capture?.statusDetails?.reason ?? capture?.status ?? null) : null,
    isDisputed: capture?.statusDetails?.reason === 'CHARGEBACK' || capture?.statusDetails?.reason === 'BUYER_COMPLAINT',
    isLive,
  };
}

function nextOf(order: Order, status: ChargeStatus | null): Charge['next'] {
  if (status === 'PENDING') return 'time';
  if (status === 'CREATED' || order.status === 'APPROVED') return status === 'FAILED' ? null : 'confirm';
  return status === 'REQUIRES_ACTION' ? 'payer' : null;
}

function refundedOf(refunds: readonly PayPalRefund[]): number {
  return refunds
    .filter(({ status }) => status !== 'FAILED' && status !== 'CANCELLED')
    .reduce((sum, { amount }) => sum + moneyOf(amount).amountMinor, 0);
}

function feeOf(capture: OrdersCapture | undefined): number | null {
  const fee = capture?.sellerReceivableBreakdown?.paypalFee;
  return fee ? moneyOf(fee).amountMinor : null;
}

const SETUP_STATUS: ReadonlyMap<string, SetupStatus> = new Map([
  ['CREATED', 'REQUIRES_ACTION'],
  ['PAYER_ACTION_REQUIRED', 'REQUIRES_ACTION'],
  ['APPROVED', 'PENDING'],
  ['VAULTED', 'SUCCEEDED'],
  ['TOKENIZED', 'SUCCEEDED'],
]);

export function setupOf(token: SetupTokenResponse, isLive: boolean): Setup {
  const status = SETUP_STATUS.get(token.status ?? '') ?? null;
  return {
    id: known(token.id),
    status,
    providerStatus: token.status ?? '',
    reference: token.customer?.merchantCustomerId ?? null,
    customerId: token.customer?.id ?? null,
    actionUrl: status === 'REQUIRES_ACTION' ? linkOf(token.links, ['approve', 'payer-action']) : null,
    method: null,
    isLive,
  };
}

export function methodOf(token: PaymentTokenResponse, isLive: boolean): PaymentMethod {
  const { paypal, card } = token.paymentSource ?? {};
  return {
    id: known(token.id),
    kind: card ? 'card' : 'paypal',
    brand: card?.brand ?? null,
    last4: card?.lastDigits ?? null,
    expiresAt: null,
    fingerprint: paypal?.payerId ?? paypal?.accountId ?? null,
    customerId: token.customer?.id ?? null,
    isLive,
  };
}

const REFUND_STATUS: ReadonlyMap<string, RefundStatus> = new Map([
  ['PENDING', 'PENDING'],
  ['COMPLETED', 'SUCCEEDED'],
  ['FAILED', 'FAILED'],
  ['CANCELLED', 'CANCELED'],
]);

export function refundOf(refund: PayPalRefund): Refund {
  const up = linkOf(refund.links, ['up']);
  return {
    id: known(refund.id),
    status: REFUND_STATUS.get(refund.status ?? '') ?? null,
    providerStatus: refund.status ?? '',
    amount: moneyOf(refund.amount),
    captureId: /\/captures\/([\w-]{1,64})$/.exec(up ?? '')?.[1] ?? null,
    reference: refund.customId ?? null,
    failureCode: refund.statusDetails?.reason ?? null,
  };
}

const WireMoney = z.object({ currency_code: z.string(), value: z.string() });

export const DisputeAnswer = z.object({
  dispute_id: z.string(),
  status: z.string(),
  reason: z.string().catch(''),
  dispute_amount: WireMoney,
  dispute_outcome: z.object({ outcome_code: z.string() }).nullish(),
  disputed_transactions: z.array(z.object({ seller_transaction_id: z.string().optional() })).optional(),
});

const OUTCOMES: ReadonlyMap<string, DisputeStatus> = new Map([
  ['RESOLVED_SELLER_FAVOUR', 'WON'],
  ['CANCELED_BY_BUYER', 'WON'],
  ['DENIED', 'WON'],
  ['RESOLVED_BUYER_FAVOUR', 'LOST'],
  ['ACCEPTED', 'LOST'],
  ['RESOLVED_WITH_PAYOUT', 'CLOSED'],
  ['NONE', 'CLOSED'],
]);

const OPEN = new Set(['OPEN', 'WAITING_FOR_BUYER_RESPONSE', 'WAITING_FOR_SELLER_RESPONSE', 'UNDER_REVIEW']);

export function disputeOf(dispute: z.output<typeof DisputeAnswer>): Dispute {
  const outcome = dispute.dispute_outcome?.outcome_code;
  const resolved = dispute.status === 'RESOLVED' ? (OUTCOMES.get(outcome ?? '') ?? null) : null;
  return {
    id: dispute.dispute_id,
    status: OPEN.has(dispute.status) ? 'OPEN' : resolved,
    providerStatus: outcome ? `${dispute.status}/${outcome}` : dispute.status,
    amount: moneyOf({ currencyCode: dispute.dispute_amount.currency_code, value: dispute.dispute_amount.value }),
    captureId: dispute.disputed_transactions?.[0]?.seller_transaction_id ?? null,
    reason: dispute.reason,
  };
}

export function moneyOf(money: { currencyCode: string; value: string } | undefined): Money {
  const currency = money?.currencyCode ?? '';
  const wire = fromDecimal(money?.value ?? '', PAYPAL_CURRENCIES.get(currency)?.decimals ?? 0);
  if (wire === null) throw new Error('the answer has an amount that cannot be read');
  return fromWire(PAYPAL_CURRENCIES, wire, currency);
}

function known(id: string | undefined): string {
  if (!id) throw new Error('the answer has no id');
  return id;
}

function linkOf(links: readonly { rel: string; href: string }[] | undefined, rels: readonly string[]): string | null {
  return links?.find(({ rel }) => rels.includes(rel))?.href ?? null;
}
