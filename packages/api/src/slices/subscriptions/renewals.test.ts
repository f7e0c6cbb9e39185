import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { passTime, sweepSubscriptions } from '../../../test/due-subscriptions.ts';
import { type KeyedPerson, signUpWithKey } from '../../../test/keyed-person.ts';
import { paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { findBillingFaults } from '../books/service/faults.ts';

const PATH = '/api/v1/subscriptions';
const DAY_MS = 86_400_000;

let app: TestApp;
let payments: TestPayments;
let staff: Person;
let ada: KeyedPerson;

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE', CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  await app.rows('plans').where({ code: 'BASIC' }).update({ trialDays: 0 });
  staff = await app.signUp();
  const id = app.ports.ids.decode('usr', staff.id);
  await app.rows('users').where({ id }).update({ role: 'ADMIN' });
});
afterAll(async () => {
  await sweepSubscriptions(app);
  expect(await findBillingFaults(app.ports.database, now())).toEqual([]);
  await app.close();
});
beforeEach(async () => {
  ada = await signUpWithKey(app);
});
afterEach(async () => {
  await paymentsSettled(app);
});

const now = () => app.ports.clock.now();
const organizationId = () => app.ports.ids.decode('org', ada.organizationId);
const call = (method: string, path: string, body?: object) =>
  app.request(PATH + path, { method, headers: ada.key, ...(body && { body }) });
const subscribe = (provider: string) =>
  call('POST', '/subscribe', { plan: 'BASIC', interval: 'month', provider, returnUrl: 'http://127.0.0.1:8000/back' });
const get = async () => (await call('GET', '')).body;
const rowsOf = (table: string) => app.rows(table).where({ organizationId: organizationId() }).orderBy('id');
const statuses = async (table: string): Promise<string[]> =>
  (await rowsOf(table)).map(({ status }: { status: string }) => status);
const noticesOf = async (): Promise<string[]> => {
  const mailed = await rowsOf('events').where({ type: 'subscription.mailed' });
  return mailed.map(({ data }: { data: { notice: string } }) => data.notice);
};

const passTo = (moment: string | Date, moreMs = 0) =>
  passTime(app, new Date(moment).getTime() - now().getTime() + moreMs);

async function renew(): Promise<void> {
  const { period } = await get();
  await passTo(period.to);
}

async function addMethod(provider: 'stripe' | 'paypal', isDefault: boolean): Promise<void> {
  const reference = randomUUID();
  const customer = await payments.stripe.createCustomer({ key: reference, reference, email: null, name: null });
  const externalId =
    provider === 'stripe' ? payments.fakeStripe.addCard(customer!.id, 'pays') : payments.fakePayPal.addPayer('pays');
  await app.rows('payment_methods').insert({
    organizationId: organizationId(),
    provider,
    status: 'ACTIVE',
    isDefault,
    externalId,
    customerId: provider === 'stripe' ? customer!.id : null,
    kind: provider === 'stripe' ? 'card' : 'paypal',
    fingerprint: randomUUID(),
    createdAt: now(),
  });
}

/** What the payer does on the page of PayPal. */
async function approve(): Promise<void> {
  await paymentsSettled(app);
  const [payment] = await rowsOf('payments');
  payments.fakePayPal.act(payment.externalId, 'approve');
  await payments.fakePayPal.deliver();
  await paymentsSettled(app);
}

/** Staff have seen the transfer of the last payment. */
async function confirm(): Promise<void> {
  await paymentsSettled(app);
  const { id, status, amountMinor, currency } = (await rowsOf('payments')).at(-1);
  expect(status).toBe('PENDING');
  const { email, password } = staff;
  const login = await app.request('/api/v1/auth/login', { method: 'POST', body: { email, password } });
  const body = { reference: randomUUID(), receivedAt: now().toISOString(), amount: { amountMinor, currency } };
  const { status: answer } = await app.request(`/api/v1/admin/payments/${app.ports.ids.encode('pay', id)}/confirm`, {
    method: 'POST',
    headers: { authorization: `Bearer ${login.body.accessToken}` },
    body,
  });
  expect(answer).toBe(200);
  await paymentsSettled(app);
}

/** The periods of the invoices, which follow each other. */
async function expectTiled(count: number): Promise<void> {
  const lines = await rowsOf('invoice_lines').where({ kind: 'PLAN' });
  expect(lines).toHaveLength(count);
  for (const [at, { periodStart }] of lines.entries()) if (at > 0) expect(periodStart).toEqual(lines[at - 1].periodEnd);
}

describe('a subscription by PayPal', () => {
  it('is paid on its page once, and by what was saved there for every period after it', async () => {
    const { body } = await subscribe('paypal');
    expect(body).toMatchObject({ status: 'INCOMPLETE', provider: 'paypal', actionUrl: expect.stringMatching(/^http/) });
    await approve();
    expect(await get()).toMatchObject({ status: 'ACTIVE', invoiceId: null });
    const methods = await rowsOf('payment_methods');
    expect(methods).toMatchObject([{ provider: 'paypal', status: 'ACTIVE' }]);
    await renew();
    await renew();
    expect(await get()).toMatchObject({ status: 'ACTIVE', provider: 'paypal', invoiceId: null });
    expect(await statuses('invoices')).toEqual(['PAID', 'PAID', 'PAID']);
    const paid = await rowsOf('payments');
    expect(paid.map(({ provider, status, offSession }) => [provider, status, offSession])).toEqual([
      ['paypal', 'SUCCEEDED', false],
      ['paypal', 'SUCCEEDED', true],
      ['paypal', 'SUCCEEDED', true],
    ]);
    const [{ externalId }] = methods;
    expect(paid.map(({ methodId }) => methodId)).toEqual([null, externalId, externalId]);
    expect(new Set(paid.map(({ captureId }) => captureId)).size).toBe(3);
    await expectTiled(3);
  });

  it('that PayPal declines is past due, and goes on where it stopped once another account is there', async () => {
    await subscribe('paypal');
    await approve();
    const { period } = await get();
    const methods = () => app.rows('payment_methods').where({ organizationId: organizationId() });
    await methods().update({ externalId: payments.fakePayPal.addPayer('declines') });
    await renew();
    const { status, pastDueSince } = await get();
    expect(status).toBe('PAST_DUE');
    await methods().update({ externalId: payments.fakePayPal.addPayer('pays') });
    await passTo(pastDueSince, DAY_MS);
    expect(await get()).toMatchObject({ status: 'ACTIVE', pastDueSince: null, period: { from: period.to } });
    await renew();
    expect(await statuses('invoices')).toEqual(['PAID', 'PAID', 'PAID']);
    await expectTiled(3);
  });
});

describe('a subscription by transfer', () => {
  it('counts once staff have seen the transfer, for each period', async () => {
    const { body } = await subscribe('manual');
    expect(body).toMatchObject({ status: 'INCOMPLETE', provider: 'manual', actionUrl: null });
    await confirm();
    expect(await get()).toMatchObject({ status: 'ACTIVE', invoiceId: null });
    for (let renewals = 0; renewals < 2; renewals++) {
      await renew();
      const waiting = await get();
      expect(waiting).toMatchObject({ status: 'ACTIVE', invoiceId: expect.stringMatching(/^inv_/) });
      const invoice = (await rowsOf('invoices')).at(-1);
      expect(invoice).toMatchObject({ status: 'OPEN', collection: 'MANUAL' });
      expect(+invoice.dueAt - +invoice.issuedAt).toBe(14 * DAY_MS);
      // Until then the plan counts, and for the days of grace.
      expect(+new Date(waiting.entitledUntil)).toBeGreaterThan(+invoice.dueAt);
      await passTo(invoice.dueAt);
      expect(await get()).toMatchObject({ status: 'ACTIVE' });
      await confirm();
      expect(await get()).toMatchObject({ status: 'ACTIVE', invoiceId: null, period: { from: waiting.period.to } });
    }
    expect(await statuses('invoices')).toEqual(['PAID', 'PAID', 'PAID']);
    expect(await statuses('payments')).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await noticesOf()).toEqual([]);
    await expectTiled(3);
  });

  it('that is overdue is asked for on each of the days, by one and the same transfer, and then ends', async () => {
    await subscribe('manual');
    await confirm();
    await renew();
    const { entitledUntil } = await get();
    await passTo(entitledUntil);
    const { status, pastDueSince } = await get();
    expect(status).toBe('PAST_DUE');
    expect(await noticesOf()).toEqual(['TRANSFER_OVERDUE']);
    for (const [n, day] of [1, 3, 5, 7, 14].entries()) {
      await passTo(pastDueSince, day * DAY_MS);
      expect([day, (await noticesOf()).length]).toEqual([day, n + 2]);
    }
    expect(await statuses('payments')).toEqual(['SUCCEEDED', 'PENDING']);
    await passTo(pastDueSince, 15 * DAY_MS);
    expect(await get()).toMatchObject({ status: 'CANCELED', invoiceId: null });
    expect(await statuses('invoices')).toEqual(['PAID', 'VOID']);
    expect((await noticesOf()).at(-1)).toBe('GIVEN_UP');
  });

  it('that comes while it is overdue goes on where it stopped', async () => {
    await subscribe('manual');
    await confirm();
    const { period } = await get();
    await renew();
    const { entitledUntil } = await get();
    await passTo(entitledUntil);
    expect(await get()).toMatchObject({ status: 'PAST_DUE' });
    await confirm();
    expect(await get()).toMatchObject({ status: 'ACTIVE', pastDueSince: null, period: { from: period.to } });
  });
});

describe('another provider', () => {
  it('moves the money from the next period on: card, PayPal, transfer, and the card again', async () => {
    await addMethod('stripe', true);
    expect((await subscribe('stripe')).body).toMatchObject({ status: 'ACTIVE', provider: 'stripe' });
    await addMethod('paypal', false);
    expect((await call('PATCH', '', { provider: 'paypal' })).body.pending).toMatchObject({ provider: 'paypal' });
    await renew();
    expect(await get()).toMatchObject({ status: 'ACTIVE', provider: 'paypal', pending: null, invoiceId: null });
    await renew();
    await call('PATCH', '', { provider: 'manual' });
    await renew();
    expect(await get()).toMatchObject({ status: 'ACTIVE', provider: 'manual' });
    await confirm();
    await call('PATCH', '', { provider: 'stripe' });
    await renew();
    expect(await get()).toMatchObject({ status: 'ACTIVE', provider: 'stripe', invoiceId: null });
    const paid = await rowsOf('payments');
    expect(paid.map(({ provider, status }) => [provider, status])).toEqual([
      ['stripe', 'SUCCEEDED'],
      ['paypal', 'SUCCEEDED'],
      ['paypal', 'SUCCEEDED'],
      ['manual', 'SUCCEEDED'],
      ['stripe', 'SUCCEEDED'],
    ]);
    await expectTiled(5);
  });

  it('without a saved method asks for one, and is paid by what is added', async () => {
    await addMethod('stripe', true);
    await subscribe('stripe');
    await call('PATCH', '', { provider: 'paypal' });
    await renew();
    const { status, pastDueSince } = await get();
    expect(status).toBe('PAST_DUE');
    expect(await noticesOf()).toEqual(['METHOD_NEEDED']);
    await addMethod('paypal', false);
    await passTo(pastDueSince, DAY_MS);
    expect(await get()).toMatchObject({ status: 'ACTIVE', provider: 'paypal' });
  });
});
