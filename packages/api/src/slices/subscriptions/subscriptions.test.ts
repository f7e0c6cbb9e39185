import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { sweepSubscriptions } from '../../../test/due-subscriptions.ts';
import { type KeyedPerson, signUpWithKey } from '../../../test/keyed-person.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { systemContext } from '../../context.ts';
import { findBillingFaults } from '../books/service/faults.ts';
import { runDueSubscriptions } from './jobs.ts';

const PATH = '/api/v1/subscriptions';
const RETURN_URL = 'http://127.0.0.1:8000/back';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let app: TestApp;
let payments: TestPayments;
let ada: KeyedPerson;
let staff: KeyedPerson;

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE', CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  // So that most of what follows is paid at once; ENTERPRISE has a trial here.
  await app.rows('plans').whereIn('code', ['BASIC', 'PRO']).update({ trialDays: 0 });
  await app.rows('plans').where({ code: 'ENTERPRISE' }).update({ trialDays: 14 });
  staff = await signUpWithKey(app);
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
});
afterAll(async () => {
  await sweep();
  expect(await findBillingFaults(app.ports.database, now())).toEqual([]);
  await app.close();
});
beforeEach(async () => {
  ada = await signUpWithKey(app);
});
afterEach(async () => {
  for (const fake of [payments.fakeStripe, payments.fakePayPal]) {
    fake.lose();
    fake.recover();
  }
  await paymentsSettled(app);
});

const organizationId = () => app.ports.ids.decode('org', ada.organizationId);
const call = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  app.request(PATH + path, { method, headers: { ...ada.key, ...headers }, ...(body && { body }) });
const subscribe = (change: object = {}) =>
  call('POST', '/subscribe', {
    plan: 'BASIC',
    interval: 'month',
    provider: 'stripe',
    returnUrl: RETURN_URL,
    ...change,
  });
const get = async () => (await call('GET', '')).body;
const update = (change: object, headers = {}) => call('PATCH', '', change, headers);
const cancel = (at: string) => call('POST', '/cancel', { at });
const resume = () => call('POST', '/resume');
const preview = (body: object) => call('POST', '/preview', body);
const plan = async () => (await app.request('/api/v1/entitlements', { headers: ada.key })).body.plan;
const credits = async () => (await call('GET', '/credits')).body.available;
const rowOf = () => app.rows('subscriptions').where({ organizationId: organizationId() }).orderBy('id', 'desc').first();
const invoices = () => app.rows('invoices').where({ organizationId: organizationId() }).orderBy('id');
const now = () => app.ports.clock.now();

/** A card that is charged without its owner. */
async function addCard(
  behavior: Parameters<TestPayments['fakeStripe']['addCard']>[1] = 'pays',
  fingerprint: string = randomUUID(),
) {
  const reference = randomUUID();
  const customer = await payments.stripe.createCustomer({ key: reference, reference, email: null, name: null });
  const customerId = customer!.id;
  const externalId = payments.fakeStripe.addCard(customerId, behavior);
  await app.rows('payment_methods').where({ organizationId: organizationId() }).update({ isDefault: false });
  await app.rows('payment_methods').insert({
    organizationId: organizationId(),
    provider: 'stripe',
    status: 'ACTIVE',
    isDefault: true,
    externalId,
    customerId,
    kind: 'card',
    fingerprint,
    createdAt: now(),
  });
}

const sweep = () => sweepSubscriptions(app);

/** The clock moves while nothing is under way, and what is due is done. */
async function pass(ms: number): Promise<void> {
  await paymentsSettled(app);
  app.advance(ms);
  await sweep();
}

/** To a moment of the subscription. */
const passTo = async (moment: string | null, moreMs = 0): Promise<void> =>
  pass(new Date(moment ?? now()).getTime() - now().getTime() + moreMs);

async function active(change: object = {}): Promise<void> {
  await addCard();
  expect((await subscribe(change)).body).toMatchObject({ status: 'ACTIVE', actionUrl: null });
}

/** That of a subscription which its payer pays on a page. */
async function firstPayment(provider: string): Promise<{ externalId: string }> {
  expect((await subscribe({ provider })).body).toMatchObject({ status: 'INCOMPLETE' });
  return app.rows('payments').where({ organizationId: organizationId() }).first();
}

/** Subjects of what was mailed to the owner, when nothing is left to mail. */
async function mails(): Promise<string[]> {
  await paymentsSettled(app);
  const left = () => app.rows('agenda_jobs').where('name', 'like', '%mail%').whereRaw("data::text like '%eventId%'");
  await eventually(async () => ((await left().first()) ? undefined : true), 'mails to be sent');
  return app.mails.filter(({ to }) => to === ada.email).map(({ subject }) => subject);
}

const eventsOf = async (type: string) =>
  (await app.rows('events').where({ organizationId: organizationId(), type })).length;

describe('subscribing', () => {
  it('with a saved card is paid at once: the plan and its credits count', async () => {
    expect(statusAndCode(await call('GET', ''))).toEqual([404, 'no_subscription']);
    expect(await plan()).toBe('FREE');
    await addCard();
    const { status, body } = await subscribe();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'ACTIVE',
      plan: 'BASIC',
      quantity: 1,
      provider: 'stripe',
      actionUrl: null,
      invoiceId: null,
    });
    expect([await plan(), await credits()]).toEqual(['BASIC', 500]);
    expect(await invoices()).toMatchObject([{ status: 'PAID', reason: 'PERIOD', totalMinor: 1900, currency: 'USD' }]);
    const { entitledUntil, period } = body;
    expect(new Date(entitledUntil).getTime() - new Date(period.to).getTime()).toBe(3 * DAY_MS);
  });

  it('rule 20: without one leads to a page, and counts once it is paid, though no browser comes back', async () => {
    const { body } = await subscribe();
    expect(body).toMatchObject({ status: 'INCOMPLETE', period: null, entitledUntil: null });
    expect(body.actionUrl).toMatch(/^http:/);
    expect(await plan()).toBe('FREE');
    const payment = await app.rows('payments').where({ organizationId: organizationId() }).first();
    payments.fakeStripe.act(payment.externalId, 'pay');
    await payments.fakeStripe.deliver({ copies: 3 });
    await paymentsSettled(app);
    expect(await get()).toMatchObject({ status: 'ACTIVE', invoiceId: null });
    expect([await plan(), await credits()]).toEqual(['BASIC', 500]);
    // What was paid with is saved, and charged for the next period.
    await passTo((await get()).period.to);
    expect((await invoices()).map(({ status }: { status: string }) => status)).toEqual(['PAID', 'PAID']);
  });

  it('rule 19: fifty at once make one subscription', async () => {
    await addCard();
    const answers = await Promise.all(Array.from({ length: 50 }, () => subscribe()));
    const rows = await app.rows('subscriptions').where({ organizationId: organizationId() });
    expect(rows.filter(({ status }: { status: string }) => !['CANCELED', 'EXPIRED'].includes(status))).toHaveLength(1);
    await paymentsSettled(app);
    expect(await get()).toMatchObject({ status: 'ACTIVE' });
    // The others joined the first, or came after it was paid.
    for (const answer of answers) expect([[201], [409, 'already_subscribed']]).toContainEqual(statusAndCode(answer));
    expect(await invoices()).toMatchObject([{ status: 'PAID' }]);
    expect(await app.rows('payments').where({ organizationId: organizationId() })).toMatchObject([
      { status: 'SUCCEEDED' },
    ]);
  });

  it('rule 19: the database refuses a second one that lives', async () => {
    await active();
    const { id: _, ...live } = await rowOf();
    await expect(app.rows('subscriptions').insert(live)).rejects.toThrow('subscriptions_live_unique');
  });

  it('that is not paid within 23 hours expires, and its invoice is void', async () => {
    await subscribe();
    await pass(23 * HOUR_MS);
    expect(await get()).toMatchObject({ status: 'EXPIRED', invoiceId: null });
    expect(await invoices()).toMatchObject([{ status: 'VOID' }]);
  });

  it.each(['stripe', 'paypal'] as const)(
    'with money of %s that is on its way expires after 23 hours, and what comes later is paid back',
    async (provider) => {
      const fake = provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal;
      const { externalId } = await firstPayment(provider);
      if (provider === 'stripe') payments.fakeStripe.act(externalId, 'pay_late');
      else payments.fakePayPal.act(externalId, 'approve', 'pays_late');
      await fake.deliver();
      await paymentsSettled(app);
      const payment = () => app.rows('payments').where({ externalId }).first();
      expect((await payment()).status).toBe('PENDING');
      await pass(22 * HOUR_MS);
      expect([(await get()).status, await plan()]).toEqual(['INCOMPLETE', 'FREE']);
      await pass(HOUR_MS);
      expect([(await get()).status, await plan()]).toEqual(['EXPIRED', 'FREE']);
      expect(await invoices()).toMatchObject([{ status: 'VOID', paidMinor: 0 }]);
      fake.settle(externalId);
      await fake.deliver();
      await paymentsSettled(app);
      expect((await payment()).status).toBe('SUCCEEDED');
      expect(await app.rows('refunds').where({ organizationId: organizationId() })).toMatchObject([
        { origin: 'DUPLICATE', status: 'SUCCEEDED', amountMinor: 1900 },
      ]);
      expect([(await get()).status, await plan(), await credits()]).toEqual(['EXPIRED', 'FREE', 0]);
      expect(await invoices()).toMatchObject([{ status: 'VOID', paidMinor: 0 }]);
    },
  );

  it('again replaces what was never paid, and is refused beside what lives', async () => {
    const first = (await subscribe()).body.id;
    await addCard();
    const second = (await subscribe({ plan: 'PRO' })).body;
    expect(second).toMatchObject({ status: 'ACTIVE', plan: 'PRO' });
    expect(second.id).not.toBe(first);
    expect(statusAndCode(await subscribe())).toEqual([409, 'already_subscribed']);
    // The page of the first can be paid no more.
    const [left] = await app.rows('payments').where({ organizationId: organizationId() }).orderBy('id');
    expect(left).toMatchObject({ status: 'CANCELED', failureCode: 'not_due', actionUrl: null });
    await paymentsSettled(app);
    expect((await payments.stripe.getCharge(left.externalId)).status).toBe('CANCELED');
  });

  it('again with its coupon leads to the same page until it is paid, and is known to the provider from then on', async () => {
    const coupon = { code: `AGAIN${randomUUID().slice(0, 8).toUpperCase()}`, percentOff: 10, duration: 'once' };
    await app.rows('coupons').insert({ ...coupon, maxRedemptions: 1, createdAt: now() });
    const first = (await subscribe({ coupon: coupon.code })).body;
    expect(first).toMatchObject({ status: 'INCOMPLETE', actionUrl: expect.stringContaining('http') });
    const again = await subscribe({ coupon: coupon.code });
    expect([again.status, again.body]).toMatchObject([201, { id: first.id, actionUrl: first.actionUrl }]);
    const [customer] = await app.rows('payment_customers').where({ organizationId: organizationId() });
    const [opened] = await app.rows('payments').where({ organizationId: organizationId() });
    expect(customer.externalId).not.toBeNull();
    expect(await payments.stripe.getCharge(opened.externalId)).toMatchObject({ customerId: customer.externalId });
  });

  it.each<[what: string, change: object, status: number, code: string]>([
    ['FREE, which needs none', { plan: 'FREE' }, 400, 'plan_is_free'],
    ['an unknown plan', { plan: 'GOLD' }, 400, 'invalid_input'],
    ['a currency in which it is not sold', { currency: 'JPY' }, 400, 'price_not_sold'],
    ['no unit', { quantity: 0 }, 400, 'invalid_input'],
    ['more units than there can be', { quantity: 1e9 }, 400, 'invalid_input'],
    ['half a unit', { quantity: 1.5 }, 400, 'invalid_input'],
    ['a page of somewhere else', { returnUrl: 'https://elsewhere.example/x' }, 400, 'return_url_not_allowed'],
    ['an unknown coupon', { coupon: 'NOSUCH' }, 400, 'coupon_not_valid'],
  ])('is refused for %s, and nothing is made', async (_, change, status, code) => {
    expect(statusAndCode(await subscribe(change))).toEqual([status, code]);
    expect(await rowOf()).toBeUndefined();
    expect(await invoices()).toEqual([]);
  });
});

describe('a renewal', () => {
  it('rule 7: of a period happens once, also when two workers find it due', async () => {
    await active();
    const { period } = await get();
    await paymentsSettled(app);
    app.advance(new Date(period.to).getTime() - now().getTime());
    await Promise.all([sweep(), sweep(), sweep()]);
    await sweep();
    const after = await get();
    expect(after).toMatchObject({ status: 'ACTIVE', period: { from: period.to } });
    expect(
      (await invoices()).map(({ status, periodKey }: { status: string; periodKey: string }) => [periodKey, status]),
    ).toEqual([
      ['cycle/1', 'PAID'],
      ['cycle/2', 'PAID'],
    ]);
    expect([await plan(), await credits()]).toEqual(['BASIC', 500]);
  });

  it('adds its credits to what is left where the plan says so, and takes its place where not', async () => {
    await app.rows('plans').where({ code: 'BASIC' }).update({ creditsRollOver: true });
    try {
      await active();
      await passTo((await get()).period.to);
      expect(await credits()).toBe(1000);
    } finally {
      await app.rows('plans').where({ code: 'BASIC' }).update({ creditsRollOver: false });
    }
    await passTo((await get()).period.to);
    await passTo((await get()).period.to);
    expect(await credits()).toBe(1500); // what has rolled over stays, and each later month expires
  });

  it('rule 28: after 100 days without a worker, each period is billed once and in order, with few mails', async () => {
    await active();
    const before = app.mails.length;
    await paymentsSettled(app);
    app.advance(100 * DAY_MS);
    for (let run = 0; run < 5; run++) await sweep();
    const lines = await app.rows('invoice_lines').where({ organizationId: organizationId() }).orderBy('id');
    const periods = lines.map(({ periodStart, periodEnd }: { periodStart: Date; periodEnd: Date }) => [
      +periodStart,
      +periodEnd,
    ]);
    expect(periods.length).toBe(4);
    for (const [at, [from]] of periods.entries()) if (at > 0) expect(from).toBe(periods[at - 1]![1]);
    const { status, period } = await get();
    expect(status).toBe('ACTIVE');
    expect(new Date(period.to) > now()).toBe(true);
    // For each of the three: that the payment succeeded, and that the invoice was paid.
    expect(app.mails.slice(before).filter(({ to }) => to === ada.email).length).toBeLessThanOrEqual(8);
  });

  it('rule 26: that never comes ends access by the clock, though no job runs', async () => {
    await active();
    const { entitledUntil } = await get();
    await paymentsSettled(app);
    app.advance(new Date(entitledUntil).getTime() - now().getTime() - 600_000);
    expect(await plan()).toBe('BASIC');
    app.advance(600_000);
    expect(await plan()).toBe('FREE');
  });
});

describe('a renewal that is declined', () => {
  beforeEach(async () => {
    await active();
  });

  it('says that the payment of its invoice failed', async () => {
    await addCard('declines');
    await passTo((await get()).period.to);
    expect(await eventsOf('payment.failed')).toBe(1);
    expect(await eventsOf('invoice.payment_failed')).toBe(1);
  });

  it('keeps access for a while, is tried again on some days, and then ends', async () => {
    await addCard('declines');
    const { period } = await get();
    await passTo(period.to);
    const pastDue = await get();
    expect(pastDue).toMatchObject({ status: 'PAST_DUE', pastDueSince: expect.any(String) });
    expect(await plan()).toBe('BASIC');
    expect(await eventsOf('subscription.past_due')).toBe(1);
    expect(statusAndCode(await update({ plan: 'PRO' }))).toEqual([409, 'payment_required']);
    const attempts = async () =>
      (await app.rows('payments').where({ organizationId: organizationId(), status: 'FAILED' })).length;
    expect(await attempts()).toBe(1);
    const since = new Date(pastDue.pastDueSince).getTime();
    for (const [at, day] of [1, 3, 5, 7, 14].entries()) {
      await passTo(new Date(since + day * DAY_MS).toISOString());
      expect([day, await attempts()]).toEqual([day, at + 2]);
      expect(await plan()).toBe(day < 7 ? 'BASIC' : 'FREE');
    }
    await pass(DAY_MS);
    expect(await get()).toMatchObject({ status: 'CANCELED', invoiceId: null });
    expect((await invoices()).at(-1)).toMatchObject({ status: 'VOID' });
    expect(await eventsOf('subscription.canceled')).toBe(1);
  });

  it('for good waits for another card, and goes on with it where it stopped', async () => {
    await addCard('is_stolen');
    const { period } = await get();
    await passTo(period.to);
    const { pastDueSince } = await get();
    const attempts = async () => (await app.rows('payments').where({ organizationId: organizationId() })).length;
    const before = await attempts();
    await passTo(new Date(new Date(pastDueSince).getTime() + DAY_MS).toISOString());
    await passTo(new Date(new Date(pastDueSince).getTime() + 3 * DAY_MS).toISOString());
    expect(await attempts()).toBe(before);
    await addCard();
    await passTo(new Date(new Date(pastDueSince).getTime() + 5 * DAY_MS).toISOString());
    expect(await get()).toMatchObject({ status: 'ACTIVE', pastDueSince: null, period: { from: period.to } });
    expect(await plan()).toBe('BASIC');
  });

  it('rule 43: is past due only while its invoice is open, whatever pays it', async () => {
    await addCard('declines');
    await passTo((await get()).period.to);
    expect(await get()).toMatchObject({ status: 'PAST_DUE' });
    await addCard();
    await pass(DAY_MS);
    expect(await get()).toMatchObject({ status: 'ACTIVE', invoiceId: null });
    expect(await eventsOf('subscription.past_due')).toBe(1);
  });

  it('rule 41: mails that its invoice was paid once it is, never with the failure of the same attempt', async () => {
    const before = (await mails()).length;
    const since = async () => (await mails()).slice(before).toSorted();
    await addCard('declines');
    await passTo((await get()).period.to);
    const refused = expect.stringMatching(/^A payment of .* was refused$/);
    expect(await since()).toEqual([refused]);
    await addCard();
    await pass(DAY_MS);
    expect(await get()).toMatchObject({ status: 'ACTIVE' });
    const all = [
      expect.stringMatching(/^A payment of .* is paid$/),
      refused,
      expect.stringMatching(/^Invoice .* was paid$/),
    ];
    expect(await since()).toEqual(all);
    await payments.fakeStripe.deliver({ copies: 3 });
    await pass(DAY_MS);
    expect(await since()).toEqual(all);
  });
});

describe.each(['stripe', 'paypal'] as const)('a payment by %s that is disputed', (provider) => {
  const fake = () => (provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal);
  let dispute: string;
  beforeEach(async () => {
    const { externalId } = await firstPayment(provider);
    if (provider === 'stripe') payments.fakeStripe.act(externalId, 'pay');
    else payments.fakePayPal.act(externalId, 'approve');
    await settle();
    const { captureId } = await app.rows('payments').where({ externalId }).first();
    dispute =
      provider === 'stripe' ? payments.fakeStripe.openDispute(externalId) : payments.fakePayPal.openDispute(captureId);
    await settle();
    expect([(await get()).status, await plan(), await credits()]).toEqual(['ACTIVE', 'BASIC', 0]);
  });

  async function settle(): Promise<void> {
    await fake().deliver();
    await paymentsSettled(app);
  }

  /** What the journal has in each account, where there is anything. */
  async function journal(): Promise<Record<string, number>> {
    const lines = await app
      .rows('journal_lines')
      .where({ organizationId: organizationId() })
      .groupBy('account')
      .select('account')
      .sum('amountMinor as amountMinor');
    const amounts = lines.map(({ account, amountMinor }) => [account.replace(/_.*/, ''), Number(amountMinor)]);
    return Object.fromEntries(amounts.filter(([account, amount]) => amount !== 0 && account !== 'fees'));
  }
  const fees = async () => {
    const { feeMinor } = await app.rows('payments').where({ organizationId: organizationId() }).first();
    return Number(feeMinor);
  };

  it('keeps the plan while the dispute is open, and its credits again when it is won', async () => {
    expect(await journal()).toEqual({ cash: -(await fees()), disputes: 1900, revenue: -1900 });
    fake().closeDispute(dispute, 'won');
    await settle();
    expect([(await get()).status, await plan(), await credits()]).toEqual(['ACTIVE', 'BASIC', 500]);
    expect(await journal()).toEqual({ cash: 1900 - (await fees()), revenue: -1900 });
  });

  it('ends the subscription, and takes its credits, when the dispute is lost', async () => {
    fake().closeDispute(dispute, 'lost');
    await settle();
    expect([(await get()).status, await plan(), await credits()]).toEqual(['CANCELED', 'FREE', 0]);
    expect(await invoices()).toMatchObject([{ status: 'PAID', chargedBackMinor: 1900 }]);
    expect(await journal()).toEqual({ cash: -(await fees()), refunds: 1900, revenue: -1900 });
    await active();
    // Nothing is owed: none of them were spent.
    expect(await credits()).toBe(500);
  });
});

describe('canceling', () => {
  it('rule 27: at the end of the period keeps the plan until then, and can be taken back free of charge', async () => {
    await active();
    const { period } = await get();
    const canceled = await cancel('period_end');
    expect(canceled.body).toMatchObject({ status: 'ACTIVE', cancelAt: period.to, entitledUntil: period.to });
    expect(statusAndCode(await update({ plan: 'PRO' }))).toEqual([409, 'subscription_canceling']);
    expect((await resume()).body).toMatchObject({ cancelAt: null });
    expect(statusAndCode(await resume())).toEqual([409, 'subscription_not_canceling']);
    await cancel('period_end');
    await passTo(period.to, -600_000);
    expect(await plan()).toBe('BASIC');
    await passTo(period.to);
    expect(await get()).toMatchObject({ status: 'CANCELED', endedAt: period.to });
    expect(await plan()).toBe('FREE');
    expect(await invoices()).toHaveLength(1);
    expect(statusAndCode(await resume())).toEqual([409, 'subscription_ended']);
    expect(statusAndCode(await update({ plan: 'PRO' }))).toEqual([409, 'subscription_ended']);
    expect(statusAndCode(await cancel('now'))).toEqual([409, 'subscription_ended']);
  });

  it('now ends at once, and leaves room for another', async () => {
    await active();
    expect((await cancel('now')).body).toMatchObject({ status: 'CANCELED', endedAt: expect.any(String) });
    expect(await plan()).toBe('FREE');
    expect((await subscribe({ plan: 'PRO' })).body).toMatchObject({ status: 'ACTIVE', plan: 'PRO' });
  });

  it('beside a renewal ends in one of both orders, and never renews what has ended', async () => {
    await active();
    const { period } = await get();
    await paymentsSettled(app);
    app.advance(new Date(period.to).getTime() - now().getTime());
    await Promise.all([sweep(), cancel('now')]);
    await sweep();
    expect(await get()).toMatchObject({ status: 'CANCELED' });
    expect(await plan()).toBe('FREE');
    for (const { status } of await invoices()) expect(['PAID', 'VOID']).toContain(status);
  });

  it('takes If-Match', async () => {
    await active();
    const { headers } = await call('GET', '');
    const stale = { 'if-match': '"999"' };
    expect(statusAndCode(await call('POST', '/cancel', { at: 'now' }, stale))).toEqual([412, 'version_mismatch']);
    expect((await call('POST', '/cancel', { at: 'now' }, { 'if-match': headers.get('etag')! })).status).toBe(200);
  });
});

describe('a change', () => {
  it('rule 25: to more costs exactly what the preview showed, half an hour later', async () => {
    await active();
    await pass(10 * DAY_MS);
    const shown = (await preview({ plan: 'PRO' })).body;
    expect(shown.lines).toHaveLength(2);
    await pass(HOUR_MS / 2);
    const { status, body } = await update({ plan: 'PRO', prorationAt: shown.prorationAt });
    expect(status).toBe(200);
    expect(body).toMatchObject({ plan: 'PRO', change: null, actionUrl: null });
    const invoice = (await invoices()).at(-1);
    expect(invoice).toMatchObject({ reason: 'CHANGE', status: 'PAID', totalMinor: shown.total.amountMinor });
    expect(await plan()).toBe('PRO');
    expect(
      statusAndCode(await update({ quantity: 2, prorationAt: new Date(now().getTime() - 2 * HOUR_MS).toISOString() })),
    ).toEqual([400, 'proration_at_too_far']);
  });

  it('rule 35: gives the difference of the credits for the rest of the month, and never the month again', async () => {
    await active();
    const { period } = await get();
    const half = (new Date(period.to).getTime() - now().getTime()) / 2;
    await pass(half);
    await update({ plan: 'PRO' });
    const after = await credits();
    expect(after).toBeGreaterThan(500 + 2200);
    expect(after).toBeLessThanOrEqual(500 + 2251);
    // Seats too.
    await passTo(period.to, -60_000);
    const before = await credits();
    await update({ quantity: 3 });
    expect(await credits()).toBeLessThanOrEqual(before + 2);
  });

  it('rule 36: leaves credits that were bought alone when the month’s expire', async () => {
    await active();
    await app.rows.raw("select credit_grant(?, 'PAYMENT', ?, 70, 0, 'infinity', ?)", [
      organizationId(),
      randomUUID(),
      now(),
    ]);
    expect(await credits()).toBe(570);
    const { period } = await get();
    await passTo(period.to);
    await sweep();
    expect(await credits()).toBe(570);
  });

  it('to less waits for the end of the period, and can be taken back', async () => {
    await active({ plan: 'PRO' });
    const { period } = await get();
    expect((await preview({ plan: 'BASIC' })).body).toMatchObject({
      lines: [],
      total: { amountMinor: 0 },
      effectiveAt: period.to,
    });
    expect((await update({ plan: 'BASIC' })).body).toMatchObject({
      plan: 'PRO',
      pending: { plan: 'BASIC', from: period.to },
    });
    expect((await update({ plan: 'PRO' })).body).toMatchObject({ plan: 'PRO', pending: null });
    await update({ plan: 'BASIC' });
    await passTo(period.to);
    expect(await get()).toMatchObject({ plan: 'BASIC', pending: null, period: { from: period.to } });
    expect((await invoices()).map(({ totalMinor }: { totalMinor: number }) => totalMinor)).toEqual([9900, 1900]);
    expect(await plan()).toBe('BASIC');
  });

  it('to a year begins a new period at once, and back to a month at its end', async () => {
    await active();
    await pass(DAY_MS);
    const { body } = await update({ interval: 'year' });
    expect(body).toMatchObject({ price: { interval: 'year' } });
    const { from, to } = body.period;
    expect(new Date(to).getUTCFullYear() - new Date(from).getUTCFullYear()).toBe(1);
    expect((await update({ interval: 'month' })).body.pending).toMatchObject({
      price: { interval: 'month' },
      from: to,
    });
  });

  it('that is not paid changes nothing, and lapses', async () => {
    await active();
    await addCard('declines');
    const { body } = await update({ plan: 'PRO' });
    expect(body).toMatchObject({ plan: 'BASIC', change: { plan: 'PRO' } });
    expect(await plan()).toBe('BASIC');
    expect(statusAndCode(await update({ quantity: 2 }))).toEqual([409, 'change_in_progress']);
    await pass(23 * HOUR_MS);
    expect(await get()).toMatchObject({ plan: 'BASIC', status: 'ACTIVE', change: null });
    expect((await invoices()).at(-1)).toMatchObject({ status: 'VOID' });
  });

  it('of the provider counts from the next period', async () => {
    await active();
    expect((await update({ provider: 'paypal' })).body).toMatchObject({
      provider: 'stripe',
      pending: { provider: 'paypal' },
    });
    expect((await update({ provider: 'stripe' })).body).toMatchObject({ pending: null });
  });

  it.each<[what: string, change: object, status: number, code: string]>([
    ['what is there already', { plan: 'BASIC' }, 409, 'nothing_to_change'],
    ['nothing at all', {}, 409, 'nothing_to_change'],
    ['FREE', { plan: 'FREE' }, 400, 'plan_is_free'],
    ['a preview of long ago', { plan: 'PRO', prorationAt: '2020-01-01T00:00:00Z' }, 400, 'proration_at_too_far'],
  ])('is refused: %s', async (_, change, status, code) => {
    await active();
    expect(statusAndCode(await update(change))).toEqual([status, code]);
    expect(await invoices()).toHaveLength(1);
  });

  it.each<[what: string, change: object]>([
    ['no unit', { quantity: 0 }],
    ['fewer units than none', { quantity: -1 }],
    ['half a unit', { quantity: 0.5 }],
    ['more units than a number is exact for', { quantity: 2 ** 53 }],
    ['an unknown plan', { plan: 'GOLD' }],
    ['a provider that there is not', { provider: 'cash' }],
  ])('to %s is refused, and so is its preview', async (_, change) => {
    await active();
    const before = await rowOf();
    expect(statusAndCode(await update(change))).toEqual([400, 'invalid_input']);
    expect(statusAndCode(await preview(change))).toEqual([400, 'invalid_input']);
    expect(await rowOf()).toEqual(before);
    expect(await invoices()).toHaveLength(1);
  });

  it('is refused before the first payment, and where nothing was ever subscribed to', async () => {
    expect(statusAndCode(await update({ plan: 'PRO' }))).toEqual([404, 'no_subscription']);
    expect(statusAndCode(await preview({}))).toEqual([404, 'no_subscription']);
    await subscribe();
    expect(statusAndCode(await update({ plan: 'PRO' }))).toEqual([409, 'subscription_incomplete']);
  });
});

describe('a trial', () => {
  it('counts at once, is announced, and is paid at its end', async () => {
    await addCard();
    const { body } = await subscribe({ plan: 'ENTERPRISE' });
    expect(body).toMatchObject({ status: 'TRIALING', period: null, invoiceId: null, actionUrl: null });
    expect(await plan()).toBe('ENTERPRISE');
    expect(await invoices()).toEqual([]);
    await passTo(body.trialEnd, -3 * DAY_MS);
    expect(await eventsOf('subscription.trial_ending')).toBe(1);
    await passTo(body.trialEnd);
    expect(await get()).toMatchObject({ status: 'ACTIVE', period: { from: body.trialEnd } });
    expect(await invoices()).toMatchObject([{ status: 'PAID', totalMinor: 49_900 }]);
  });

  it('rule 30: is given once to an organization, and once to a card', async () => {
    const fingerprint = randomUUID();
    await addCard('pays', fingerprint);
    expect((await subscribe({ plan: 'ENTERPRISE' })).body.status).toBe('TRIALING');
    await cancel('now');
    expect((await subscribe({ plan: 'ENTERPRISE' })).body.status).toBe('ACTIVE');
    ada = await signUpWithKey(app);
    await addCard('pays', fingerprint);
    expect((await subscribe({ plan: 'ENTERPRISE' })).body.status).toBe('ACTIVE');
  });

  it('rule 30: is given to one of five organizations that use a card at once', async () => {
    const fingerprint = randomUUID();
    const people: (typeof ada)[] = [];
    for (let at = 0; at < 5; at++) {
      ada = await signUpWithKey(app);
      await addCard('pays', fingerprint);
      people.push(ada);
    }
    const body = { plan: 'ENTERPRISE', interval: 'month', provider: 'stripe', returnUrl: RETURN_URL };
    const answers = await Promise.all(
      people.map(({ key }) => app.request(`${PATH}/subscribe`, { method: 'POST', headers: key, body: { ...body } })),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    await paymentsSettled(app);
    const ids = people.map(({ organizationId }) => app.ports.ids.decode('org', organizationId));
    const made = await app.rows('subscriptions').whereIn('organizationId', ids);
    expect(made.filter(({ trialEnd }: { trialEnd: Date | null }) => trialEnd !== null)).toHaveLength(1);
    expect(await app.rows('used_trials').where({ fingerprint })).toHaveLength(1);
  });

  it('is changed without being charged, and canceled at its end', async () => {
    await addCard();
    const { trialEnd } = (await subscribe({ plan: 'ENTERPRISE' })).body;
    expect((await update({ quantity: 2 })).body).toMatchObject({ status: 'TRIALING', quantity: 2 });
    expect((await cancel('period_end')).body).toMatchObject({ cancelAt: trialEnd });
    await passTo(trialEnd);
    expect(await get()).toMatchObject({ status: 'CANCELED' });
    expect(await invoices()).toEqual([]);
  });
});

describe('coupons', () => {
  const admin = (method: string, path = '', body?: object) =>
    staff.request(`/api/v1/admin/coupons${path}`, { method, ...(body && { body }) });
  const code = () => `C${randomUUID().slice(0, 12).toUpperCase()}`;

  it('make the periods cheaper for which they count', async () => {
    // Its token is of now: the clock moves afterwards.
    staff = await renewed(staff);
    const coupon = code();
    const made = await admin('POST', '', {
      code: coupon,
      percentOff: 25,
      duration: 'repeating',
      months: 2,
      maxRedemptions: 1,
    });
    expect([made.status, made.body]).toMatchObject([201, { code: coupon, redeemed: 0 }]);
    await addCard();
    expect((await preview({ plan: 'BASIC', coupon })).body.total).toEqual({ amountMinor: 1425, currency: 'USD' });
    expect((await subscribe({ coupon: coupon.toLowerCase() })).body).toMatchObject({ status: 'ACTIVE', coupon });
    for (let month = 0; month < 2; month++) await passTo((await get()).period.to);
    const totals = (await invoices()).map(({ totalMinor }: { totalMinor: number }) => totalMinor);
    expect(totals).toEqual([1425, 1425, 1900]);
    await cancel('now');
    expect(statusAndCode(await subscribe({ coupon }))).toEqual([400, 'coupon_not_valid']);
  });

  it('are used as often as they can be, by ten organizations that ask five times each at once', async () => {
    staff = await renewed(staff);
    const coupon = code();
    const whole = { amountOff: { amountMinor: 5000, currency: 'USD' }, duration: 'once' };
    await admin('POST', '', { code: coupon, ...whole, maxRedemptions: 3 });
    const people: (typeof ada)[] = [];
    for (let at = 0; at < 10; at++) people.push(await signUpWithKey(app));
    const body = { plan: 'BASIC', interval: 'month', provider: 'stripe', returnUrl: RETURN_URL, coupon };
    const answers = await Promise.all(
      people.flatMap(({ key }) =>
        Array.from({ length: 5 }, () =>
          app.request(`${PATH}/subscribe`, { method: 'POST', headers: key, body: { ...body } }),
        ),
      ),
    );
    const refused = [
      [400, 'coupon_not_valid'],
      [409, 'coupon_already_used'],
      [409, 'already_subscribed'],
    ];
    for (const answer of answers) expect([[201], ...refused]).toContainEqual(statusAndCode(answer));
    expect(await app.rows('coupons').where({ code: coupon }).first()).toMatchObject({ redeemed: 3 });
    const ids = people.map(({ organizationId }) => app.ports.ids.decode('org', organizationId));
    expect(await app.rows('coupon_redemptions').whereIn('organizationId', ids)).toHaveLength(3);
    const made = await app.rows('subscriptions').whereIn('organizationId', ids);
    expect(made.map(({ status }: { status: string }) => status)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
  });

  it('that take off everything need no payment', async () => {
    staff = await renewed(staff);
    const coupon = code();
    await admin('POST', '', { code: coupon, amountOff: { amountMinor: 5000, currency: 'USD' }, duration: 'once' });
    expect((await subscribe({ coupon })).body).toMatchObject({ status: 'ACTIVE', actionUrl: null });
    expect(await app.rows('payments').where({ organizationId: organizationId() })).toEqual([]);
    await cancel('now');
    expect(statusAndCode(await subscribe({ coupon }))).toEqual([409, 'coupon_already_used']);
    expect(statusAndCode(await subscribe({ coupon, currency: 'EUR' }))).toEqual([409, 'currency_fixed']);
  });

  it('are archived, and listed all the same', async () => {
    staff = await renewed(staff);
    const coupon = code();
    await admin('POST', '', { code: coupon, percentOff: 10, duration: 'forever' });
    expect(statusAndCode(await admin('POST', '', { code: coupon, percentOff: 10, duration: 'once' }))).toEqual([
      409,
      'coupon_code_taken',
    ]);
    expect((await admin('DELETE', `/${coupon}`)).status).toBe(204);
    expect((await admin('DELETE', `/${coupon}`)).status).toBe(204);
    expect(statusAndCode(await admin('DELETE', '/NOSUCHCODE'))).toEqual([404, 'not_found']);
    const { items } = (await admin('GET')).body;
    expect(items[0]).toMatchObject({ code: coupon, archivedAt: expect.any(String) });
    expect(statusAndCode(await subscribe({ coupon }))).toEqual([400, 'coupon_not_valid']);
  });

  it.each<[body: object, code: string]>([
    [{ duration: 'once' }, 'coupon_discount_unclear'],
    [{ percentOff: 1, amountOff: { amountMinor: 1, currency: 'USD' }, duration: 'once' }, 'coupon_discount_unclear'],
    [{ percentOff: 1, duration: 'repeating' }, 'coupon_months_unclear'],
    [{ percentOff: 1, duration: 'once', months: 2 }, 'coupon_months_unclear'],
    [{ percentOff: 1, duration: 'once', expiresAt: '2020-01-01T00:00:00Z' }, 'coupon_expires_in_past'],
    [{ percentOff: 101, duration: 'once' }, 'invalid_input'],
    [{ amountOff: { amountMinor: 0, currency: 'USD' }, duration: 'once' }, 'invalid_input'],
  ])('are refused: %j', async (body, error) => {
    staff = await renewed(staff);
    expect(statusAndCode(await admin('POST', '', { code: code(), ...body }))).toEqual([400, error]);
  });
});

/** The same person with a token of now. */
async function renewed<P extends Person>(person: P): Promise<P> {
  const { email, password } = person;
  const { body } = await app.request('/api/v1/auth/login', { method: 'POST', body: { email, password } });
  return { ...person, ...app.person(email, body) };
}

it('the usage summary compares calls and credits with what the plan includes', async () => {
  await active();
  const { body } = await call('GET', '/usage-summary');
  expect(body).toMatchObject({
    plan: 'BASIC',
    calls: { included: 100_000, overage: 'bill', beyond: 0, refusedUntil: null },
    credits: { included: 500, available: 500 },
    period: (await get()).period,
  });
  expect(body.calls.used + body.calls.remaining).toBe(100_000);
});

it('the subscription of a deleted organization is not renewed', async () => {
  await active();
  const { period } = await get();
  await app.rows('organizations').where({ id: organizationId() }).update({ deletedAt: now() });
  await passTo(period.to);
  expect(await rowOf()).toMatchObject({ status: 'CANCELED' });
  expect(await invoices()).toHaveLength(1);
});

it.each([1, 20])('moves on the others where one fails, of %i at once', async (atOnce) => {
  await active();
  const first = await rowOf();
  const account = app.rows('billing_accounts').where({ organizationId: organizationId() });
  ada = await signUpWithKey(app);
  await active();
  const second = await rowOf();
  await paymentsSettled(app);
  app.advance(second.periodEnd.getTime() - now().getTime());
  const env = { ...app.ports.env, RENEWALS_AT_ONCE: atOnce };
  await account.clone().update({ currency: 'EUR' }); // in which the first was not billed
  const ctx = systemContext({ ...app.ports, env }, 'test');
  const run = async () => runDueSubscriptions.run(ctx, { at: now() }, runControl());
  await expect(run()).rejects.toThrow('1 subscriptions could not be moved on');
  const renewed = () =>
    app
      .rows('subscriptions')
      .whereIn('id', [first.id, second.id])
      .where((row) => row.where({ cycle: 2 }).orWhereNotNull('renewalInvoiceId'));
  expect((await renewed()).map(({ id }) => id)).toEqual([second.id]);
  await account.clone().update({ currency: 'USD' });
  await eventually(async () => {
    await run(); // again, because it passes over what another has locked
    await paymentsSettled(app);
    return (
      (await renewed()).filter(({ cycle, status }) => cycle === 2 && status === 'ACTIVE').length === 2 || undefined
    );
  }, 'both to be renewed');
});
