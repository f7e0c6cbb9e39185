import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { passTime, sweepSubscriptions } from '../../../test/due-subscriptions.ts';
import { type KeyedPerson, signUpWithKey } from '../../../test/keyed-person.ts';
import { paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { addRollups } from '../../../test/rolled-up-calls.ts';
import { systemContext } from '../../context.ts';
import { findBillingFaults } from '../books/service/faults.ts';
import { rollUpUsage } from '../usage/jobs.ts';

const PATH = '/api/v1/subscriptions';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** More than BASIC includes. */
const CALLS = 104_000;

let app: TestApp;
let payments: TestPayments;
let ada: KeyedPerson;

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE', CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  await app.rows('plans').where({ code: 'BASIC' }).update({ trialDays: 0 });
  const usage = JSON.stringify([{ meter: null, amountMinor: 250, unitSize: 1000 }]);
  for (const interval of ['month', 'year'])
    await app
      .rows('prices')
      .insert({ plan: 'BASIC', interval, currency: 'CHF', amountMinor: 20_000, usage, createdAt: now() });
});
afterAll(async () => {
  await sweepSubscriptions(app);
  expect(await findBillingFaults(app.ports.database, now())).toEqual([]);
  await app.close();
});
beforeEach(async () => {
  // What is used begins and is counted in one month, whatever the day on which the tests run.
  await passTo(new Date(Date.UTC(now().getUTCFullYear(), now().getUTCMonth() + 1, 5)));
  ada = await signUpWithKey(app);
});
afterEach(async () => {
  await paymentsSettled(app);
});

const now = () => app.ports.clock.now();
const organizationId = () => app.ports.ids.decode('org', ada.organizationId);
const call = (method: string, path: string, body?: object) =>
  app.request(PATH + path, { method, headers: ada.key, ...(body && { body }) });
const get = async () => (await call('GET', '')).body;
const plan = async () => (await app.request('/api/v1/entitlements', { headers: ada.key })).body.plan;
const rowsOf = (table: string) => app.rows(table).where({ organizationId: organizationId() }).orderBy('id');
const usageInvoices = () => rowsOf('invoices').where({ reason: 'USAGE' });
const attempts = async (): Promise<string[]> => {
  const [invoice] = await usageInvoices();
  const tried = await rowsOf('payments').where({ purpose: 'INVOICE', subjectId: invoice.id });
  return tried.map(({ status }: { status: string }) => status);
};
const noticesOf = async (): Promise<string[]> => {
  const mailed = await rowsOf('events').where({ type: 'subscription.mailed' });
  return mailed.map(({ data }: { data: { notice: string } }) => data.notice);
};
const fakeOf = (provider: string) => (provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal);

const passTo = (moment: string | Date, moreMs = 0) =>
  passTime(app, new Date(moment).getTime() - now().getTime() + moreMs);

/** To where a month is billed that ended then; a little later where some of its calls were not counted yet. */
async function passToBilled(end: Date): Promise<void> {
  await passTo(end, DAY_MS + HOUR_MS);
  await eventually(async () => {
    const [open] = await rowsOf('usage_periods').where({ closedAt: null }).where('toAt', '<=', end);
    if (!open) return true;
    await rollUpUsage.run(systemContext(app.ports, 'test'), undefined, runControl());
    return passTo(now(), HOUR_MS / 6).then(() => undefined);
  }, 'the month to be billed');
}

/** Subscribes on a page, where what is paid with is saved. */
async function subscribed(provider: 'stripe' | 'paypal', interval: string): Promise<void> {
  const returnUrl = 'http://127.0.0.1:8000/back';
  await call('POST', '/subscribe', { plan: 'BASIC', interval, provider, currency: 'CHF', returnUrl });
  const { externalId } = (await rowsOf('payments')).at(-1);
  if (provider === 'stripe') payments.fakeStripe.act(externalId, 'pay');
  else payments.fakePayPal.act(externalId, 'approve');
  await fakeOf(provider).deliver();
  await paymentsSettled(app);
  expect(await get()).toMatchObject({ status: 'ACTIVE', invoiceId: null });
}

async function methodId(): Promise<string> {
  const [{ externalId }] = await rowsOf('payment_methods');
  return externalId;
}

const called = (at: Date) => addRollups(app, organizationId(), [{ at: at.toISOString(), keyId: 1, count: CALLS }]);

const nextMonth = () => new Date(Date.UTC(now().getUTCFullYear(), now().getUTCMonth() + 1));

describe('the usage of a month', () => {
  it('that a card declines is tried again on the days of dunning until it is paid, once', async () => {
    await subscribed('stripe', 'year');
    await called(new Date(now().getTime() + DAY_MS));
    payments.fakeStripe.behave(await methodId(), 'declines');
    await passToBilled(nextMonth());
    const [{ dueAt, totalMinor, ...open }] = await usageInvoices();
    expect(open).toMatchObject({ status: 'OPEN', currency: 'CHF', collection: 'AUTOMATIC' });
    expect(totalMinor).toBeGreaterThanOrEqual(1000);
    expect(await attempts()).toEqual(['FAILED']);
    await passTo(dueAt, DAY_MS - HOUR_MS);
    expect(await attempts()).toEqual(['FAILED']);
    await passTo(dueAt, DAY_MS);
    expect(await attempts()).toEqual(['FAILED', 'FAILED']);
    expect([(await get()).status, await plan()]).toEqual(['ACTIVE', 'BASIC']);
    payments.fakeStripe.behave(await methodId(), 'pays');
    await passTo(dueAt, 3 * DAY_MS);
    expect(await usageInvoices()).toMatchObject([{ status: 'PAID', paidMinor: totalMinor }]);
    await passTo(dueAt, 16 * DAY_MS);
    expect(await attempts()).toEqual(['FAILED', 'FAILED', 'SUCCEEDED']);
    expect(await noticesOf()).toEqual([]); // each failed payment has its own mail
  });

  it.each([
    ['stripe', 'is_stolen'],
    ['paypal', 'declines'],
  ] as const)(
    'that %s refuses for good waits for another method, asks for one, and is paid by it',
    async (provider, refuses) => {
      await subscribed(provider, 'year');
      await called(new Date(now().getTime() + DAY_MS));
      const refused = await methodId();
      if (refuses === 'is_stolen') payments.fakeStripe.behave(refused, refuses);
      else payments.fakePayPal.behave(refused, refuses);
      await passToBilled(nextMonth());
      const [{ dueAt, totalMinor }] = await usageInvoices();
      for (const day of [1, 3]) await passTo(dueAt, day * DAY_MS);
      expect(await attempts()).toEqual(['FAILED']);
      expect(await noticesOf()).toEqual(['USAGE_UNPAID', 'USAGE_UNPAID']);
      expect([(await get()).status, await plan()]).toEqual(['ACTIVE', 'BASIC']);
      await rowsOf('payment_methods')
        .clearOrder()
        .update({ externalId: await another(provider) });
      await passTo(dueAt, 5 * DAY_MS);
      expect(await usageInvoices()).toMatchObject([{ status: 'PAID', paidMinor: totalMinor }]);
      await passTo(dueAt, 16 * DAY_MS);
      expect(await attempts()).toEqual(['FAILED', 'SUCCEEDED']);
      expect(await noticesOf()).toHaveLength(2);
    },
  );

  async function another(provider: 'stripe' | 'paypal'): Promise<string> {
    if (provider === 'paypal') return payments.fakePayPal.addPayer('pays');
    const [{ customerId }] = await rowsOf('payment_methods');
    return payments.fakeStripe.addCard(customerId, 'pays');
  }
});

describe.each(['stripe', 'paypal'] as const)('the last month of a subscription by %s', (provider) => {
  it('that was canceled for the end of its period is billed after that end, once, by what was saved', async () => {
    await subscribed(provider, 'month');
    const { period } = await get();
    expect((await call('POST', '/cancel', { at: 'period_end' })).body).toMatchObject({ cancelAt: period.to });
    const end = new Date(period.to);
    await called(new Date(end.getTime() - 2 * DAY_MS));
    await passTo(end);
    expect([(await get()).status, await plan()]).toEqual(['CANCELED', 'FREE']);
    await called(new Date(end.getTime() + HOUR_MS)); // after its end, which is not billed
    await passTo(end, DAY_MS);
    expect(await usageInvoices()).toEqual([]);
    await passToBilled(end);
    const [invoice] = await usageInvoices();
    expect(invoice.status).toBe('PAID');
    // 4,000 calls, and those of this test, but not those after the end.
    expect(invoice.subtotalMinor).toBeGreaterThanOrEqual(1000);
    expect(invoice.subtotalMinor).toBeLessThan(1100);
    expect(await attempts()).toEqual(['SUCCEEDED']);
    expect(await rowsOf('invoice_lines').where({ kind: 'USAGE' })).toMatchObject([{ periodEnd: end }]);
    await passTo(end, 40 * DAY_MS);
    expect(await usageInvoices()).toHaveLength(1);
    expect(await rowsOf('usage_periods').where({ closedAt: null })).toEqual([]);
  });
});

it('the plan of a later subscription stays when the last month of an earlier one is refused for good', async () => {
  await subscribed('stripe', 'year');
  const from = now();
  await called(new Date(from.getTime() + DAY_MS));
  await passTo(from, 2 * DAY_MS);
  await call('POST', '/cancel', { at: 'now' });
  await call('POST', '/subscribe', {
    plan: 'BASIC',
    interval: 'year',
    provider: 'stripe',
    currency: 'CHF',
    returnUrl: 'http://127.0.0.1:8000/back',
  });
  expect([(await get()).status, await plan()]).toEqual(['ACTIVE', 'BASIC']);
  payments.fakeStripe.behave(await methodId(), 'is_stolen');
  await passToBilled(new Date(from.getTime() + 2 * DAY_MS + HOUR_MS));
  expect(await attempts()).toEqual(['FAILED']);
  expect([(await get()).status, await plan()]).toEqual(['ACTIVE', 'BASIC']);
});
