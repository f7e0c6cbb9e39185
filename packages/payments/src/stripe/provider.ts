import type { Stripe } from 'stripe';
import { toChargedWire, toWire } from '../money.ts';
import type {
  Charge,
  ConfirmCharge,
  Listed,
  Movement,
  NewCharge,
  NewRefund,
  NewSetup,
  Page,
  PaymentProvider,
  ProviderEvent,
  Refund,
  Setup,
} from '../payment-provider.ts';
import { orNull, ProviderError } from '../provider-error.ts';
import { callStripe, openStripe, type StripeConfig } from './client.ts';
import { STRIPE_CURRENCIES } from './currencies.ts';
import { parseStripeEvent, stripeObjectOf, verifyStripeEvent } from './events.ts';
import {
  chargeOfIntent,
  chargeOfSession,
  disputeOf,
  knownId,
  methodOf,
  moneyOf,
  REFERENCE,
  refundOf,
  setupOfIntent,
  setupOfSession,
} from './objects.ts';

const PAGE = 100;
const FULL_CHARGE = 'latest_charge.balance_transaction';

export function createStripeProvider(config: StripeConfig): PaymentProvider {
  let opening: Promise<Stripe> | undefined;
  const open = (): Promise<Stripe> => (opening ??= openStripe(config));

  const read = async <Result>(call: (stripe: Stripe) => Promise<Result>): Promise<Result> => {
    const stripe = await open();
    return callStripe('read', () => call(stripe));
  };
  const write = async <Result>(call: (stripe: Stripe) => Promise<Result>): Promise<Result> => {
    const stripe = await open();
    return callStripe('write', () => call(stripe));
  };

  async function getCharge(id: string): Promise<Charge> {
    if (isId('cs', id)) return read(async (stripe) => chargeOfSession(await retrieveSession(stripe, id)));
    assertId('pi', id);
    const params = { expand: [FULL_CHARGE] };
    return read(async (stripe) => chargeOfIntent(await stripe.paymentIntents.retrieve(id, params)));
  }

  async function createCharge(charge: NewCharge): Promise<Charge> {
    const amount = Number(toChargedWire('stripe', STRIPE_CURRENCIES, charge.amount));
    const options = { idempotencyKey: `${charge.key}/create` };
    if (charge.methodId === null) {
      const params = sessionOf(charge, amount);
      return write(async (stripe) => chargeOfSession(await stripe.checkout.sessions.create(params, options)));
    }
    assertId('pm', charge.methodId);
    const params: Stripe.PaymentIntentCreateParams = {
      amount,
      currency: charge.amount.currency.toLowerCase(),
      payment_method: charge.methodId,
      description: charge.description,
      metadata: { [REFERENCE]: charge.reference },
      ...(charge.customerId !== null && { customer: charge.customerId }),
    };
    return write(async (stripe) => chargeOfIntent(await stripe.paymentIntents.create(params, options)));
  }

  async function confirmCharge({ id, key, returnUrl }: ConfirmCharge): Promise<Charge> {
    const seen = await getCharge(id);
    if (seen.next !== 'confirm') return seen;
    const params = { off_session: true, return_url: returnUrl, expand: [FULL_CHARGE] };
    const options = { idempotencyKey: `${key}/confirm` };
    return write(async (stripe) => chargeOfIntent(await stripe.paymentIntents.confirm(id, params, options)));
  }

  async function cancelCharge(id: string): Promise<Charge> {
    const seen = await getCharge(id);
    if (seen.next !== 'payer' && seen.next !== 'confirm') return seen;
    if (!isId('cs', id)) return write(async (stripe) => chargeOfIntent(await stripe.paymentIntents.cancel(id)));
    return write(async (stripe) => chargeOfSession(await stripe.checkout.sessions.expire(id)));
  }

  async function refund({ key, chargeId, reference, amount }: NewRefund): Promise<Refund> {
    const intent = isId('cs', chargeId)
      ? intentIdOf(await read((stripe) => retrieveSession(stripe, chargeId)))
      : chargeId;
    assertId('pi', intent);
    const earlier = await read(async (stripe) => {
      const made = await stripe.refunds.list({ payment_intent: intent, limit: PAGE });
      const same = made.data.find(({ metadata }) => metadata?.[REFERENCE] === reference);
      return same && refundOf(same);
    });
    if (earlier) return earlier;
    const params: Stripe.RefundCreateParams = {
      payment_intent: intent,
      amount: Number(toWire('stripe', STRIPE_CURRENCIES, amount)),
      metadata: { [REFERENCE]: reference },
    };
    return write(async (stripe) => refundOf(await stripe.refunds.create(params, { idempotencyKey: `${key}/refund` })));
  }

  async function finishSetup(id: string): Promise<Setup> {
    const method = 'payment_method';
    if (isId('cs', id)) {
      const expand = [`setup_intent.${method}`];
      return read(async (stripe) => setupOfSession(await stripe.checkout.sessions.retrieve(id, { expand })));
    }
    assertId('seti', id);
    return read(async (stripe) => setupOfIntent(await stripe.setupIntents.retrieve(id, { expand: [method] })));
  }

  async function startSetup(setup: NewSetup): Promise<Setup> {
    const params: Stripe.Checkout.SessionCreateParams = {
      mode: 'setup',
      currency: setup.currency.toLowerCase(),
      success_url: setup.returnUrl,
      cancel_url: setup.returnUrl,
      client_reference_id: setup.reference,
      metadata: { [REFERENCE]: setup.reference },
      setup_intent_data: { metadata: { [REFERENCE]: setup.reference } },
      ...(setup.customerId !== null && { customer: setup.customerId }),
    };
    const options = { idempotencyKey: `${setup.key}/setup` };
    return write(async (stripe) => setupOfSession(await stripe.checkout.sessions.create(params, options)));
  }

  async function listEvents(from: Date, cursor: string | null): Promise<Page<ProviderEvent>> {
    return read(async (stripe) => {
      const page = await stripe.events.list(pageOf(from, cursor));
      return { items: page.data.map(parseStripeEvent), next: nextOf(page) };
    });
  }

  async function listMovements(from: Date, cursor: string | null): Promise<Page<Movement>> {
    return read(async (stripe) => {
      const page = await stripe.balanceTransactions.list(pageOf(from, cursor));
      return { items: page.data.map(movementOf), next: nextOf(page) };
    });
  }

  const lists: { [Kind in keyof Listed]: (from: Date, cursor: string | null) => Promise<Page<Listed[Kind]>> } = {
    events: listEvents,
    movements: listMovements,
  };

  return {
    name: 'stripe',
    isLive: /^[rs]k_live_/.test(config.secretKey),
    currencies: STRIPE_CURRENCIES,
    async createCustomer({ key, reference, email, name }) {
      const params: Stripe.CustomerCreateParams = {
        metadata: { [REFERENCE]: reference },
        ...(email !== null && { email }),
        ...(name !== null && { name }),
      };
      const options = { idempotencyKey: `${key}/customer` };
      return write(async (stripe) => ({ id: knownId(await stripe.customers.create(params, options)) }));
    },
    async getCustomer(id) {
      assertId('cus', id);
      return orNull(() =>
        read(async (stripe) => {
          const customer = await stripe.customers.retrieve(id);
          return customer.deleted ? null : { id: knownId(customer) };
        }),
      );
    },
    startSetup,
    finishSetup,
    async getMethod(id) {
      assertId('pm', id);
      return orNull(() =>
        read(async (stripe) => {
          const method = await stripe.paymentMethods.retrieve(id);
          return method.customer === null ? null : methodOf(method); // detached for good
        }),
      );
    },
    async removeMethod(id) {
      assertId('pm', id);
      const method = await orNull(() => read((stripe) => stripe.paymentMethods.retrieve(id)));
      if (method && method.customer !== null) await write((stripe) => stripe.paymentMethods.detach(id));
    },
    createCharge,
    confirmCharge,
    cancelCharge,
    getCharge,
    refund,
    async getRefund(id) {
      assertId('re', id);
      return read(async (stripe) => refundOf(await stripe.refunds.retrieve(id)));
    },
    async getDispute(id) {
      assertId('dp', id);
      return read(async (stripe) => disputeOf(await stripe.disputes.retrieve(id)));
    },
    listSince: (kind, from, cursor = null) => lists[kind](from, cursor),
    async verifyEvent(raw, headers, now) {
      return verifyStripeEvent(await open(), config.webhookSecrets, { raw, headers, now });
    },
    // The signature said it all.
    confirmEvent: async () => true,
    objectOf: stripeObjectOf,
    async portalUrl({ customerId, returnUrl }) {
      assertId('cus', customerId);
      const params = { customer: customerId, return_url: returnUrl };
      return (await write((stripe) => stripe.billingPortal.sessions.create(params))).url;
    },
  };
}

function retrieveSession(stripe: Stripe, id: string): Promise<Stripe.Checkout.Session> {
  return stripe.checkout.sessions.retrieve(id, { expand: [`payment_intent.${FULL_CHARGE}`] });
}

function intentIdOf({ payment_intent: intent }: Stripe.Checkout.Session): string {
  return (typeof intent === 'string' ? intent : intent?.id) ?? '';
}

function sessionOf(charge: NewCharge, unitAmount: number): Stripe.Checkout.SessionCreateParams {
  const metadata = { [REFERENCE]: charge.reference };
  return {
    mode: 'payment',
    line_items: [
      {
        quantity: 1,
        price_data: {
          currency: charge.amount.currency.toLowerCase(),
          unit_amount: unitAmount,
          product_data: { name: charge.description },
        },
      },
    ],
    success_url: charge.returnUrl,
    cancel_url: charge.returnUrl,
    client_reference_id: charge.reference,
    metadata,
    // The payment is made when the payer pays: it says by itself whose it is.
    payment_intent_data: { metadata, ...(charge.savesMethod && { setup_future_usage: 'off_session' }) },
    ...(charge.customerId !== null && { customer: charge.customerId }),
  };
}

const MOVEMENTS: ReadonlyMap<string, Movement['kind']> = new Map([
  ['charge', 'charge'],
  ['refund', 'refund'],
  ['partial_capture_reversal', 'refund'],
  ['dispute', 'dispute'],
  ['dispute_reversal', 'dispute'],
]);

function movementOf(row: Stripe.BalanceTransaction): Movement {
  return {
    id: row.id,
    kind: MOVEMENTS.get(row.reporting_category) ?? 'other',
    amount: moneyOf(row.amount, row.currency),
    feeMinor: moneyOf(row.fee, row.currency).amountMinor,
    at: new Date(row.created * 1000),
    sourceId: typeof row.source === 'string' ? row.source : (row.source?.id ?? null),
  };
}

function pageOf(from: Date, cursor: string | null) {
  const created = { gte: Math.floor(from.getTime() / 1000) };
  return { created, limit: PAGE, ...(cursor !== null && { starting_after: cursor }) };
}

function nextOf({ data, has_more }: { data: { id: string }[]; has_more: boolean }): string | null {
  return has_more ? (data.at(-1)?.id ?? null) : null;
}

const isId = (prefix: string, id: string): boolean => id.length <= 128 && new RegExp(`^${prefix}_\\w+$`).test(id);

/** Without an id the library asks for the list, or for one called `undefined`. */
function assertId(prefix: string, id: string): void {
  if (!isId(prefix, id)) throw new ProviderError('stripe', 'refused', 'id_not_valid');
}
