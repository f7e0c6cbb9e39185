import type { Stripe } from 'stripe';
import { fromWire, type Money } from '../money.ts';
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
import { STRIPE_CURRENCIES } from './currencies.ts';

/** Metadata of ours on its objects: the public id of the payment, refund or setup. */
export const REFERENCE = 'reference';

type Intent = Stripe.PaymentIntent;
type Session = Stripe.Checkout.Session;

const INTENT_STATUS: ReadonlyMap<string, ChargeStatus> = new Map<Intent['status'], ChargeStatus>([
  ['requires_confirmation', 'CREATED'],
  ['requires_action', 'REQUIRES_ACTION'],
  ['processing', 'PENDING'],
  ['succeeded', 'SUCCEEDED'],
  ['canceled', 'CANCELED'],
]);

export function chargeOfIntent(intent: Intent): Charge {
  const charge = objectOrNull(intent.latest_charge);
  const balance = objectOrNull(charge?.balance_transaction);
  // Without a failure it waits for a method: it was just made.
  const waits = intent.status === 'requires_payment_method';
  const status = waits
    ? intent.last_payment_error
      ? 'FAILED'
      : 'CREATED'
    : (INTENT_STATUS.get(intent.status) ?? null);
  const error = intent.last_payment_error;
  return {
    id: knownId(intent),
    status,
    providerStatus: intent.status,
    next: nextOf(status, waits),
    amount: moneyOf(intent.amount, intent.currency),
    reference: intent.metadata[REFERENCE] ?? null,
    actionUrl: intent.next_action?.redirect_to_url?.url ?? null,
    customerId: idOf(intent.customer),
    methodId: idOf(intent.payment_method),
    captureId: status === 'SUCCEEDED' || status === 'PENDING' ? idOf(intent.latest_charge) : null,
    refundedMinor: charge?.amount_refunded ? moneyOf(charge.amount_refunded, charge.currency).amountMinor : 0,
    feeMinor: balance && feeOf(balance, intent.currency),
    failureCode: error?.decline_code ?? error?.code ?? null,
    isDisputed: charge?.disputed ?? false,
    isLive: intent.livemode,
  };
}

/** Of money that is changed into the account's own currency, the fee is taken there: none of it is the charge's. */
const feeOf = ({ fee, currency }: Stripe.BalanceTransaction, ofCharge: string): number =>
  currency === ofCharge ? moneyOf(fee, currency).amountMinor : 0;

function nextOf(status: ChargeStatus | null, waits: boolean): Charge['next'] {
  if (status === 'CREATED') return waits ? 'payer' : 'confirm';
  if (status === 'REQUIRES_ACTION') return 'payer';
  return status === 'PENDING' ? 'time' : null;
}

/** A page where the payer pays. Once it is complete, its payment says how it went. */
export function chargeOfSession(session: Session): Charge {
  const intent = objectOrNull(session.payment_intent);
  const own = session.status === 'complete' && intent ? chargeOfIntent(intent) : null;
  const status = statusOfSession(session, own);
  return {
    id: knownId(session),
    status,
    providerStatus: `${session.status}/${own?.providerStatus ?? session.payment_status}`,
    next: status === 'REQUIRES_ACTION' ? 'payer' : status === 'PENDING' ? 'time' : null,
    amount: moneyOf(session.amount_total ?? 0, session.currency ?? ''),
    reference: session.metadata?.[REFERENCE] ?? null,
    actionUrl: session.url,
    customerId: idOf(session.customer),
    methodId: own?.methodId ?? null,
    captureId: own?.captureId ?? null,
    refundedMinor: own?.refundedMinor ?? 0,
    feeMinor: own?.feeMinor ?? null,
    failureCode: own?.failureCode ?? null,
    isDisputed: own?.isDisputed ?? false,
    isLive: session.livemode,
  };
}

function statusOfSession({ status, payment_status }: Session, own: Charge | null): ChargeStatus | null {
  if (status === 'open') return 'REQUIRES_ACTION';
  if (status === 'expired') return 'CANCELED';
  if (status !== 'complete') return null;
  if (payment_status === 'paid' || payment_status === 'no_payment_required') return 'SUCCEEDED';
  // Complete is not paid: a debit may fail days later.
  return own && own.status !== 'SUCCEEDED' ? own.status : payment_status === 'unpaid' ? 'PENDING' : null;
}

const SETUP_STATUS: ReadonlyMap<string, SetupStatus> = new Map<Stripe.SetupIntent['status'], SetupStatus>([
  ['requires_confirmation', 'REQUIRES_ACTION'],
  ['requires_action', 'REQUIRES_ACTION'],
  ['processing', 'PENDING'],
  ['succeeded', 'SUCCEEDED'],
  ['canceled', 'CANCELED'],
]);

export function setupOfIntent(intent: Stripe.SetupIntent): Setup {
  const method = objectOrNull(intent.payment_method);
  const failed = intent.status === 'requires_payment_method' && intent.last_setup_error !== null;
  const waits = intent.status === 'requires_payment_method' && !failed;
  return {
    id: knownId(intent),
    status: failed ? 'FAILED' : waits ? 'REQUIRES_ACTION' : (SETUP_STATUS.get(intent.status) ?? null),
    providerStatus: intent.status,
    reference: intent.metadata?.[REFERENCE] ?? null,
    customerId: idOf(intent.customer),
    actionUrl: intent.next_action?.redirect_to_url?.url ?? null,
    method: intent.status === 'succeeded' && method ? methodOf(method) : null,
    isLive: intent.livemode,
  };
}

export function setupOfSession(session: Session): Setup {
  const intent = objectOrNull(session.setup_intent);
  const own = intent ? setupOfIntent(intent) : null;
  const page = session.status === 'open' ? 'REQUIRES_ACTION' : session.status === 'expired' ? 'CANCELED' : null;
  return {
    id: knownId(session),
    status: page ?? own?.status ?? null,
    providerStatus: `${session.status}/${own?.providerStatus ?? 'none'}`,
    reference: session.metadata?.[REFERENCE] ?? null,
    customerId: idOf(session.customer),
    actionUrl: session.url,
    method: own?.method ?? null,
    isLive: session.livemode,
  };
}

export function methodOf(method: Stripe.PaymentMethod): PaymentMethod {
  const { card, sepa_debit: debit } = method;
  return {
    id: knownId(method),
    kind: method.type,
    brand: card?.brand ?? null,
    last4: card?.last4 ?? debit?.last4 ?? null,
    expiresAt: card ? new Date(Date.UTC(card.exp_year, card.exp_month)) : null,
    fingerprint: card?.fingerprint ?? debit?.fingerprint ?? null,
    customerId: idOf(method.customer),
    isLive: method.livemode,
  };
}

const REFUND_STATUS: ReadonlyMap<string, RefundStatus> = new Map([
  ['pending', 'PENDING'],
  ['requires_action', 'PENDING'],
  ['succeeded', 'SUCCEEDED'],
  ['failed', 'FAILED'],
  ['canceled', 'CANCELED'],
]);

export function refundOf(refund: Stripe.Refund): Refund {
  return {
    id: knownId(refund),
    status: REFUND_STATUS.get(refund.status ?? '') ?? null,
    providerStatus: refund.status ?? '',
    amount: moneyOf(refund.amount, refund.currency),
    captureId: idOf(refund.charge),
    reference: refund.metadata?.[REFERENCE] ?? null,
    failureCode: refund.failure_reason ?? null,
  };
}

const DISPUTE_STATUS: ReadonlyMap<string, DisputeStatus> = new Map<Stripe.Dispute['status'], DisputeStatus>([
  ['needs_response', 'OPEN'],
  ['under_review', 'OPEN'],
  ['warning_needs_response', 'OPEN'],
  ['warning_under_review', 'OPEN'],
  ['appeal_needs_response', 'OPEN'],
  ['appeal_under_review', 'OPEN'],
  ['warning_closed', 'CLOSED'],
  ['prevented', 'CLOSED'],
  ['won', 'WON'],
  ['lost', 'LOST'],
]);

export function disputeOf(dispute: Stripe.Dispute): Dispute {
  return {
    id: knownId(dispute),
    status: DISPUTE_STATUS.get(dispute.status) ?? null,
    providerStatus: dispute.status,
    amount: moneyOf(dispute.amount, dispute.currency),
    captureId: idOf(dispute.charge),
    reason: dispute.reason,
  };
}

export function moneyOf(amount: number, currency: string): Money {
  return fromWire(STRIPE_CURRENCIES, BigInt(amount), currency.toUpperCase());
}

/** The library answers whatever the body was. */
export function knownId({ id }: { id: string }): string {
  if (typeof id !== 'string' || id === '') throw new Error('the answer has no id');
  return id;
}

type Expandable = string | { id: string } | null | undefined;

function idOf(value: Expandable): string | null {
  return typeof value === 'string' ? value : (value?.id ?? null);
}

/** Null where it was not asked for as an object, or is none. */
function objectOrNull<Value>(value: string | Value | null | undefined): Value | null {
  return typeof value === 'string' ? null : (value ?? null);
}
