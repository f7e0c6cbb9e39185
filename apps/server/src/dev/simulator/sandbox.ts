import { setTimeout as sleep } from 'node:timers/promises';
import type { CardBehavior } from '@rentapi/fake-payments/stripe';
import type { Listed, Page, PaymentMethod, PaymentProvider } from '@rentapi/payments/payment-provider';
import { callStripe, openStripe } from '@rentapi/payments/stripe/client';
import { moneyOf } from '@rentapi/payments/stripe/objects';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { systemClock } from '@rentapi/platform/clock';

/** A test account of Stripe, by its key. */
export interface SandboxAccount {
  secretKey: string;
  apiBase?: string | undefined;
  /** A test account answers 25. */
  requestsPerSecond?: number;
  /** How long Stripe may take to list what has happened. */
  lagMs?: number;
}

/** The side of payers and of Stripe, as far as a program can play it with the API and test cards. */
export interface Sandbox {
  /** With the clock of the simulation in place of Stripe's. */
  provider: PaymentProvider;
  /** The payer leaves the page of a setup, and has saved a card all the same. */
  act(setupId: string, action: 'pay'): Promise<void>;
  /** Another card, which does this, takes the place of one. */
  behave(methodId: string, behavior: CardBehavior): Promise<void>;
  /** What a card does that was made here. */
  behaviorOf(methodId: string): CardBehavior | undefined;
  closeDispute(disputeId: string, result: 'won' | 'lost'): Promise<void>;
  /** The money that the customers of this run have moved, in the smallest unit. */
  balance(currency: string): Promise<number>;
  /** Until everything that has happened is listed. */
  waitForLists(): Promise<void>;
  /** Events that were listed for the first time, since it was last asked. */
  takeEvents(): number;
}

export const SANDBOX_MONTHS = 12;
export const SANDBOX_ORGANIZATIONS = 10;

const REQUESTS_PER_SECOND = 10;
const LAG_MS = 5000;
/** By which this machine's clock may differ from Stripe's. What is listed twice is kept once. */
const CLOCKS_DIFFER_MS = 300_000;
const DISPUTE_LOOKS = 30;
const LOOK_PAUSE_MS = 1000;

/** Cards that a customer can have, by Stripe's names for them. */
const TEST_CARDS: Partial<Record<CardBehavior, string>> = {
  pays: 'pm_card_visa',
  declines: 'pm_card_chargeCustomerFail',
  needs_payer: 'pm_card_authenticationRequired',
  is_disputed: 'pm_card_createDispute',
};

/** A request that fails on its way is sent again under the same key. */
const AGAIN = { maxNetworkRetries: 3 };
const MONEY_STAYS = new Set(['won', 'prevented', 'warning_closed']);

/** Null where the key moves no real money. */
export function complaintOfKey(secretKey: string): string | null {
  if (/^[rs]k_test_/.test(secretKey)) return null;
  return 'STRIPE_SECRET_KEY is not a test key, so real money could move: --sandbox takes sk_test_… or rk_test_… only.';
}

export function openSandbox(account: SandboxAccount, clock: { now(): Date }): Sandbox {
  const complaint = complaintOfKey(account.secretKey);
  if (complaint) throw new Error(complaint);
  const { secretKey, apiBase, requestsPerSecond = REQUESTS_PER_SECOND, lagMs = LAG_MS } = account;
  const config = { secretKey, apiBase, webhookSecrets: [], pace: createPace(requestsPerSecond) };
  const opening = openStripe(config);
  const customers = new Set<string>();
  const cards = new Map<string, CardBehavior>();
  const times = createTimes(clock);
  const seen = new Set<string>();
  let taken = 0;

  type Stripe = Awaited<typeof opening>;
  const read = async <Result>(call: (stripe: Stripe) => Promise<Result>): Promise<Result> => {
    const stripe = await opening;
    return callStripe('read', () => call(stripe));
  };
  const write = async <Result>(call: (stripe: Stripe) => Promise<Result>): Promise<Result> => {
    const stripe = await opening;
    times.note();
    return callStripe('write', () => call(stripe));
  };

  async function give(customer: string, behavior: CardBehavior): Promise<void> {
    const name = TEST_CARDS[behavior];
    if (!name) throw new Error(`Stripe has no test card of a customer that ${behavior}.`);
    const card = await write((stripe) => stripe.paymentMethods.attach(name, { customer }, AGAIN));
    cards.set(card.id, behavior);
  }

  const disputesOf = (intent: string) =>
    read(async (stripe) => (await stripe.disputes.list({ payment_intent: intent, limit: 100 }, AGAIN)).data);

  /** Stripe opens it some moments after the charge. */
  async function waitForDispute(intent: string): Promise<void> {
    for (let look = 0; look < DISPUTE_LOOKS; look++) {
      if ((await disputesOf(intent)).length > 0) return;
      await sleep(LOOK_PAUSE_MS);
    }
  }

  async function balance(currency: string): Promise<number> {
    let sum = 0;
    for (const customer of customers) {
      const charges = await read(async (stripe) => {
        const list = stripe.charges.list({ customer, limit: 100 }, AGAIN);
        return list.autoPagingToArray({ limit: 10_000 });
      });
      for (const charge of charges.filter((charge) => charge.currency === currency.toLowerCase())) {
        sum += moneyOf(charge.amount_captured - charge.amount_refunded, charge.currency).amountMinor;
        if (!charge.disputed || typeof charge.payment_intent !== 'string') continue;
        for (const { amount, currency, status } of await disputesOf(charge.payment_intent))
          if (!MONEY_STAYS.has(status)) sum -= moneyOf(amount, currency).amountMinor;
      }
    }
    return sum;
  }

  const stripe = createStripeProvider(config);

  const lists: { [Kind in keyof Listed]: (from: Date, cursor: string | null) => Promise<Page<Listed[Kind]>> } = {
    async events(from, cursor) {
      const { items, next } = await stripe.listSince('events', from, cursor);
      for (const { id } of items) {
        if (!seen.has(id)) taken++;
        seen.add(id);
      }
      return { items: items.map((item) => ({ ...item, createdAt: times.simulated(item.createdAt) })), next };
    },
    async movements(from, cursor) {
      const { items, next } = await stripe.listSince('movements', from, cursor);
      return { items: items.map((item) => ({ ...item, at: times.simulated(item.at) })), next };
    },
  };

  const noted =
    <Given extends unknown[], Result>(write: (...given: Given) => Promise<Result>) =>
    (...given: Given): Promise<Result> => {
      times.note();
      return write(...given);
    };

  const provider: PaymentProvider = {
    ...stripe,
    async createCustomer(input) {
      times.note();
      const customer = await stripe.createCustomer(input);
      if (customer) customers.add(customer.id);
      return customer;
    },
    startSetup: noted(stripe.startSetup),
    createCharge: noted(stripe.createCharge),
    async confirmCharge(input) {
      times.note();
      const charge = await stripe.confirmCharge(input);
      const card = charge.methodId === null ? undefined : cards.get(charge.methodId);
      if (charge.status === 'SUCCEEDED' && card === 'is_disputed') await waitForDispute(charge.id);
      return charge;
    },
    cancelCharge: noted(stripe.cancelCharge),
    refund: noted(stripe.refund),
    removeMethod: noted(stripe.removeMethod),
    async finishSetup(id) {
      const setup = await stripe.finishSetup(id);
      return { ...setup, method: setup.method && times.shifted(setup.method) };
    },
    async getMethod(id) {
      const method = await stripe.getMethod(id);
      return method && times.shifted(method);
    },
    listSince: (kind, from, cursor = null) => lists[kind](times.real(from), cursor),
  };

  return {
    provider,
    async act(setupId) {
      const { customer } = await read((stripe) => stripe.checkout.sessions.retrieve(setupId, {}, AGAIN));
      if (typeof customer !== 'string') return;
      await give(customer, 'pays');
      await write((stripe) => stripe.checkout.sessions.expire(setupId, {}, AGAIN));
    },
    async behave(methodId, behavior) {
      if (cards.get(methodId) === behavior) return;
      const { customer } = await read((stripe) => stripe.paymentMethods.retrieve(methodId, {}, AGAIN));
      if (typeof customer !== 'string') return; // another has taken its place already
      await give(customer, behavior);
      await write((stripe) => stripe.paymentMethods.detach(methodId, {}, AGAIN));
    },
    behaviorOf: (methodId) => cards.get(methodId),
    async closeDispute(disputeId, result) {
      const evidence = { uncategorized_text: result === 'won' ? 'winning_evidence' : 'losing_evidence' };
      await write((stripe) => stripe.disputes.update(disputeId, { evidence, submit: true }, AGAIN));
    },
    balance,
    waitForLists: () => sleep(lagMs),
    takeEvents() {
      const count = taken;
      taken = 0;
      return count;
    },
  };
}

/** So many requests in a second, one after another. */
function createPace(perSecond: number): () => Promise<void> {
  let freeAt = 0;
  return async () => {
    const now = performance.now();
    const at = Math.max(now, freeAt);
    freeAt = at + 1000 / perSecond;
    if (at > now) await sleep(at - now);
  };
}

/** Which moment of Stripe's clock is which moment of the simulation's. */
function createTimes(clock: { now(): Date }) {
  const began = { simulated: clock.now(), real: systemClock.now() };
  const noted = [began];
  const aheadMs = began.simulated.getTime() - began.real.getTime();
  return {
    /** Of everything that is written at Stripe: its time there is not before this. */
    note(): void {
      const simulated = clock.now();
      if (noted.at(-1)!.simulated < simulated) noted.push({ simulated, real: systemClock.now() });
    },
    /** Not after what has happened since then. */
    real(simulated: Date): Date {
      const { real } = noted.findLast((moment) => moment.simulated <= simulated) ?? began;
      return new Date(real.getTime() - CLOCKS_DIFFER_MS);
    },
    simulated(real: Date): Date {
      return (noted.findLast((moment) => moment.real <= real) ?? began).simulated;
    },
    /** By how far the clock of the simulation was ahead when it began, so that it stays the same method. */
    shifted(method: PaymentMethod): PaymentMethod {
      const { expiresAt } = method;
      return { ...method, expiresAt: expiresAt && new Date(expiresAt.getTime() + aheadMs) };
    },
  };
}
