import { createHash, createHmac } from 'node:crypto';
import type { Stripe } from 'stripe';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { type FormObject, parseForm, textAt, textsAt } from './form.ts';
import { fakePage } from './page.ts';
import {
  type FakeAnswer,
  FakeRefusal,
  type FakeRequest,
  type FakeServer,
  type Fault,
  type Serve,
  startFakeServer,
} from './server.ts';
import {
  balanceWith,
  cardWith,
  chargeWith,
  customerWith,
  disputeWith,
  intentWith,
  refundWith,
  sessionWith,
  setupIntentWith,
} from './stripe-objects.ts';

export interface FakeStripeOptions {
  clock: { now(): Date };
  secretKey: string;
  webhookSecret: string;
  /** Where events are sent; null keeps them. */
  webhookUrl?: string | null;
  /** Sends events before the answer to the request that caused them. */
  deliversFirst?: boolean;
  /** When a request gets no answer. */
  onHang?: () => void;
  /** When there is a further event to deliver. */
  onEvent?: () => void;
  /** Makes ids of one run differ from those of another. */
  run?: string;
  /** In place of a port of its own. */
  serve?: Serve;
}

/** What a card does when it is charged. */
export type CardBehavior =
  | 'pays'
  | 'declines'
  | 'is_stolen'
  | 'needs_payer'
  | 'pays_late'
  | 'fails_late'
  | 'refunds_late'
  | 'is_disputed';

export interface FakeStripe extends FakeServer, Deliveries {
  /** A card of a customer. */
  addCard(customerId: string, behavior: CardBehavior): string;
  /** What a card does from now on. */
  behave(cardId: string, behavior: CardBehavior): void;
  /** What the payer does on the page of a session, or where a charge needs the payer. */
  act(id: string, action: 'pay' | 'pay_late' | 'decline' | 'close'): void;
  /** Ends what takes days: a charge that is processing, or a refund that is pending. */
  settle(id: string, result?: 'succeeds' | 'fails'): void;
  /** As in the dashboard. */
  deleteCustomer(id: string): void;
  /** As the page of a customer does, or as the bank that issues a new card. */
  changeCard(id: string, change: { expMonth: number; expYear: number }): void;
  /** Of a payment, or of the one that was made on a page. */
  openDispute(id: string): string;
  closeDispute(disputeId: string, result: 'won' | 'lost'): void;
  /** The money that it has moved to us, by currency, in its smallest unit. */
  balance(currency: string): number;
  sendEventsTo(url: string | null): void;
  sign(body: string): Record<string, string>;
}

const API_VERSION = '2026-10-28.endive';
const KEY_LIFETIME_MS = 24 * 3_600_000;
const SESSION_LIFETIME_S = 86_400;
/** Written with two decimals, which are always 0. */
const ZERO_CENTS = new Set(['isk', 'ugx']);

const CARDS: Record<string, CardBehavior> = {
  pm_card_visa: 'pays',
  pm_card_visa_chargeDeclined: 'declines',
  pm_card_visa_chargeDeclinedStolenCard: 'is_stolen',
  pm_card_authenticationRequired: 'needs_payer',
  pm_card_pendingRefund: 'refunds_late',
  pm_card_createDispute: 'is_disputed',
  pm_card_chargeCustomerFail: 'declines',
};
/** Of those that decline, the one that a customer can have. */
const DECLINES_LATER = 'pm_card_chargeCustomerFail';

type AnyObject =
  | Stripe.Customer
  | Stripe.PaymentMethod
  | Stripe.PaymentIntent
  | Stripe.Charge
  | Stripe.Checkout.Session
  | Stripe.SetupIntent
  | Stripe.Refund
  | Stripe.Dispute
  | Stripe.BalanceTransaction;

interface StoredEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  livemode: boolean;
  pending_webhooks: number;
  request: { id: string; idempotency_key: string | null };
  type: string;
  data: { object: unknown };
}

/** The part of Stripe that moves money, in memory, with its manners: keys, events, declines and delays. */
export async function createFakeStripe(options: FakeStripeOptions): Promise<FakeStripe> {
  const { clock, secretKey, webhookSecret, run: ofRun = '' } = options;
  let webhookUrl = options.webhookUrl ?? null;
  let count = 0;

  const objects = new Map<string, AnyObject>();
  const customers = new Map<string, Stripe.Customer>();
  const deletedCustomers = new Set<string>();
  const portals = new Map<string, { customer: string; returnUrl: string }>();
  const methods = new Map<string, Stripe.PaymentMethod>();
  const intents = new Map<string, Stripe.PaymentIntent>();
  const charges = new Map<string, Stripe.Charge>();
  const sessions = new Map<string, Stripe.Checkout.Session>();
  const setupIntents = new Map<string, Stripe.SetupIntent>();
  const refunds = new Map<string, Stripe.Refund>();
  const disputes = new Map<string, Stripe.Dispute>();
  const balances = new Map<string, Stripe.BalanceTransaction>();
  const behaviors = new Map<string, CardBehavior>();
  const savedBy = new Map<string, boolean>();
  const events: StoredEvent[] = [];
  const answered = new Map<string, { atMs: number; hash: string; answer: FakeAnswer }>();

  const nowS = (): number => Math.floor(clock.now().getTime() / 1000);
  const newId = (prefix: string): string => `${prefix}_fake${ofRun}${String(++count).padStart(8, '0')}`;

  function sign(body: string): Record<string, string> {
    const t = nowS();
    const v1 = createHmac('sha256', webhookSecret).update(`${t}.${body}`).digest('hex');
    return { 'stripe-signature': `t=${t},v1=${v1}` };
  }

  const deliveries = createDeliveries({ target: () => webhookUrl, sign });

  function keep<Value extends AnyObject>(map: Map<string, Value>, value: Value): Value {
    map.set(value.id, value);
    objects.set(value.id, value);
    return value;
  }

  function emit(type: string, object: AnyObject): void {
    const event: StoredEvent = {
      id: newId('evt'),
      object: 'event',
      api_version: API_VERSION,
      created: nowS(),
      livemode: false,
      pending_webhooks: 1,
      request: { id: newId('req'), idempotency_key: null },
      type,
      data: { object: structuredClone(object) },
    };
    events.push(event);
    deliveries.pending.push({ id: event.id, body: JSON.stringify(event, null, 2) });
    options.onEvent?.();
  }

  function find<Value>(map: Map<string, Value>, id: string | undefined, what: string): Value {
    const found = map.get(id ?? '');
    if (!found) throw invalid(404, 'resource_missing', `No such ${what}: '${id}'`, 'id');
    return found;
  }

  // Cards

  function cardOf(id: string): Stripe.PaymentMethod {
    if (!methods.has(id) && Object.hasOwn(CARDS, id)) {
      behaviors.set(id, CARDS[id]!);
      keep(methods, cardWith({ id, created: nowS(), customer: null }, { last4: '4242', fingerprint: `fp_${id}` }));
    }
    return find(methods, id, 'PaymentMethod');
  }

  function addCard(customerId: string, behavior: CardBehavior): string {
    const id = newId('pm');
    behaviors.set(id, behavior);
    const card = { last4: '4242', fingerprint: `fp_${behavior}` };
    const method = keep(methods, cardWith({ id, created: nowS(), customer: customerId }, card));
    emit('payment_method.attached', method);
    return id;
  }

  function changeCard(id: string, { expMonth, expYear }: { expMonth: number; expYear: number }): void {
    const { card } = cardOf(id);
    Object.assign(card!, { exp_month: expMonth, exp_year: expYear });
    emit('payment_method.automatically_updated', cardOf(id));
  }

  // Customers

  function deleteCustomer(id: string): void {
    const customer = find(customers, id, 'customer');
    deletedCustomers.add(id);
    for (const method of cardsOf(id)) {
      method.customer = null;
      emit('payment_method.detached', method);
    }
    emit('customer.deleted', customer);
  }

  function retrieveCustomer(id: string): Stripe.Customer | Stripe.DeletedCustomer {
    const customer = find(customers, id, 'customer');
    return deletedCustomers.has(id) ? { id, object: 'customer', deleted: true } : customer;
  }

  /** For whatever refers to it. */
  function customerOf(id: string): string {
    if (deletedCustomers.has(id)) throw invalid(400, 'resource_missing', `No such customer: '${id}'`, 'customer');
    return find(customers, id, 'customer').id;
  }

  const cardsOf = (id: string): Stripe.PaymentMethod[] =>
    [...methods.values()].filter(({ customer }) => customer === id);

  // Payments

  function move(
    type: 'charge' | 'refund' | 'adjustment',
    category: string,
    row: { amount: number; fee: number; currency: string; source: string },
  ): Stripe.BalanceTransaction {
    return keep(
      balances,
      balanceWith({ id: newId('txn'), created: nowS(), type, reporting_category: category, ...row }),
    );
  }

  function succeed(intent: Stripe.PaymentIntent): void {
    const charge = charges.get(String(intent.latest_charge)) ?? newCharge(intent, 'succeeded');
    const step = ZERO_CENTS.has(intent.currency) ? 100 : 1;
    const fee = (Math.round((intent.amount * 0.029) / step) + 30) * step;
    charge.status = 'succeeded';
    charge.paid = true;
    charge.captured = true;
    charge.amount_captured = intent.amount;
    charge.balance_transaction = move('charge', 'charge', {
      amount: intent.amount,
      fee,
      currency: intent.currency,
      source: charge.id,
    }).id;
    intent.status = 'succeeded';
    intent.amount_received = intent.amount;
    intent.next_action = null;
    intent.last_payment_error = null;
    emit('payment_intent.succeeded', intent);
    finishSession(intent, 'paid');
    if (behaviors.get(String(intent.payment_method)) === 'is_disputed') openDispute(intent.id);
  }

  function newCharge(intent: Stripe.PaymentIntent, status: 'succeeded' | 'pending' | 'failed'): Stripe.Charge {
    const charge = chargeWith({
      id: newId('ch'),
      amount: intent.amount,
      created: nowS(),
      currency: intent.currency,
      customer: intent.customer,
      metadata: intent.metadata,
      payment_intent: intent.id,
      payment_method: typeof intent.payment_method === 'string' ? intent.payment_method : null,
      status,
    });
    intent.latest_charge = charge.id;
    return keep(charges, charge);
  }

  function process(intent: Stripe.PaymentIntent): void {
    newCharge(intent, 'pending');
    intent.status = 'processing';
    emit('payment_intent.processing', intent);
    finishSession(intent, 'unpaid');
  }

  function fail(intent: Stripe.PaymentIntent, code: string, declineCode: string | null): void {
    newCharge(intent, 'failed');
    intent.status = 'requires_payment_method';
    intent.last_payment_error = {
      type: 'card_error',
      code,
      message: 'Your card was declined.',
      ...(declineCode !== null && { decline_code: declineCode }),
    };
    emit('payment_intent.payment_failed', intent);
  }

  function declined(intent: Stripe.PaymentIntent): FakeRefusal {
    const { code, decline_code, message } = intent.last_payment_error!;
    return new FakeRefusal(402, {
      error: { type: 'card_error', code, decline_code, message, payment_intent: structuredClone(intent) },
    });
  }

  /** The session of a payment made on its page: complete once the payer has done their part. */
  function finishSession(intent: Stripe.PaymentIntent, status: 'paid' | 'unpaid'): void {
    const session = [...sessions.values()].find(({ payment_intent }) => payment_intent === intent.id);
    if (!session) return;
    const wasOpen = session.status === 'open';
    session.status = 'complete';
    session.payment_status = status;
    session.url = null;
    emit(wasOpen ? 'checkout.session.completed' : 'checkout.session.async_payment_succeeded', session);
  }

  function charge(intent: Stripe.PaymentIntent, behavior: CardBehavior, offSession: boolean): void {
    if (behavior === 'declines') {
      fail(intent, 'card_declined', 'insufficient_funds');
      throw declined(intent);
    }
    if (behavior === 'is_stolen') {
      fail(intent, 'card_declined', 'stolen_card');
      throw declined(intent);
    }
    if (behavior === 'needs_payer' && offSession) {
      fail(intent, 'authentication_required', 'authentication_required');
      throw declined(intent);
    }
    if (behavior === 'needs_payer') {
      intent.status = 'requires_action';
      const url = `${server.url}/pay/${intent.id}`;
      intent.next_action = { type: 'redirect_to_url', redirect_to_url: { return_url: null, url } };
      emit('payment_intent.requires_action', intent);
      return;
    }
    if (behavior === 'pays_late' || behavior === 'fails_late') return void process(intent);
    succeed(intent);
  }

  function openDispute(id: string): string {
    const intent = find(intents, String(sessions.get(id)?.payment_intent ?? id), 'payment_intent');
    const disputed = find(charges, String(intent.latest_charge), 'charge');
    disputed.disputed = true;
    const dispute = disputeWith({
      id: newId('dp'),
      amount: disputed.amount,
      charge: disputed.id,
      created: nowS(),
      currency: disputed.currency,
      payment_intent: intent.id,
      reason: 'fraudulent',
      status: 'needs_response',
    });
    keep(disputes, dispute);
    const { amount, currency } = disputed;
    move('adjustment', 'dispute', { amount: -amount, fee: 1500, currency, source: dispute.id });
    emit('charge.dispute.created', dispute);
    return dispute.id;
  }

  function closeDispute(disputeId: string, result: 'won' | 'lost'): void {
    const dispute = find(disputes, disputeId, 'dispute');
    dispute.status = result;
    if (result === 'won') {
      const { amount, currency } = dispute;
      move('adjustment', 'dispute_reversal', { amount, fee: 0, currency, source: dispute.id });
      emit('charge.dispute.funds_reinstated', dispute);
    }
    emit('charge.dispute.closed', dispute);
  }

  // Pages

  function act(id: string, action: 'pay' | 'pay_late' | 'decline' | 'close'): void {
    const intent = intents.get(id);
    if (intent) {
      if (intent.status !== 'requires_action') return;
      if (action === 'pay') succeed(intent);
      else if (action === 'pay_late') process(intent);
      else fail(intent, 'payment_intent_authentication_failure', null);
      return;
    }
    const session = find(sessions, id, 'checkout.session');
    if (session.status !== 'open' || action === 'close') return;
    if (session.mode === 'setup') return void setUp(session, action);
    const customer = typeof session.customer === 'string' ? session.customer : null;
    const late = action === 'pay_late';
    const behavior = action === 'decline' ? 'declines' : late ? 'pays_late' : 'pays';
    const paying =
      intents.get(String(session.payment_intent)) ??
      keep(
        intents,
        intentWith({
          id: newId('pi'),
          amount: session.amount_total ?? 0,
          created: nowS(),
          currency: session.currency ?? 'usd',
          customer,
          description: null,
          metadata: session.metadata ?? {},
          payment_method: null,
          status: 'requires_payment_method',
        }),
      );
    session.payment_intent = paying.id;
    paying.payment_method = savedBy.get(session.id) && customer ? addCard(customer, behavior) : 'pm_card_visa';
    if (action === 'decline') return void fail(paying, 'card_declined', 'insufficient_funds');
    if (late) process(paying);
    else succeed(paying);
  }

  function setUp(session: Stripe.Checkout.Session, action: 'pay' | 'pay_late' | 'decline'): void {
    const intent = find(setupIntents, String(session.setup_intent), 'setup_intent');
    if (action === 'decline') {
      intent.last_setup_error = { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' };
      intent.status = 'requires_payment_method';
      emit('setup_intent.setup_failed', intent);
      return;
    }
    intent.payment_method = addCard(String(session.customer ?? ''), 'pays');
    intent.status = 'succeeded';
    session.status = 'complete';
    session.url = null;
    emit('setup_intent.succeeded', intent);
    emit('checkout.session.completed', session);
  }

  function settle(id: string, result: 'succeeds' | 'fails' = 'succeeds'): void {
    const refund = refunds.get(id);
    if (refund) {
      refund.status = result === 'succeeds' ? 'succeeded' : 'failed';
      if (result === 'fails') {
        refund.failure_reason = 'lost_or_stolen_card';
        const refunded = find(charges, String(refund.charge), 'charge');
        refunded.amount_refunded -= refund.amount;
        move('refund', 'refund', { amount: refund.amount, fee: 0, currency: refund.currency, source: refund.id });
      }
      emit(result === 'succeeds' ? 'refund.updated' : 'refund.failed', refund);
      return;
    }
    const intent = find(intents, String(sessions.get(id)?.payment_intent ?? id), 'payment_intent');
    if (intent.status !== 'processing') throw new Error(`${intent.id} is ${intent.status}`);
    if (result === 'succeeds') return void succeed(intent);
    fail(intent, 'payment_intent_payment_attempt_failed', null);
    const session = [...sessions.values()].find(({ payment_intent }) => payment_intent === intent.id);
    if (session) emit('checkout.session.async_payment_failed', session);
  }

  // The API

  function createIntent(form: FormObject): Stripe.PaymentIntent {
    const method = textAt(form, 'payment_method');
    if (method !== undefined) cardOf(method);
    if (textAt(form, 'off_session') !== undefined) {
      throw invalid(400, 'parameter_unknown', 'off_session can only be used with confirm.', 'off_session');
    }
    const customer = textAt(form, 'customer');
    const intent = intentWith({
      id: newId('pi'),
      amount: amountAt(textAt(form, 'amount')),
      created: nowS(),
      currency: currencyAt(textAt(form, 'currency')),
      customer: customer === undefined ? null : customerOf(customer),
      description: textAt(form, 'description') ?? null,
      metadata: textsAt(form, 'metadata'),
      payment_method: method ?? null,
      status: method === undefined ? 'requires_payment_method' : 'requires_confirmation',
    });
    emit('payment_intent.created', keep(intents, intent));
    return intent;
  }

  function confirmIntent(id: string, form: FormObject): Stripe.PaymentIntent {
    const intent = find(intents, id, 'payment_intent');
    if (intent.status !== 'requires_confirmation') {
      throw invalid(400, 'payment_intent_unexpected_state', `This PaymentIntent is ${intent.status}.`, 'intent');
    }
    const behavior = behaviors.get(cardOf(String(intent.payment_method)).id) ?? 'pays';
    charge(intent, behavior, textAt(form, 'off_session') === 'true');
    return intent;
  }

  function cancelIntent(id: string): Stripe.PaymentIntent {
    const intent = find(intents, id, 'payment_intent');
    if (intent.status === 'succeeded' || intent.status === 'canceled') {
      throw invalid(400, 'payment_intent_unexpected_state', `This PaymentIntent is ${intent.status}.`, 'intent');
    }
    intent.status = 'canceled';
    intent.canceled_at = nowS();
    emit('payment_intent.canceled', intent);
    return intent;
  }

  function createSession(form: FormObject): Stripe.Checkout.Session {
    const isSetup = textAt(form, 'mode') === 'setup';
    const price = ['line_items', '0', 'price_data'];
    const customer = textAt(form, 'customer');
    const id = newId('cs_test');
    const session = sessionWith({
      id,
      amount_total: isSetup ? null : amountAt(textAt(form, ...price, 'unit_amount')),
      cancel_url: textAt(form, 'cancel_url') ?? null,
      client_reference_id: textAt(form, 'client_reference_id') ?? null,
      created: nowS(),
      currency: currencyAt(textAt(form, ...(isSetup ? [] : price), 'currency')),
      customer: customer === undefined ? null : customerOf(customer),
      expires_at: nowS() + SESSION_LIFETIME_S,
      metadata: textsAt(form, 'metadata'),
      mode: isSetup ? 'setup' : 'payment',
      payment_status: isSetup ? 'no_payment_required' : 'unpaid',
      success_url: textAt(form, 'success_url') ?? null,
      url: `${server.url}/pay/${id}`,
    });
    savedBy.set(id, textAt(form, 'payment_intent_data', 'setup_future_usage') === 'off_session');
    if (isSetup) {
      const intent = setupIntentWith({
        id: newId('seti'),
        created: nowS(),
        customer: session.customer === null ? null : String(session.customer),
        metadata: textsAt(form, 'setup_intent_data', 'metadata'),
        payment_method: null,
        status: 'requires_payment_method',
      });
      session.setup_intent = keep(setupIntents, intent).id;
    }
    return keep(sessions, session);
  }

  function findSession(id: string): Stripe.Checkout.Session {
    const session = find(sessions, id, 'checkout.session');
    if (session.status === 'open' && session.expires_at <= nowS()) expireSession(session);
    return session;
  }

  function expireSession(session: Stripe.Checkout.Session): Stripe.Checkout.Session {
    if (session.status !== 'open') {
      throw invalid(400, 'checkout_session_unexpected_state', `This Session is ${session.status}.`, 'session');
    }
    session.status = 'expired';
    session.url = null;
    emit('checkout.session.expired', session);
    return session;
  }

  function createRefund(form: FormObject): Stripe.Refund {
    const intent = find(intents, textAt(form, 'payment_intent'), 'payment_intent');
    const refunded = charges.get(String(intent.latest_charge));
    if (!refunded?.paid)
      throw invalid(400, 'charge_not_captured', 'This PaymentIntent has no charge.', 'payment_intent');
    const left = refunded.amount - refunded.amount_refunded;
    const amount = amountAt(textAt(form, 'amount') ?? String(left));
    if (left === 0) throw invalid(400, 'charge_already_refunded', 'The charge has been refunded.', 'charge');
    if (amount > left) throw invalid(400, 'amount_too_large', 'The amount is more than what is left.', 'amount');
    refunded.amount_refunded += amount;
    refunded.refunded = refunded.amount_refunded === refunded.amount;
    const isLate = behaviors.get(String(intent.payment_method)) === 'refunds_late';
    const refund = refundWith({
      id: newId('re'),
      amount,
      charge: refunded.id,
      created: nowS(),
      currency: refunded.currency,
      metadata: textsAt(form, 'metadata'),
      payment_intent: intent.id,
      status: isLate ? 'pending' : 'succeeded',
    });
    const row = { amount: -amount, fee: 0, currency: refunded.currency, source: refund.id };
    refund.balance_transaction = move('refund', 'refund', row).id;
    emit('refund.created', keep(refunds, refund));
    return refund;
  }

  function createCustomer(form: FormObject): Stripe.Customer {
    return keep(
      customers,
      customerWith({
        id: newId('cus'),
        created: nowS(),
        email: textAt(form, 'email') ?? null,
        name: textAt(form, 'name') ?? null,
        metadata: textsAt(form, 'metadata'),
      }),
    );
  }

  function attach(id: string, customer: string | null): Stripe.PaymentMethod {
    if (customer !== null && Object.hasOwn(CARDS, id)) return attachTestCard(id, customer);
    const method = cardOf(id);
    method.customer = customer === null ? null : customerOf(customer);
    emit(customer === null ? 'payment_method.detached' : 'payment_method.attached', method);
    return method;
  }

  /** A name of Stripe's makes a new card each time. Most that decline are declined here already. */
  function attachTestCard(name: string, customer: string): Stripe.PaymentMethod {
    const behavior = CARDS[name]!;
    if ((behavior === 'declines' || behavior === 'is_stolen') && name !== DECLINES_LATER) {
      const message = 'Your card was declined.';
      throw new FakeRefusal(402, { error: { type: 'card_error', code: 'card_declined', message } });
    }
    return find(methods, addCard(customerOf(customer), behavior), 'PaymentMethod');
  }

  /** In a sandbox, what is sent as evidence decides. */
  function submitEvidence(id: string, form: FormObject): Stripe.Dispute {
    const text = textAt(form, 'evidence', 'uncategorized_text');
    if (text === 'winning_evidence') closeDispute(id, 'won');
    if (text === 'losing_evidence') closeDispute(id, 'lost');
    return find(disputes, id, 'dispute');
  }

  type Route = readonly [pattern: RegExp, run: (id: string, form: FormObject) => unknown];
  const routes: readonly Route[] = [
    [/^POST \/v1\/customers$/, (_, form) => createCustomer(form)],
    [/^GET \/v1\/customers\/(\w+)$/, (id) => retrieveCustomer(id)],
    [/^GET \/v1\/payment_methods\/(\w+)$/, (id) => cardOf(id)],
    [
      /^GET \/v1\/payment_methods$/,
      (_, form) => {
        return listOf(cardsOf(textAt(form, 'customer') ?? ''), form);
      },
    ],
    [/^POST \/v1\/payment_methods\/(\w+)\/attach$/, (id, form) => attach(id, textAt(form, 'customer') ?? '')],
    [/^POST \/v1\/payment_methods\/(\w+)\/detach$/, (id) => attach(id, null)],
    [/^POST \/v1\/checkout\/sessions$/, (_, form) => createSession(form)],
    [/^GET \/v1\/checkout\/sessions\/(\w+)$/, (id) => findSession(id)],
    [/^POST \/v1\/checkout\/sessions\/(\w+)\/expire$/, (id) => expireSession(findSession(id))],
    [/^POST \/v1\/payment_intents$/, (_, form) => createIntent(form)],
    [/^GET \/v1\/payment_intents\/(\w+)$/, (id) => find(intents, id, 'payment_intent')],
    [/^POST \/v1\/payment_intents\/(\w+)\/confirm$/, confirmIntent],
    [/^POST \/v1\/payment_intents\/(\w+)\/cancel$/, (id) => cancelIntent(id)],
    [/^GET \/v1\/setup_intents\/(\w+)$/, (id) => find(setupIntents, id, 'setup_intent')],
    [/^POST \/v1\/refunds$/, (_, form) => createRefund(form)],
    [/^GET \/v1\/refunds\/(\w+)$/, (id) => find(refunds, id, 'refund')],
    [
      /^GET \/v1\/refunds$/,
      (_, form) => {
        const intent = textAt(form, 'payment_intent');
        return listOf(
          [...refunds.values()].filter(({ payment_intent: of }) => of === intent),
          form,
        );
      },
    ],
    [
      /^GET \/v1\/charges$/,
      (_, form) => {
        const customer = textAt(form, 'customer');
        return listOf(
          [...charges.values()].filter(({ customer: of }) => of === customer),
          form,
        );
      },
    ],
    [
      /^GET \/v1\/disputes$/,
      (_, form) => {
        const intent = textAt(form, 'payment_intent');
        return listOf(
          [...disputes.values()].filter(({ payment_intent: of }) => of === intent),
          form,
        );
      },
    ],
    [/^GET \/v1\/disputes\/(\w+)$/, (id) => find(disputes, id, 'dispute')],
    [/^POST \/v1\/disputes\/(\w+)$/, submitEvidence],
    [
      /^POST \/v1\/disputes\/(\w+)\/close$/,
      (id) => {
        closeDispute(id, 'lost');
        return find(disputes, id, 'dispute');
      },
    ],
    [
      /^POST \/v1\/billing_portal\/sessions$/,
      (_, form) => {
        const customer = customerOf(textAt(form, 'customer') ?? '');
        const id = newId('bps');
        portals.set(id, { customer, returnUrl: textAt(form, 'return_url') ?? '/' });
        return { id, object: 'billing_portal.session', url: `${server.url}/portal/${id}` };
      },
    ],
    [/^GET \/v1\/balance_transactions$/, (_, form) => listOf([...balances.values()], form)],
    [/^GET \/v1\/events$/, (_, form) => listOf(events, form)],
  ];

  function run(request: FakeRequest): FakeAnswer {
    const line = `${request.method} ${request.path}`;
    const pairs = request.method === 'GET' ? request.query : new URLSearchParams(request.body.toString());
    const form = parseForm(pairs);
    for (const [pattern, handler] of routes) {
      const matched = pattern.exec(line);
      if (!matched) continue;
      const expand = Object.values(textsAt(form, 'expand')).map((path) => path.split('.'));
      return { status: 200, body: expandAll(handler(matched[1] ?? '', form), expand) };
    }
    throw invalid(404, 'url_invalid', `Unrecognized request URL (${line}).`, 'url');
  }

  function expandAll(object: unknown, paths: readonly string[][]): unknown {
    const copy: unknown = structuredClone(object);
    for (const path of paths) expandOne(copy, path);
    return copy;
  }

  function expandOne(object: unknown, [field, ...rest]: readonly string[]): void {
    if (field === undefined || typeof object !== 'object' || object === null) return;
    const value: unknown = Reflect.get(object, field);
    const found = typeof value === 'string' ? structuredClone(objects.get(value)) : undefined;
    if (found) Reflect.set(object, field, found);
    expandOne(found ?? value, rest);
  }

  /** A key answers for a day what it answered first, its failures too. */
  function once(request: FakeRequest, fault: Fault | null): FakeAnswer {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || typeof key !== 'string') return attempt(request, fault);
    const hash = createHash('sha256').update(`${request.path}\n`).update(request.body).digest('hex');
    const known = answered.get(key);
    if (known && clock.now().getTime() - known.atMs < KEY_LIFETIME_MS) {
      if (known.hash === hash) return { ...known.answer, headers: { 'idempotent-replayed': 'true' } };
      const message = 'Keys for idempotent requests can only be used with the same parameters.';
      throw new FakeRefusal(400, { error: { type: 'idempotency_error', message } });
    }
    const answer = attempt(request, fault);
    answered.set(key, { atMs: clock.now().getTime(), hash, answer });
    return answer;
  }

  function attempt(request: FakeRequest, fault: Fault | null): FakeAnswer {
    if (fault === 'server_error') return { status: 500, body: { error: { type: 'api_error', message: 'Sorry.' } } };
    try {
      return run(request);
    } catch (error) {
      if (error instanceof FakeRefusal) return error.answer;
      throw error;
    }
  }

  /** Where a customer sees, adds and removes cards. */
  function portal(id: string, request: FakeRequest): FakeAnswer {
    const known = portals.get(id);
    if (!known) return { status: 404, body: fakePage('Stripe', ['There is no such page.'], []) };
    const action = new URLSearchParams(request.body.toString()).get('action') ?? '';
    if (request.method === 'POST' && action === 'return') {
      return { status: 303, body: '', headers: { location: known.returnUrl } };
    }
    if (request.method === 'POST' && action === 'add') addCard(known.customer, 'pays');
    const cards = cardsOf(known.customer);
    if (request.method === 'POST' && cards.some((card) => card.id === action)) attach(action, null);
    const left = cardsOf(known.customer);
    const lines = left.map(({ card }) => `${card?.brand} ${card?.last4}, ${card?.exp_month}/${card?.exp_year}`);
    const buttons = left.map((card) => ({ name: card.id, label: `Remove ${card.card?.last4}` }));
    const ends = [
      { name: 'add', label: 'Add a card' },
      { name: 'return', label: 'Return' },
    ];
    return { status: 200, body: fakePage('Stripe', lines, [...buttons, ...ends]) };
  }

  function page(request: FakeRequest): FakeAnswer {
    const ofPortal = /^\/portal\/(\w+)$/.exec(request.path)?.[1];
    if (ofPortal !== undefined) return portal(ofPortal, request);
    const id = /^\/pay\/(\w+)$/.exec(request.path)?.[1] ?? '';
    const session = sessions.get(id);
    const back = session?.success_url ?? '/';
    if (request.method !== 'POST') return { status: 200, body: payPage(id, session) };
    const action = new URLSearchParams(request.body.toString()).get('action');
    if (action === 'pay' || action === 'decline' || action === 'close') act(id, action);
    const stays = session?.status === 'open' && action === 'decline';
    if (stays) return { status: 200, body: payPage(id, session, 'The card was declined.') };
    const location = action === 'close' ? (session?.cancel_url ?? '/') : back;
    return { status: 303, body: '', headers: { location } };
  }

  function payPage(id: string, session: Stripe.Checkout.Session | undefined, note = ''): string {
    const intent = intents.get(id);
    const isOpen = session?.status === 'open' || intent?.status === 'requires_action';
    if (!isOpen) return fakePage('Stripe', ['There is nothing to pay here.'], []);
    const amount = session?.amount_total ?? intent?.amount;
    const currency = (session?.currency ?? intent?.currency ?? '').toUpperCase();
    const what = session?.mode === 'setup' ? 'Save a card' : `Amount: ${amount} ${currency} (smallest unit)`;
    return fakePage(
      'Stripe',
      [what, ...(note ? [note] : [])],
      [
        { name: 'pay', label: session?.mode === 'setup' ? 'Save' : 'Pay' },
        { name: 'decline', label: 'Decline' },
        { name: 'close', label: 'Close' },
      ],
    );
  }

  const server = await startFakeServer(
    {
      isApi: (path) => path.startsWith('/v1/'),
      rateLimited: { error: { type: 'invalid_request_error', code: 'rate_limit', message: 'Too many requests.' } },
      ...(options.onHang && { onHang: options.onHang }),
      handle(request, fault) {
        if (!request.path.startsWith('/v1/')) return page(request);
        if (request.headers.authorization !== `Bearer ${secretKey}`) {
          return { status: 401, body: { error: { type: 'invalid_request_error', message: 'Invalid API Key.' } } };
        }
        if (request.headers['stripe-version'] !== API_VERSION) {
          throw invalid(400, 'api_version_invalid', 'Send the pinned Stripe-Version.', 'Stripe-Version');
        }
        return once(request, fault);
      },
      distort: (body) => (isRecord(body) ? { ...body, status: 'quantum', payment_status: 'quantum' } : body),
      async beforeAnswer() {
        if (options.deliversFirst) await deliveries.deliver();
      },
    },
    options.serve,
  );

  return Object.assign(deliveries, server, {
    addCard,
    behave: (cardId: string, behavior: CardBehavior) => void behaviors.set(cardId, behavior),
    changeCard,
    deleteCustomer,
    act,
    settle,
    openDispute,
    closeDispute,
    balance: (currency: string) =>
      [...balances.values()]
        .filter((row) => row.currency === currency.toLowerCase())
        .reduce((sum, { amount }) => sum + amount, 0),
    sendEventsTo(url: string | null) {
      webhookUrl = url;
    },
    sign,
  });
}

function invalid(status: number, code: string, message: string, param: string): FakeRefusal {
  return new FakeRefusal(status, { error: { type: 'invalid_request_error', code, message, param } });
}

function amountAt(text: string | undefined): number {
  if (!text || !/^\d{1,8}$/.test(text) || text === '0') {
    throw invalid(400, 'parameter_invalid_integer', `Invalid integer: ${text}`, 'amount');
  }
  return Number(text);
}

function currencyAt(text: string | undefined): string {
  if (!text || !/^[a-z]{3}$/.test(text))
    throw invalid(400, 'parameter_invalid', `Invalid currency: ${text}`, 'currency');
  return text;
}

/** Newest first, as every list of Stripe's. */
function listOf<Item extends { id: string; created: number }>(items: readonly Item[], form: FormObject) {
  const from = Number(textAt(form, 'created', 'gte') ?? 0);
  const limit = Number(textAt(form, 'limit') ?? 10);
  const after = textAt(form, 'starting_after');
  const found = items.filter(({ created }) => created >= from).reverse();
  const start = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1;
  return {
    object: 'list',
    url: '/v1',
    has_more: found.length > start + limit,
    data: found.slice(start, start + limit),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
