import type { Money, ProviderCurrencies } from './money.ts';

/**
 * What moves money: it saves a method, charges it, refunds, and reads disputes. Periods, invoices and access are
 * decided elsewhere. Everything in and out is plain data; each failure is a `ProviderError`.
 *
 * An event is a hint that an object has changed, never data: read the object, and apply what was read.
 */
export interface PaymentProvider {
  readonly name: ProviderName;
  /** Whether money is real there. */
  readonly isLive: boolean;
  readonly currencies: ProviderCurrencies;
  /** The account at the provider; null where it has none of its own. The key makes a repeat the same account. */
  createCustomer(input: NewCustomer): Promise<Customer | null>;
  /** Null where it was deleted at the provider, or the provider has none. */
  getCustomer(id: string): Promise<Customer | null>;
  /** Begins saving a method, which the payer completes at `actionUrl`. */
  startSetup(input: NewSetup): Promise<Setup>;
  /** The setup as it is now. Where the payer has agreed, it saves the method; a repeat changes nothing. */
  finishSetup(id: string): Promise<Setup>;
  getMethod(id: string): Promise<PaymentMethod | null>;
  removeMethod(id: string): Promise<void>;
  /** Moves no money. Commit the id that it answers before anything else is done with it. */
  createCharge(input: NewCharge): Promise<Charge>;
  /**
   * Moves the money, unless a look at the charge says that it has moved, or cannot. `refused`: the method was declined,
   * and nothing moved. `unknown`: call it again, with a new key.
   */
  confirmCharge(input: ConfirmCharge): Promise<Charge>;
  /** Makes sure that the payer cannot pay it any more; a charge that has been paid stays as it is. */
  cancelCharge(id: string): Promise<Charge>;
  getCharge(id: string): Promise<Charge>;
  /** Looks for a refund of the same reference first, so that a repeat never refunds twice. */
  refund(input: NewRefund): Promise<Refund>;
  getRefund(id: string): Promise<Refund>;
  getDispute(id: string): Promise<Dispute>;
  /** What the provider knows since then, page by page: events that never arrived, or every movement of money. */
  listSince<Kind extends keyof Listed>(kind: Kind, from: Date, cursor?: string | null): Promise<Page<Listed[Kind]>>;
  /** Throws `ForgedEventError`. It waits for no network; what it cannot judge alone is `verified: false`. */
  verifyEvent(raw: Buffer, headers: EventHeaders, now: Date): Promise<ProviderEvent>;
  /** Judges, over the network if it must, an event that `verifyEvent` left open. False is a forgery. */
  confirmEvent(raw: Buffer, headers: EventHeaders, now: Date): Promise<boolean>;
  /** The object to read again; null where the event concerns none that we know. */
  objectOf(event: ProviderEvent): ObjectRef | null;
  /** A page of the provider where a customer manages methods; null where it has none. */
  portalUrl(input: { customerId: string; returnUrl: string }): Promise<string | null>;
}

export type ProviderName = 'stripe' | 'paypal' | 'manual';

export interface NewCustomer {
  key: string;
  reference: string;
  email: string | null;
  name: string | null;
}

export interface Customer {
  id: string;
}

export interface NewSetup {
  /** The same key within the provider's memory answers the same object. */
  key: string;
  reference: string;
  customerId: string | null;
  currency: string;
  returnUrl: string;
}

/** What the provider calls it, in a word of ours; null for a word that we do not know: keep what you had. */
export type SetupStatus = 'REQUIRES_ACTION' | 'PENDING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED';

export interface Setup {
  id: string;
  status: SetupStatus | null;
  providerStatus: string;
  reference: string | null;
  customerId: string | null;
  actionUrl: string | null;
  method: PaymentMethod | null;
  isLive: boolean;
}

export interface PaymentMethod {
  id: string;
  kind: string;
  /** The brand of a card. */
  brand: string | null;
  last4: string | null;
  /** The first moment at which it is expired. */
  expiresAt: Date | null;
  /** The same for the same card or account, of any customer. */
  fingerprint: string | null;
  customerId: string | null;
  isLive: boolean;
}

export interface NewCharge {
  key: string;
  /** Our payment, by its public id: it comes back with the charge, so that its owner is found from the object. */
  reference: string;
  amount: Money;
  description: string;
  customerId: string | null;
  /** A saved method; null sends the payer to a page of the provider. */
  methodId: string | null;
  /** Where the payer's browser goes afterwards. */
  returnUrl: string;
  /** Keeps the method for later charges without the payer. */
  savesMethod?: boolean;
}

export interface ConfirmCharge {
  id: string;
  /** Another one for each attempt: a provider repeats a stored failure for a key that it knows. */
  key: string;
  methodId: string | null;
  returnUrl: string;
}

export type ChargeStatus = 'CREATED' | 'REQUIRES_ACTION' | 'PENDING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED';

export interface Charge {
  id: string;
  /** Null for a word that we do not know: keep what you had. */
  status: ChargeStatus | null;
  providerStatus: string;
  /** What moves it on: `confirmCharge`, the payer at `actionUrl`, time; null where nothing will. */
  next: 'confirm' | 'payer' | 'time' | null;
  amount: Money;
  reference: string | null;
  actionUrl: string | null;
  customerId: string | null;
  methodId: string | null;
  /** What was moved: refunds and disputes refer to it. */
  captureId: string | null;
  refundedMinor: number;
  /** Null until the provider has said it. */
  feeMinor: number | null;
  failureCode: string | null;
  isDisputed: boolean;
  isLive: boolean;
}

export interface NewRefund {
  key: string;
  chargeId: string;
  /** Our refund, by its public id. */
  reference: string;
  amount: Money;
}

export type RefundStatus = 'PENDING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED';

export interface Refund {
  id: string;
  status: RefundStatus | null;
  providerStatus: string;
  amount: Money;
  captureId: string | null;
  reference: string | null;
  failureCode: string | null;
}

export type DisputeStatus = 'OPEN' | 'WON' | 'LOST' | 'CLOSED';

export interface Dispute {
  id: string;
  status: DisputeStatus | null;
  providerStatus: string;
  amount: Money;
  captureId: string | null;
  reason: string;
}

export type ObjectKind = 'charge' | 'setup' | 'method' | 'refund' | 'dispute' | 'customer';

export interface ObjectRef {
  kind: ObjectKind;
  id: string;
}

export interface ProviderEvent {
  id: string;
  type: string;
  createdAt: Date;
  isLive: boolean;
  verified: boolean;
  /** The provider's kind and id of the object in the event. */
  subject: Readonly<Record<string, string>>;
}

/** A movement of money on the account at the provider; what leaves is negative. */
export interface Movement {
  id: string;
  kind: 'charge' | 'refund' | 'dispute' | 'other';
  amount: Money;
  feeMinor: number;
  at: Date;
  sourceId: string | null;
}

export interface Listed {
  events: ProviderEvent;
  movements: Movement;
}

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

export type EventHeaders = Readonly<Record<string, string | string[] | undefined>>;
