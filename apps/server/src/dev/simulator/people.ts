import { within } from '@rentapi/api/context';
import { advance } from '@rentapi/api/slices/payments/service/charge';
import { confirmTransfer } from '@rentapi/api/slices/transfers/service/confirm';
import { execute, type Statement } from '@rentapi/platform/database';
import type { Random } from './random.ts';
import { type Answer, type Customer, RETURN_URL, type World } from './world.ts';

type Provider = 'stripe' | 'paypal' | 'manual';

/** Who decides for an organization. */
export interface Person {
  customer: Customer;
  provider: Provider;
  random: Random;
}

export type Act = (person: Person) => Promise<void>;

/** What people do, and what befalls them. Each act plans what follows from it. */
export interface People {
  subscribe: Act;
  saveMethod: Act;
  /** What someone decides about once a month. */
  reconsider: Act;
  /** After a payment that failed. */
  repair: Act;
  /** Sends what is to be paid by bank transfer, for ever. */
  transfer: Act;
  /** What banks make, at last, of a payment that takes days; once. */
  endLate(person: Person, payment: Late): void;
}

/** A payment at its provider. */
export interface Late {
  id: string;
  provider: Provider;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const PLANS = ['BASIC', 'PRO'] as const;
export const PACK = { credits: 1000, currency: 'USD', amountMinor: 1000 };

export const SUBSCRIPTION: Statement = {
  text: `
    select subscription.status, subscription.cancel_at as "cancelAt", subscription.quantity, price.plan
    from subscriptions subscription join prices price on price.id = subscription.price_id
    where subscription.organization_id = $1 order by subscription.id desc limit 1`,
};
const ON_PAGE: Statement = {
  text: `
    select external_id as id, provider from payments
    where organization_id = $1 and status = 'REQUIRES_ACTION' order by id desc limit 1`,
};
const SETUP: Statement = {
  text: `
    select setup_id as id, provider from payment_methods
    where organization_id = $1 and status = 'PENDING' and setup_id is not null order by id desc limit 1`,
};
export const METHOD: Statement = {
  text: `
    select external_id as id, provider from payment_methods
    where organization_id = $1 and status = 'ACTIVE' and is_default`,
};
export const PAID: Statement = {
  text: `
    select id, external_id as "externalId", capture_id as "captureId", provider from payments
    where organization_id = $1 and status = 'SUCCEEDED' and refunded_minor = 0 and provider <> 'manual'
      and not exists (select from disputes where disputes.organization_id = $1 and disputes.payment_id = payments.id)
    order by id desc limit 1`,
};
const BY_TRANSFER: Statement = {
  text: `
    select id, external_id as "externalId" from payments
    where organization_id = $1 and provider = 'manual' and status in ('PENDING', 'REQUIRES_ACTION')
      and external_id is not null order by id`,
};

interface PeopleOptions {
  world: World;
  chaos: boolean;
  /** Has an act happen when so much time has passed. */
  later(person: Person, ms: number, act: Act): void;
}

export function createPeople({ world, chaos, later }: PeopleOptions): People {
  const { stripe, paypal, sandbox, ports } = world;
  const cards = sandbox ?? stripe;
  const find = async <Row extends object>(statement: Statement, { customer }: Person): Promise<Row[]> =>
    execute<Row>(ports.database, statement, [customer.id]);
  const disputed = new Set<number>();
  const ending = new Set<string>();

  async function subscribe(person: Person): Promise<void> {
    const { customer, random, provider } = person;
    const answer = await customer.call('POST', '/subscriptions/subscribe', {
      plan: random.pick(PLANS),
      interval: random.chance(0.15) ? 'year' : 'month',
      provider,
      quantity: random.chance(0.8) ? 1 : random.between(2, 5),
      returnUrl: RETURN_URL,
    });
    if (answer.status >= 400 && answer.status !== 409) return later(person, DAY_MS, subscribe);
    if (answer.body['status'] === 'TRIALING') later(person, random.between(1, 10) * DAY_MS, saveMethod);
    followUp(person, answer);
  }

  /** The page of a payment, where there is one. */
  function followUp(person: Person, { status }: Answer): void {
    if (status < 400) later(person, person.random.between(1, 180) * MINUTE_MS, payOnPage);
  }

  async function payOnPage(person: Person): Promise<void> {
    if (sandbox) return; // no program presses the pages of Stripe
    const { random } = person;
    const [page] = await find<{ id: string; provider: Provider }>(ON_PAGE, person);
    if (!page || page.provider === 'manual' || random.chance(0.1)) return;
    const isLate = chaos && random.chance(0.1);
    if (page.provider === 'stripe') stripe.act(page.id, isLate ? 'pay_late' : 'pay');
    else paypal.act(page.id, 'approve', isLate ? 'pays_late' : 'pays');
  }

  function endLate(person: Person, { id, provider }: Late): void {
    if (ending.has(id)) return;
    ending.add(id);
    const { random } = person;
    const fake = provider === 'stripe' ? stripe : paypal;
    later(person, random.between(1, 72) * HOUR_MS, async function hearFromBank() {
      try {
        fake.settle(id, random.chance(0.8) ? 'succeeds' : 'fails');
      } catch {
        // It has ended otherwise.
      }
    });
  }

  async function saveMethod(person: Person): Promise<void> {
    const { customer, provider } = person;
    if (provider === 'manual') return;
    const answer = await customer.call('POST', '/subscriptions/payment-methods/setup', {
      provider,
      returnUrl: RETURN_URL,
    });
    if (answer.status >= 400) return;
    const [setup] = await find<{ id: string; provider: Provider }>(SETUP, person);
    if (setup?.provider === 'stripe') await cards.act(setup.id, 'pay');
    if (setup?.provider === 'paypal') paypal.act(setup.id, 'approve');
  }

  async function reconsider(person: Person): Promise<void> {
    const { customer, random } = person;
    later(person, random.between(20, 40) * DAY_MS, reconsider);
    const [row] = await find<{ status: string; cancelAt: Date | null; plan: string }>(SUBSCRIPTION, person);
    if (!row || row.status === 'CANCELED' || row.status === 'EXPIRED') {
      if (random.chance(0.5)) await subscribe(person);
      return;
    }
    if (chaos) await beUnlucky(person);
    if (row.status === 'INCOMPLETE') return payOnPage(person);
    if (row.cancelAt !== null) {
      if (random.chance(0.5)) await customer.call('POST', '/subscriptions/resume');
      return;
    }
    const dice = random.next();
    if (dice < 0.06) {
      const plan = row.plan === 'BASIC' ? 'PRO' : 'BASIC';
      followUp(person, await customer.call('PATCH', '/subscriptions', { plan }));
    } else if (dice < 0.1) {
      followUp(person, await customer.call('PATCH', '/subscriptions', { quantity: random.between(1, 5) }));
    } else if (dice < 0.12) {
      followUp(person, await customer.call('PATCH', '/subscriptions', { interval: 'year' }));
    } else if (dice < 0.15) await customer.call('POST', '/subscriptions/cancel', { at: 'period_end' });
    else if (dice < 0.16) await customer.call('POST', '/subscriptions/cancel', { at: 'now' });
    else if (dice < 0.26 && !sandbox) {
      // Credits are paid on a page.
      const { credits } = PACK;
      const body = { credits, provider: person.provider, returnUrl: RETURN_URL };
      followUp(person, await customer.call('POST', '/subscriptions/credits/purchase', body));
    }
  }

  /** Cards that are declined, and payments that their payers dispute. */
  async function beUnlucky(person: Person): Promise<void> {
    const { random } = person;
    if (random.chance(0.15)) {
      const [method] = await find<{ id: string; provider: Provider }>(METHOD, person);
      if (method?.provider === 'stripe')
        stripe.behave(method.id, random.pick(['declines', 'is_stolen', 'needs_payer', 'pays_late', 'fails_late']));
      if (method?.provider === 'paypal') paypal.behave(method.id, random.pick(['declines', 'pays_late']));
    }
    if (random.chance(0.04)) await dispute(person);
  }

  async function dispute(person: Person): Promise<void> {
    const { random } = person;
    const [paid] = await find<{ id: number; externalId: string; captureId: string | null; provider: Provider }>(
      PAID,
      person,
    );
    if (!paid || disputed.has(paid.id)) return;
    disputed.add(paid.id);
    const fake = paid.provider === 'stripe' ? stripe : paypal;
    const id = fake.openDispute(paid.provider === 'stripe' ? paid.externalId : paid.captureId!);
    later(person, random.between(5, 40) * DAY_MS, async () =>
      fake.closeDispute(id, random.chance(0.5) ? 'won' : 'lost'),
    );
  }

  async function repair(person: Person): Promise<void> {
    const { random } = person;
    const [method] = await find<{ id: string; provider: Provider }>(METHOD, person);
    if (method?.provider === 'stripe') await cards.behave(method.id, 'pays');
    if (method?.provider === 'paypal') paypal.behave(method.id, 'pays');
    if (!method) return saveMethod(person);
    if (random.chance(0.5)) return;
    if (sandbox) return later(person, DAY_MS, payOpen); // once the card is listed
    await payOpen(person);
  }

  async function payOpen(person: Person): Promise<void> {
    const { customer } = person;
    const { body } = await customer.call('GET', '/subscriptions/invoices?status=OPEN');
    const [invoice] = (body as { items: { id: string }[] }).items;
    if (!invoice) return;
    const path = `/subscriptions/invoices/${invoice.id}/pay`;
    followUp(person, await customer.call('POST', path, { provider: person.provider, returnUrl: RETURN_URL }));
  }

  async function transfer(person: Person): Promise<void> {
    const { customer, random } = person;
    later(person, random.between(1, 6) * DAY_MS, transfer);
    if (random.chance(0.1)) return; // it takes longer this time
    for (const { id, externalId } of await find<{ id: number; externalId: string }>(BY_TRANSFER, person)) {
      const seen = { id: externalId, bankReference: `bank ${externalId}`, receivedAt: world.now() };
      const there = within(world.context(), customer.id);
      await confirmTransfer(there, seen);
      await advance(there, id);
    }
  }

  return { subscribe, saveMethod, reconsider, repair, transfer, endLate };
}
