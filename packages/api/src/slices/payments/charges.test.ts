import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { addPack, paymentsSettled, type TestPayments, useNoPayments, usePayments } from '../../../test/payments.ts';
import { systemContext, within } from '../../context.ts';
import { transaction } from '../../data/transaction.ts';
import { findBillingFaults } from '../books/service/faults.ts';
import { runDuePayments } from './jobs.ts';
import { applyCharge } from './service/apply-charge.ts';
import { type NewPayment, openPayment } from './service/open.ts';

const PURCHASE = '/api/v1/subscriptions/credits/purchase';
const PAYMENTS = '/api/v1/subscriptions/payments';
const ORDERS = '/api/v1/billing/paypal/orders';
const RETURN_URL = 'http://127.0.0.1:8000/back';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let app: TestApp;
let payments: TestPayments;
let ada: Person & { key: Record<string, string> };

async function signUp(): Promise<typeof ada> {
  const person = await app.signUp();
  const { body } = await person.request('/api/v1/api-keys', { method: 'POST', body: { name: 'CI', scopes: ['*'] } });
  return { ...person, key: { 'x-api-key': body.secret } };
}

beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  await addPack(app, 1000, 10_00);
  await addPack(app, 500, 5_00, 'EUR');
});
afterAll(async () => {
  expect(await findBillingFaults(app.ports.database, app.ports.clock.now())).toEqual([]);
  await app.close();
});
beforeEach(async () => {
  ada = await signUp();
});
afterEach(async () => {
  for (const fake of [payments.fakeStripe, payments.fakePayPal]) {
    fake.lose();
    fake.recover();
  }
  await paymentsSettled(app);
});

const organizationId = (): number => app.ports.ids.decode('org', ada.organizationId);
const there = () => within(systemContext(app.ports, 'test'), organizationId());
const read = async (id: string) => (await app.request(`${PAYMENTS}/${id}`, { headers: ada.key })).body;
const list = async () => (await app.request(PAYMENTS, { headers: ada.key })).body.items;
const available = async () => (await app.request('/api/v1/subscriptions/credits', { headers: ada.key })).body.available;
const rows = () => app.rows('payments').where({ organizationId: organizationId() }).orderBy('id');
const findings = (externalId: string) => app.rows('billing_findings').where({ externalId });
const eventsOf = (type: string) => app.rows('events').where({ organizationId: organizationId(), type });
const buy = (change: object = {}, headers: Record<string, string> = {}) =>
  app.request(PURCHASE, {
    method: 'POST',
    headers: { ...ada.key, ...headers },
    body: { credits: 1000, provider: 'stripe', returnUrl: RETURN_URL, ...change },
  });

async function sweep(): Promise<void> {
  await runDuePayments.run(systemContext(app.ports, 'test'), { at: app.ports.clock.now() }, runControl());
  await paymentsSettled(app);
}
async function later(ms: number): Promise<void> {
  await paymentsSettled(app);
  app.advance(ms);
  await sweep();
}
async function deliver(): Promise<void> {
  await payments.fakeStripe.deliver({ copies: 2 });
  await payments.fakePayPal.deliver({ copies: 2 });
  await paymentsSettled(app);
}

/** A purchase of credits without its payment. */
async function purchase(): Promise<number> {
  const row = { organizationId: organizationId(), credits: 1000, currency: 'USD', amountMinor: 10_00 };
  const [{ id }] = await app
    .rows('credit_purchases')
    .insert({ ...row, createdAt: app.ports.clock.now() })
    .returning('id');
  return id;
}

/** A payment with a saved card, as another slice opens one. */
async function open(subjectId: number, change: Partial<NewPayment> = {}): Promise<string> {
  const payment = await transaction(there(), (ctx) =>
    openPayment(ctx, {
      purpose: 'CREDITS',
      subjectId,
      amount: { amountMinor: 10_00, currency: 'USD' },
      provider: 'stripe',
      description: '1,000 credits',
      returnUrl: RETURN_URL,
      ...change,
    }),
  );
  return app.ports.ids.encode('pay', payment.id);
}

type Behavior = Parameters<TestPayments['fakeStripe']['addCard']>[1];

async function card(behavior: Behavior) {
  const key = ada.organizationId;
  const customer = await payments.stripe.createCustomer({ key, reference: key, email: null, name: null });
  const customerId = customer!.id;
  return { externalId: payments.fakeStripe.addCard(customerId, behavior), customerId };
}

describe('a saved card', () => {
  it('rules 12, 14: is charged once its payment and the id of its charge are committed', async () => {
    const subjectId = await purchase();
    const method = await card('pays');
    const seen: unknown[] = [];
    const committed = async () => {
      const [row] = await rows(); // by another connection, which sees only what is committed
      return row && [row.status, row.externalId !== null, row.confirmingAt !== null];
    };
    const { stripe } = payments;
    const watched: PaymentProvider = {
      ...stripe,
      async createCharge(charge) {
        seen.push(['create', ...(await committed())]);
        return stripe.createCharge(charge);
      },
      async confirmCharge(charge) {
        seen.push(['confirm', ...(await committed())]);
        return stripe.confirmCharge(charge);
      },
    };
    const all = app.ports.payments;
    app.ports.payments = new Map([...all, ['stripe', watched]]);
    const id = await open(subjectId, { method });
    await paymentsSettled(app);
    app.ports.payments = all;
    expect(seen).toEqual([
      ['create', 'CREATED', false, false],
      ['confirm', 'CREATED', true, true],
    ]);
    expect(await read(id)).toMatchObject({ status: 'SUCCEEDED', actionUrl: null });
    expect(await available()).toBe(1000);
  });

  it.each([
    'lose_request',
    'lose_answer',
    'half_body',
    'html_502',
    'server_error',
    'rate_limited',
    'wrong_type',
  ] as const)('rule 11: is charged once, though the confirmation ends with %s', async (fault) => {
    const before = payments.fakeStripe.balance('usd');
    payments.fakeStripe.fail(fault, /^POST .*confirm$/, 2);
    const id = await open(await purchase(), { method: await card('pays') });
    for (let hour = 0; hour < 3; hour++) await later(HOUR_MS);
    expect((await read(id)).status).toBe('SUCCEEDED');
    expect(payments.fakeStripe.balance('usd') - before).toBe(10_00);
    expect(await available()).toBe(1000);
  });

  it('that is declined fails its payment: mailed once, nothing granted', async () => {
    const id = await open(await purchase(), { method: await card('declines') });
    await paymentsSettled(app);
    await deliver();
    expect(await read(id)).toMatchObject({ status: 'FAILED', failureCode: expect.any(String) });
    expect(await available()).toBe(0);
    expect(await eventsOf('payment.failed')).toHaveLength(1);
    const mail = await eventually(
      () => app.mails.findLast(({ to, subject }) => to === ada.email && subject.includes('was refused')),
      'the mail',
    );
    expect(mail.text).toContain('10.00 USD');
  });

  it('that needs its payer mails where they confirm, and is paid there', async () => {
    const id = await open(await purchase(), { method: await card('needs_payer') });
    await paymentsSettled(app);
    const payment = await read(id);
    expect(payment.status).toBe('REQUIRES_ACTION');
    const mail = await eventually(
      () => app.mails.findLast(({ to, subject }) => to === ada.email && subject.includes('needs you')),
      'the mail',
    );
    expect(mail.text).toContain(payment.actionUrl);
    const [{ externalId }] = await rows();
    payments.fakeStripe.act(externalId, 'pay');
    await deliver();
    expect((await read(id)).status).toBe('SUCCEEDED');
    expect(await eventsOf('payment.action_required')).toHaveLength(1);
  });

  it('rule 10: is charged after the page for the same has been closed', async () => {
    const { payment } = (await buy()).body;
    const [{ externalId, subjectId }] = await rows();
    const id = await open(subjectId, { method: await card('pays') });
    await paymentsSettled(app);
    expect((await read(id)).status).toBe('SUCCEEDED');
    expect(await read(payment.id)).toMatchObject({ status: 'CANCELED', failureCode: 'replaced' });
    expect((await payments.stripe.getCharge(externalId)).status).toBe('CANCELED');
    expect(await available()).toBe(1000);
  });

  it('rule 10: is not charged where that page was paid a moment before', async () => {
    const { payment } = (await buy()).body;
    const [{ externalId, subjectId }] = await rows();
    payments.fakeStripe.act(externalId, 'pay');
    payments.fakeStripe.lose();
    const id = await open(subjectId, { method: await card('pays') });
    await paymentsSettled(app);
    expect((await read(payment.id)).status).toBe('SUCCEEDED');
    expect(await read(id)).toMatchObject({ status: 'CANCELED', failureCode: 'paid_otherwise' });
    expect(await available()).toBe(1000);
  });

  it('rule 10: a second success is paid back by itself, and is a finding', async () => {
    const { payment } = (await buy()).body;
    const [{ id: first, externalId, subjectId }] = await rows();
    // As if it had ended, though its page is open.
    await app.rows('payments').where({ id: first }).update({ status: 'CANCELED', dueAt: null });
    const id = await open(subjectId, { method: await card('pays') });
    await paymentsSettled(app);
    payments.fakeStripe.act(externalId, 'pay');
    await deliver();
    await deliver();
    expect(await read(id)).toMatchObject({ status: 'SUCCEEDED', refunded: { amountMinor: 0 } });
    expect(await read(payment.id)).toMatchObject({ status: 'SUCCEEDED', refunded: { amountMinor: 10_00 } });
    expect(await findings(externalId)).toMatchObject([{ kind: 'DUPLICATE_PAYMENT' }]);
    const [refund] = await app.rows('refunds').where({ organizationId: organizationId() });
    expect(refund).toMatchObject({ origin: 'DUPLICATE', status: 'SUCCEEDED' });
    expect(await available()).toBe(1000);
  });

  it('rule 10: of two that succeed at once, one is granted and the other paid back', async () => {
    await buy();
    const [{ id: first, subjectId }] = await rows();
    // As if it had ended, though its page is open.
    await app.rows('payments').where({ id: first }).update({ status: 'CANCELED', dueAt: null });
    await open(subjectId);
    await paymentsSettled(app);
    const both = await rows();
    expect(both).toHaveLength(2);
    for (const { externalId } of both) payments.fakeStripe.act(externalId, 'pay');
    payments.fakeStripe.lose();
    const read = async ({ id, externalId }: { id: number; externalId: string }) => {
      const charge = await payments.stripe.getCharge(externalId);
      return () => transaction(there(), (ctx) => applyCharge(ctx, payments.stripe, id, charge));
    };
    const apply = await Promise.all(both.map(read));
    await Promise.all(Array.from({ length: 10 }, () => apply.map((one) => one())).flat());
    await paymentsSettled(app);
    expect((await rows()).map(({ status }: { status: string }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    const refunds = await app.rows('refunds').where({ organizationId: organizationId() });
    expect(refunds).toMatchObject([{ origin: 'DUPLICATE', amountMinor: 10_00, status: 'SUCCEEDED' }]);
    expect(await available()).toBe(1000);
    expect(await eventsOf('payment.succeeded')).toHaveLength(2);
    expect(await eventsOf('credits.granted')).toHaveLength(1);
  });

  it('is not charged again while its outcome is open, and says so', async () => {
    const subjectId = await purchase();
    payments.fakeStripe.fail('lose_answer', /confirm$/, 1000);
    payments.fakeStripe.fail('html_502', /^GET .*payment_intents/, 1000);
    const method = await card('pays');
    await open(subjectId, { method });
    await paymentsSettled(app);
    await app.rows('payments').where({ subjectId }).update({ confirmingAt: app.ports.clock.now() });
    await expect(open(subjectId, { method })).rejects.toMatchObject({ errorCode: 'payment_in_progress' });
    // Later tests count what is charged.
    await app.rows('payments').where({ subjectId }).update({ status: 'FAILED', dueAt: null });
  });
});

/** Where a process dies: its calls end, and only what is committed is left. */
const DEATHS = [
  'before the charge is created',
  'after the charge is created, before its id is committed',
  'after the id is committed, before the charge is confirmed',
  'after the charge is confirmed, before that is written',
  'between the payment and what it grants',
] as const;

describe('a process that dies', () => {
  it.each(DEATHS)('rules 11, 12: %s: charged once, and granted once', async (where) => {
    const { stripe } = payments;
    const all = app.ports.payments;
    const { fulfilments } = app.ports;
    let deaths = 0;
    async function die(at: (typeof DEATHS)[number]): Promise<void> {
      if (at !== where || deaths > 0) return;
      deaths++;
      throw new Error('the process is gone');
    }
    const dying: PaymentProvider = {
      ...stripe,
      async createCharge(charge) {
        await die('before the charge is created');
        const created = await stripe.createCharge(charge);
        await die('after the charge is created, before its id is committed');
        return created;
      },
      async confirmCharge(charge) {
        await die('after the id is committed, before the charge is confirmed');
        const confirmed = await stripe.confirmCharge(charge);
        await die('after the charge is confirmed, before that is written');
        return confirmed;
      },
    };
    app.ports.payments = new Map([...all, ['stripe', dying]]);
    app.ports.fulfilments = {
      CREDITS: {
        ...fulfilments.CREDITS!,
        async settle(ctx, payment) {
          await die('between the payment and what it grants');
          await fulfilments.CREDITS!.settle(ctx, payment);
        },
      },
    };
    const before = payments.fakeStripe.balance('usd');
    const id = await open(await purchase(), { method: await card('pays') });
    await paymentsSettled(app);
    await later(HOUR_MS);
    app.ports.payments = all;
    app.ports.fulfilments = fulfilments;
    expect(deaths).toBe(1);
    expect((await read(id)).status).toBe('SUCCEEDED');
    expect(payments.fakeStripe.balance('usd') - before).toBe(10_00);
    expect(await available()).toBe(1000);
    expect(await eventsOf('payment.succeeded')).toHaveLength(1);
    expect(await eventsOf('credits.granted')).toHaveLength(1);
  });
});

describe('what comes first', () => {
  it('rule 3: a dispute that is read before its payment waits for it', async () => {
    const { payment } = (await buy()).body;
    const [{ externalId }] = await rows();
    payments.fakeStripe.act(externalId, 'pay');
    payments.fakeStripe.lose();
    const dispute = payments.fakeStripe.openDispute(externalId);
    await deliver();
    expect(await findings(dispute)).toMatchObject([{ kind: 'UNKNOWN_OBJECT' }]);
    await later(HOUR_MS);
    expect((await read(payment.id)).status).toBe('SUCCEEDED');
    expect(await available()).toBe(0); // frozen
    expect(await findings(dispute)).toMatchObject([{ state: 'RESOLVED' }]);
    const disputes = await app.rows('disputes').where({ organizationId: organizationId() });
    expect(disputes).toMatchObject([{ status: 'OPEN', externalId: dispute }]);
  });

  it('rule 9: an event that overtakes the commit of the id of its charge is no error', async () => {
    const payment = await transaction(there(), async (ctx) => {
      const [subjectId] = [await purchase()];
      const amount = { amountMinor: 10_00, currency: 'USD' };
      const of = { purpose: 'CREDITS', subjectId, amount, provider: 'stripe', description: 'x' } as const;
      return openPayment(ctx, { ...of, method: await card('pays'), returnUrl: RETURN_URL }, { advances: true });
    });
    const reference = app.ports.ids.encode('pay', payment.id);
    const { methodId, customerId, amount, description, returnUrl } = payment;
    const input = { methodId, customerId, amount, description, returnUrl, savesMethod: false, reference };
    await payments.stripe.createCharge({ ...input, key: `${reference}/1` });
    await deliver();
    expect((await read(reference)).status).toBe('SUCCEEDED');
    expect(await available()).toBe(1000);
  });
});

describe('what the provider says', () => {
  it('of a refund that was made there: it counts, and is a finding', async () => {
    const { payment } = (await buy()).body;
    const [{ externalId }] = await rows();
    payments.fakeStripe.act(externalId, 'pay');
    await deliver();
    const amount = { amountMinor: 2_50, currency: 'USD' };
    const refund = await payments.stripe.refund({
      key: externalId,
      chargeId: externalId,
      reference: 'by hand',
      amount,
    });
    await deliver();
    expect(await read(payment.id)).toMatchObject({ refunded: amount });
    expect(await findings(refund.id)).toMatchObject([{ kind: 'OUTSIDE_REFUND' }]);
    expect(await available()).toBe(750);
  });

  it('rule 29: in a word that is not known: nothing changes, and it is a finding', async () => {
    const { payment } = (await buy()).body;
    const [{ externalId }] = await rows();
    payments.fakeStripe.fail('unknown_word', /^GET .*sessions/, 1);
    await later(HOUR_MS);
    expect((await read(payment.id)).status).toBe('REQUIRES_ACTION');
    expect(await findings(externalId)).toMatchObject([
      { kind: 'UNKNOWN_WORD', theirs: expect.stringContaining('quantum') },
    ]);
  });
});

describe('a purchase', () => {
  it('rule 32: is in the currency of the first, and says so', async () => {
    expect((await buy({ credits: 500 })).body.payment.amount.currency).toBe('EUR');
    const other = await buy({ credits: 1000, currency: 'USD' });
    expect(statusAndCode(other)).toEqual([409, 'currency_fixed']);
    expect(other.body.detail).toContain('pays in EUR');
    expect(statusAndCode(await buy({ credits: 1000 }))).toEqual([400, 'credit_pack_unknown']);
    expect(await list()).toHaveLength(1);
  });

  it('rule 5: takes an Idempotency-Key, also where the first call was cut off', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() };
    const first = await buy({}, key);
    const again = await buy({}, key);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(statusAndCode(await buy({ credits: 500 }, key))).toEqual([422, 'idempotency_key_reused']);
    // The process died before the answer was kept, and meanwhile the payer has paid.
    const [{ externalId }] = await rows();
    payments.fakeStripe.act(externalId, 'pay');
    await deliver();
    await app.rows('idempotency_keys').delete();
    const { body } = await buy({}, key);
    expect(body.payment).toMatchObject({ id: first.body.payment.id, status: 'SUCCEEDED' });
    expect(await list()).toHaveLength(1);
  });

  it('with another provider takes the place of the first', async () => {
    const first = (await buy()).body.payment;
    const second = (await buy({ provider: 'paypal' })).body;
    expect(second.payment).toMatchObject({ provider: 'paypal', status: 'REQUIRES_ACTION' });
    expect((await read(first.id)).status).toBe('CANCELED');
    const [{ externalId }] = await rows();
    expect((await payments.stripe.getCharge(externalId)).status).toBe('CANCELED');
  });

  it.each([
    ['0 credits', { credits: 0 }, 'invalid_input'],
    ['a part of a credit', { credits: 0.5 }, 'invalid_input'],
    ['more than a number is exact for', { credits: 2 ** 60 }, 'invalid_input'],
    ['a currency in small letters', { currency: 'usd' }, 'invalid_input'],
    ['no such currency', { currency: 'XXX' }, 'credit_pack_unknown'],
    ['a pack that is not sold', { credits: 999 }, 'credit_pack_unknown'],
    ['a foreign page to come back to', { returnUrl: 'https://evil.example/' }, 'return_url_not_allowed'],
    ['a page to come back to that is none', { returnUrl: 'javascript:alert(1)' }, 'return_url_not_allowed'],
    ['no such provider', { provider: 'cash' }, 'invalid_input'],
  ])('is refused with %s, and nothing is begun', async (_, change, code) => {
    expect((await buy(change)).body.code).toBe(code);
    expect(await list()).toEqual([]);
  });

  it('is refused with a provider that is not set up', async () => {
    useNoPayments(app);
    const answer = await buy();
    await usePayments(app);
    expect(statusAndCode(answer)).toEqual([404, 'payment_provider_not_set_up']);
    expect(await list()).toEqual([]);
  });

  it('is refused while twenty wait', async () => {
    const at = app.ports.clock.now();
    const waiting = { purpose: 'CREDITS', provider: 'stripe', status: 'PENDING', currency: 'USD', amountMinor: 1 };
    const texts = { description: 'x', returnUrl: RETURN_URL, createdAt: at, updatedAt: at };
    for (let subjectId = -20; subjectId < 0; subjectId++)
      await app.rows('payments').insert({ organizationId: organizationId(), subjectId, ...waiting, ...texts });
    expect(statusAndCode(await buy())).toEqual([409, 'limit_reached']);
  });
});

describe('an order of PayPal', () => {
  const create = (body: object, by = ada) => app.request(ORDERS, { method: 'POST', headers: by.key, body });
  const capture = (orderId: string, by = ada) =>
    app.request(`${ORDERS}/${orderId}/capture`, { method: 'POST', headers: by.key });

  it('rule 16: is captured once its payer has approved it, and a repeat answers the same', async () => {
    const { status, body } = await create({ credits: 1000 });
    expect(status).toBe(201);
    expect(body.orderId).toMatch(/^ORDER/);
    expect(statusAndCode(await capture(body.orderId))).toEqual([409, 'payment_not_approved']);
    payments.fakePayPal.act(body.orderId, 'approve');
    for (let time = 0; time < 3; time++) {
      expect(await capture(body.orderId)).toMatchObject({ status: 200, body: { status: 'SUCCEEDED' } });
    }
    expect(await available()).toBe(1000);
  });

  it('rule 17: that is pending is answered as pending, which is not paid', async () => {
    const { body } = await create({ credits: 1000 });
    payments.fakePayPal.act(body.orderId, 'approve', 'pays_late');
    expect((await capture(body.orderId)).body.status).toBe('PENDING');
    expect(await available()).toBe(0);
  });

  it('that its bank has had for 30 days is a finding, is looked at monthly, and still becomes paid', async () => {
    const { body } = await create({ credits: 1000 });
    payments.fakePayPal.act(body.orderId, 'approve', 'pays_late');
    await capture(body.orderId);
    payments.fakePayPal.lose();
    const waits: number[] = [];
    for (let look = 0; look < 32; look++) {
      const [{ dueAt }] = await rows();
      waits.push(Math.round((dueAt.getTime() - app.ports.clock.now().getTime()) / DAY_MS));
      await later(dueAt.getTime() - app.ports.clock.now().getTime());
    }
    expect(waits).toEqual([...Array(30).fill(1), 30, 30]);
    const stuck = { kind: 'STILL_PENDING', state: 'OPEN', theirs: 'COMPLETED/PENDING' };
    expect(await findings(body.orderId)).toEqual([expect.objectContaining(stuck)]);
    payments.fakePayPal.settle(body.orderId);
    await deliver();
    expect((await read(body.payment.id)).status).toBe('SUCCEEDED');
    expect(await findings(body.orderId)).toEqual([expect.objectContaining({ ...stuck, state: 'RESOLVED' })]);
  });

  it('that is declined is answered as failed', async () => {
    const { body } = await create({ credits: 1000 });
    payments.fakePayPal.act(body.orderId, 'approve', 'declines');
    expect((await capture(body.orderId)).body).toMatchObject({ status: 'FAILED', failureCode: 'INSTRUMENT_DECLINED' });
    expect((await capture(body.orderId)).body.status).toBe('FAILED');
  });

  it('of another organization is not found, and stays as it is', async () => {
    const { body } = await create({ credits: 1000 });
    payments.fakePayPal.act(body.orderId, 'approve');
    const stranger = await signUp();
    expect(statusAndCode(await capture(body.orderId, stranger))).toEqual([404, 'not_found']);
    const { path } = { path: `${PAYMENTS}/${body.payment.id}` };
    expect(statusAndCode(await app.request(path, { headers: stranger.key }))).toEqual([404, 'not_found']);
    expect((await read(body.payment.id)).status).toBe('REQUIRES_ACTION');
  });
});
