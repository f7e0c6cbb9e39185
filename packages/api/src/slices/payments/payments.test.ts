import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { type KeyedPerson, signUpWithKey } from '../../../test/keyed-person.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { addPack, paymentsRead, paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { systemContext, within } from '../../context.ts';
import { transaction } from '../../data/transaction.ts';
import { spendCredits } from '../../pipeline/credits.ts';
import { syncForgottenObjects } from '../billing/jobs.ts';
import { findBillingFaults } from '../books/service/faults.ts';
import { runDuePayments } from './jobs.ts';
import { advance } from './service/charge.ts';

const PURCHASE = '/api/v1/subscriptions/credits/purchase';
const PAYMENTS = '/api/v1/subscriptions/payments';
const ORDERS = '/api/v1/billing/paypal/orders';
const RETURN_URL = 'http://127.0.0.1:8000/back';
const OTHER_URL = 'http://127.0.0.1:8000/other';

let app: TestApp;
let payments: TestPayments;
let ada: KeyedPerson;
let staff: Person;

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
  ada = await signUpWithKey(app);
  staff = await app.signUp(); // each time, because tokens expire when the clock moves
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
});
afterEach(async () => {
  for (const fake of [payments.fakeStripe, payments.fakePayPal]) {
    fake.lose();
    fake.recover();
  }
  await paymentsSettled(app);
});

const organizationOf = ({ organizationId }: Person) => app.ports.ids.decode('org', organizationId);
const there = (by: Person = ada) => within(systemContext(app.ports, 'test'), organizationOf(by));

const buy = (change: object = {}, headers: Record<string, string> = {}) =>
  app.request(PURCHASE, {
    method: 'POST',
    headers: { ...ada.key, ...headers },
    body: { credits: 1000, provider: 'stripe', returnUrl: RETURN_URL, ...change },
  });
const read = async (id: string) => (await app.request(`${PAYMENTS}/${id}`, { headers: ada.key })).body;
const list = async () => (await app.request(PAYMENTS, { headers: ada.key })).body.items;
const available = async () => (await app.request('/api/v1/subscriptions/credits', { headers: ada.key })).body.available;
const rowOf = async (id: string) =>
  app
    .rows('payments')
    .where({ id: app.ports.ids.decode('pay', id) })
    .first();
const refund = (paymentId: string, body: object = {}) =>
  staff.request(`/api/v1/admin/payments/${paymentId}/refund`, { method: 'POST', body: { reason: 'Tested', ...body } });
const usd = (amountMinor: number) => ({ amount: { amountMinor, currency: 'USD' } });

/** What is due is requested, and everything that follows is done. */
async function sweep(): Promise<void> {
  await runDuePayments.run(systemContext(app.ports, 'test'), { at: app.ports.clock.now() }, runControl());
  await paymentsSettled(app);
}

/** The clock moves while nothing is under way. */
async function pass(ms: number): Promise<void> {
  await paymentsSettled(app);
  app.advance(ms);
}

async function deliver(policy: Parameters<TestPayments['fakeStripe']['deliver']>[0] = {}): Promise<void> {
  await payments.fakeStripe.deliver(policy);
  await payments.fakePayPal.deliver(policy);
  await paymentsSettled(app);
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Paid on the page of the provider, and known to be. */
async function paid(provider: 'stripe' | 'paypal' = 'stripe'): Promise<string> {
  const { payment } = (await buy({ provider })).body;
  const { externalId } = await rowOf(payment.id);
  if (provider === 'stripe') payments.fakeStripe.act(externalId, 'pay');
  else payments.fakePayPal.act(externalId, 'approve');
  await deliver();
  await deliver(); // of the capture
  expect((await read(payment.id)).status).toBe('SUCCEEDED');
  return payment.id;
}

async function mailsAbout(subject: RegExp): Promise<number> {
  await eventually(async () => {
    const left = await app
      .rows('agenda_jobs')
      .where('name', 'like', '%mail%')
      .whereRaw("data::text like '%eventId%'")
      .first();
    return left ? undefined : true;
  }, 'mails to be sent');
  return app.mails.filter(({ to, subject: text }) => to === ada.email && subject.test(text)).length;
}

const eventsOf = async (type: string) =>
  app
    .rows('events')
    .where({ organizationId: organizationOf(ada), type })
    .orderBy('id');

describe.each(['stripe', 'paypal'] as const)('a purchase of credits with %s', (provider) => {
  const fake = () => (provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal);
  const payer = (id: string) =>
    provider === 'stripe' ? payments.fakeStripe.act(id, 'pay') : payments.fakePayPal.act(id, 'approve');
  const late = (id: string) =>
    provider === 'stripe'
      ? payments.fakeStripe.act(id, 'pay_late')
      : payments.fakePayPal.act(id, 'approve', 'pays_late');

  it('answers where the payer goes, and grants once it is paid', async () => {
    const { status, body } = await buy({ provider });
    expect(status).toBe(201);
    expect(body.payment).toMatchObject({
      provider,
      status: 'REQUIRES_ACTION',
      amount: { amountMinor: 1000, currency: 'USD' },
    });
    expect(body.actionUrl).toBe(body.payment.actionUrl);
    expect(body.actionUrl).toMatch(/^http:/);
    expect(await available()).toBe(0);
    payer((await rowOf(body.payment.id)).externalId);
    await deliver();
    await deliver();
    expect(await read(body.payment.id)).toMatchObject({ status: 'SUCCEEDED', actionUrl: null });
    expect(await available()).toBe(1000);
    expect(await eventsOf('payment.succeeded')).toHaveLength(1);
    expect(await mailsAbout(/is paid$/)).toBe(1);
  });

  it('rule 1: ends alike whatever order its events come in, each ten times', async () => {
    for (const order of ['as_sent', 'reversed', 'shuffled'] as const) {
      const { payment } = (await buy({ provider })).body;
      payer((await rowOf(payment.id)).externalId);
      await deliver({ order, copies: 10 });
      await deliver({ order, copies: 10 });
      expect((await read(payment.id)).status).toBe('SUCCEEDED');
    }
    expect(await available()).toBe(3000);
    expect(await eventsOf('payment.succeeded')).toHaveLength(3);
  });

  it('is granted without any event, when it is looked at again', async () => {
    const { payment } = (await buy({ provider })).body;
    payer((await rowOf(payment.id)).externalId);
    fake().lose();
    await pass(2 * MINUTE_MS);
    await sweep();
    fake().lose();
    await pass(2 * MINUTE_MS);
    await sweep();
    expect((await read(payment.id)).status).toBe('SUCCEEDED');
    expect(await available()).toBe(1000);
  });

  it('rule 17: credits nothing while it is pending, and is looked at daily until it is settled', async () => {
    const { payment } = (await buy({ provider })).body;
    const { externalId } = await rowOf(payment.id);
    late(externalId);
    await deliver();
    await deliver();
    expect((await read(payment.id)).status).toBe('PENDING');
    expect(await available()).toBe(0);
    for (let day = 1; day <= 3; day++) {
      await pass(DAY_MS + MINUTE_MS);
      const before = fake().requests.length;
      await sweep();
      expect(fake().requests.length).toBeGreaterThan(before);
      expect((await read(payment.id)).status).toBe('PENDING');
    }
    fake().settle(externalId);
    fake().lose();
    await pass(DAY_MS + MINUTE_MS);
    await sweep();
    expect((await read(payment.id)).status).toBe('SUCCEEDED');
    expect(await available()).toBe(1000);
  });

  it('rule 18: a payment that fails days later was never credited, and is mailed once', async () => {
    const { payment } = (await buy({ provider })).body;
    const { externalId } = await rowOf(payment.id);
    late(externalId);
    await deliver();
    await deliver();
    fake().settle(externalId, 'fails');
    await deliver({ copies: 5 });
    expect((await read(payment.id)).status).toBe('FAILED');
    expect(await available()).toBe(0);
    expect(await eventsOf('payment.failed')).toHaveLength(1);
    expect(await mailsAbout(/was refused$/)).toBe(1);
  });

  it('waits for a provider that is away for three days, and loses nothing', async () => {
    const { payment: begun } = (await buy({ provider })).body;
    payer((await rowOf(begun.id)).externalId);
    fake().lose();
    fake().fail('html_502', /./, 1_000_000);
    const second = await buy({ provider, returnUrl: OTHER_URL, credits: 1000 });
    expect(second.status).toBe(201);
    expect(second.body).toMatchObject({ actionUrl: null, payment: { status: 'CREATED' } });
    for (let hour = 0; hour < 72; hour += 6) {
      await pass(6 * HOUR_MS);
      await sweep();
    }
    expect((await read(second.body.payment.id)).status).toBe('CREATED');
    expect(await available()).toBe(0);
    fake().recover();
    await pass(2 * HOUR_MS);
    await sweep();
    await pass(2 * HOUR_MS);
    await sweep();
    const other = await read(second.body.payment.id);
    if (provider === 'stripe') {
      // The first was paid before the second could take its place.
      expect((await read(begun.id)).status).toBe('SUCCEEDED');
      expect(other).toMatchObject({ status: 'CANCELED', failureCode: 'paid_otherwise' });
    } else {
      // An order moves nothing until it is captured, and another one has taken its place.
      expect((await read(begun.id)).status).toBe('CANCELED');
      payer((await rowOf(other.id)).externalId);
      await deliver();
      await deliver();
    }
    expect(await available()).toBe(1000);
  });

  it('that its payer has paid or approved is paid, also where the provider was away for three days since', async () => {
    const { payment } = (await buy({ provider })).body;
    payer((await rowOf(payment.id)).externalId);
    fake().lose();
    fake().fail('lose_request', /./, 1_000_000);
    for (let day = 1; day <= 3; day++) {
      await pass(DAY_MS);
      await sweep();
    }
    fake().recover();
    await pass(2 * HOUR_MS);
    await sweep();
    expect((await read(payment.id)).status).toBe('SUCCEEDED');
    expect(await available()).toBe(1000);
  });

  it('that is left by its payer ends after a day', async () => {
    const { payment } = (await buy({ provider })).body;
    await pass(25 * HOUR_MS);
    await sweep();
    expect((await read(payment.id)).status).toBe('CANCELED');
    expect(await available()).toBe(0);
  });

  it('rule 4: fifty purchases, events, captures and looks at once are one payment and one grant', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => buy({ provider })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const ids = new Set(answers.map(({ body }) => body.payment.id));
    expect(ids.size).toBe(1);
    const [id] = [...ids];
    const { externalId } = await rowOf(id);
    payer(externalId);
    const look = () => advance(there(), app.ports.ids.decode('pay', id));
    const capture = () => app.request(`${ORDERS}/${externalId}/capture`, { method: 'POST', headers: ada.key });
    const redirect = provider === 'paypal' ? capture : () => read(id);
    const all = Array.from({ length: 50 }, (_, at) =>
      at % 3 === 0 ? redirect() : at % 3 === 1 ? look() : fake().deliver({ copies: 2, order: 'shuffled' }),
    );
    await Promise.all(all);
    await deliver({ copies: 3 });
    expect((await read(id)).status).toBe('SUCCEEDED');
    expect(await available()).toBe(1000);
    expect(await eventsOf('payment.succeeded')).toHaveLength(1);
    expect(await eventsOf('credits.granted')).toHaveLength(1);
    expect(await list()).toHaveLength(1);
  });

  it.each([
    'lose_request',
    'lose_answer',
    'half_body',
    'html_502',
    'server_error',
    'rate_limited',
    'wrong_type',
  ] as const)('rule 11: charges once though creating it ends with %s', async (fault) => {
    fake().fail(fault, /^POST .*(sessions|orders)$/, 2);
    const { status, body } = await buy({ provider });
    expect(status).toBe(201);
    for (let round = 0; round < 3; round++) {
      await pass(HOUR_MS);
      await sweep();
    }
    const payment = await read(body.payment.id);
    expect(payment.status).toBe('REQUIRES_ACTION');
    payer((await rowOf(payment.id)).externalId);
    await deliver();
    await deliver();
    expect((await read(payment.id)).status).toBe('SUCCEEDED');
    expect(await available()).toBe(1000);
  });

  it('rule 38: what is paid stays paid, whatever comes later', async () => {
    const id = await paid(provider);
    const { externalId } = await rowOf(id);
    const context = there();
    const charge = {
      ...(await payments[provider].getCharge(externalId)),
      status: 'FAILED' as const,
      failureCode: 'late',
    };
    const { applyCharge } = await import('./service/apply-charge.ts');
    await transaction(context, (ctx) => applyCharge(ctx, payments[provider], app.ports.ids.decode('pay', id), charge));
    expect(await read(id)).toMatchObject({ status: 'SUCCEEDED', failureCode: null });
    expect(await eventsOf('payment.failed')).toEqual([]);
    expect(await available()).toBe(1000);
  });

  it('rules 13, 39: is refunded in equal parts, at most as a whole, and mailed when it is', async () => {
    const id = await paid(provider);
    const parts = await Promise.all([refund(id, usd(400)), refund(id, usd(400)), refund(id, usd(400))]);
    expect(parts.map(({ status }) => status).toSorted()).toEqual([201, 201, 409]);
    await deliver({ copies: 3 });
    expect(await read(id)).toMatchObject({ status: 'SUCCEEDED', refunded: { amountMinor: 800 } });
    expect(await eventsOf('payment.refunded')).toHaveLength(2);
    expect(await available()).toBe(200);
    expect(await mailsAbout(/was paid back$/)).toBe(2);
    expect(statusAndCode(await refund(id, usd(201)))).toEqual([409, 'refund_exceeds_payment']);
    expect((await refund(id)).body.amount).toEqual({ amountMinor: 200, currency: 'USD' });
    await deliver();
    expect(await available()).toBe(0);
    expect(statusAndCode(await refund(id))).toEqual([409, 'refund_exceeds_payment']);
    const refunds = await app.rows('refunds').where({ paymentId: app.ports.ids.decode('pay', id) });
    expect(refunds.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  });

  it('a refund that its bank has had for 30 days is a finding until it is paid back', async () => {
    const { payment } = (await buy({ provider })).body;
    const { externalId } = await rowOf(payment.id);
    if (provider === 'stripe') payer(externalId);
    else payments.fakePayPal.act(externalId, 'approve', 'refunds_late');
    await deliver();
    await deliver();
    payments.fakeStripe.behave('pm_card_visa', 'refunds_late');
    const { body } = await refund(payment.id);
    await deliver();
    payments.fakeStripe.behave('pm_card_visa', 'pays');
    const row = () =>
      app
        .rows('refunds')
        .where({ id: app.ports.ids.decode('rfd', body.id) })
        .first();
    const { externalId: refundId } = await row();
    const found = () => app.rows('billing_findings').where({ externalId: refundId, kind: 'STILL_PENDING' });
    await pass(DAY_MS);
    await sweep();
    expect([(await row()).status, await found()]).toEqual(['PENDING', []]);
    await pass(30 * DAY_MS);
    await sweep();
    expect(await found()).toMatchObject([{ objectKind: 'refund', state: 'OPEN' }]);
    expect((await row()).dueAt.getTime() - app.ports.clock.now().getTime()).toBeGreaterThan(29 * DAY_MS);
    fake().settle(refundId);
    await deliver();
    expect((await row()).status).toBe('SUCCEEDED');
    expect(await found()).toMatchObject([{ state: 'RESOLVED' }]);
  });

  it('rule 13: a refund whose answers are lost is made once', async () => {
    const id = await paid(provider);
    fake().fail('lose_answer', /^POST .*refund/, 2);
    expect((await refund(id, usd(300))).status).toBe(201);
    for (let round = 0; round < 3; round++) {
      await pass(HOUR_MS);
      await sweep();
    }
    const charge = await payments[provider].getCharge((await rowOf(id)).externalId);
    expect(charge.refundedMinor).toBe(300);
    expect(await read(id)).toMatchObject({ refunded: { amountMinor: 300 } });
    expect(await available()).toBe(700);
  });

  it('rule 37: credits that were spent before a refund are owed, and later ones make up for them', async () => {
    const id = await paid(provider);
    await spendCredits(there(), `call/${id}`, 900);
    await refund(id);
    await deliver();
    const { body } = await app.request('/api/v1/subscriptions/credits', { headers: ada.key });
    expect(body).toMatchObject({ available: 0, owed: 900 });
    await paid(provider);
    expect(await available()).toBe(100);
  });

  it('rules 37, 42: a dispute freezes what is left, thaws it when it is won, takes it once when it is lost', async () => {
    const won = await paid(provider);
    const lost = await paid(provider);
    const disputed = async (id: string): Promise<string> => {
      const { externalId, captureId } = await rowOf(id);
      if (provider === 'paypal') return payments.fakePayPal.openDispute(captureId);
      return payments.fakeStripe.openDispute(externalId);
    };
    const [first, second] = [await disputed(won), await disputed(lost)];
    await deliver({ copies: 3, order: 'reversed' });
    expect(await available()).toBe(0);
    fake().closeDispute(first, 'won');
    fake().closeDispute(second, 'lost');
    await deliver({ copies: 3, order: 'shuffled' });
    expect(await available()).toBe(1000);
    const disputes = await app
      .rows('disputes')
      .where({ organizationId: organizationOf(ada) })
      .orderBy('id');
    expect(disputes.map(({ status }) => status).toSorted()).toEqual(['LOST', 'WON']);
    expect(await eventsOf('payment.disputed')).toHaveLength(4);
    expect(statusAndCode(await refund(lost, usd(1)))).toEqual([201]);
  });

  it('reads a dispute again a day after its status was a word that we do not know', async () => {
    const { externalId, captureId } = await rowOf(await paid(provider));
    const disputeId =
      provider === 'paypal' ? payments.fakePayPal.openDispute(captureId) : payments.fakeStripe.openDispute(externalId);
    await deliver();
    fake().closeDispute(disputeId, 'won');
    fake().fail('unknown_word', /^GET .*disputes/, 10); // as often as its events have it read
    await fake().deliver();
    const finding = async (state: string) =>
      app.rows('billing_findings').where({ externalId: disputeId, kind: 'UNKNOWN_WORD', state }).first();
    await paymentsRead(app);
    expect(await finding('OPEN')).toBeDefined();
    expect(await available()).toBe(0);
    fake().recover();
    const ctx = systemContext(app.ports, 'test');
    const later = (ms: number) => ({ ...ctx, now: new Date(ctx.now.getTime() + ms) });
    const isAsked = async () => {
      const { askedAt } = await app.rows('provider_objects').where({ externalId: disputeId }).first();
      return askedAt;
    };
    const until = await isAsked();
    expect(until.getTime()).toBeGreaterThan(ctx.now.getTime());
    await syncForgottenObjects.run(later(DAY_MS - HOUR_MS), { at: ctx.now }, runControl());
    expect(await isAsked()).toEqual(until);
    await syncForgottenObjects.run(later(DAY_MS + HOUR_MS), { at: ctx.now }, runControl());
    await paymentsSettled(app);
    expect(await available()).toBe(1000);
    expect(await finding('RESOLVED')).toBeDefined();
  });
});

describe('an id of a provider', () => {
  /** A payment with a refund and a dispute. */
  beforeEach(async () => {
    const id = await paid();
    expect((await refund(id, usd(100))).status).toBe(201);
    await deliver();
    payments.fakeStripe.openDispute((await rowOf(id)).externalId);
    await deliver();
  });

  it.each(['payments', 'refunds', 'disputes'])('is in one row of the %s of all organizations', async (table) => {
    const { id: _, ...row } = await app
      .rows(table)
      .where({ organizationId: organizationOf(ada) })
      .first();
    expect(row.externalId).toEqual(expect.any(String));
    for (const organizationId of [organizationOf(ada), organizationOf(staff)])
      await expect(app.rows(table).insert({ ...row, organizationId })).rejects.toThrow(`${table}_external_unique`);
  });
});

describe('the database', () => {
  it('rule 10: refuses a second open payment for the same', async () => {
    const { payment } = (await buy()).body;
    const { id: _, ...row } = await rowOf(payment.id);
    const second = { ...row, externalId: null };
    for (const status of ['CREATED', 'REQUIRES_ACTION', 'PENDING'])
      await expect(app.rows('payments').insert({ ...second, status })).rejects.toThrow('payments_open');
  });

  it('rule 13: refuses that more is paid back than was paid, or less than nothing', async () => {
    const id = app.ports.ids.decode('pay', await paid());
    for (const refundedMinor of [-1, 10_01])
      await expect(app.rows('payments').where({ id }).update({ refundedMinor })).rejects.toThrow(
        'payments_refunded_check',
      );
  });
});

describe('an amount that a provider cannot move', () => {
  const dinars = (amountMinor: number) => ({ amount: { amountMinor, currency: 'KWD' } });
  beforeEach(() => addPack(app, 2000, 10_000, 'KWD'));

  it('is not paid back: refund_amount_not_possible, and nothing moves', async () => {
    const { payment } = (await buy({ credits: 2000, currency: 'KWD' })).body;
    payments.fakeStripe.act((await rowOf(payment.id)).externalId, 'pay');
    await deliver();
    const requests = payments.fakeStripe.requests.length;
    expect(statusAndCode(await refund(payment.id, dinars(1001)))).toEqual([400, 'refund_amount_not_possible']);
    await paymentsSettled(app);
    expect(payments.fakeStripe.requests).toHaveLength(requests);
    expect(await app.rows('refunds').where({ paymentId: app.ports.ids.decode('pay', payment.id) })).toEqual([]);
    expect(await read(payment.id)).toMatchObject({ status: 'SUCCEEDED', refunded: { amountMinor: 0 } });
    expect(await available()).toBe(2000);
    expect((await refund(payment.id, dinars(1010))).status).toBe(201);
  });

  it('is not charged: currency_not_supported, and nothing moves', async () => {
    const requests = payments.fakePayPal.requests.length;
    const change = { credits: 2000, currency: 'KWD', provider: 'paypal' };
    expect(statusAndCode(await buy(change))).toEqual([400, 'currency_not_supported']);
    await paymentsSettled(app);
    expect(payments.fakePayPal.requests).toHaveLength(requests);
    const mine = { organizationId: organizationOf(ada) };
    for (const table of ['payments', 'credit_purchases']) expect(await app.rows(table).where(mine)).toEqual([]);
    expect((await buy()).status).toBe(201); // so the currency is not fixed
  });
});
