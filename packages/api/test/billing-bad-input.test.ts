import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemContext, within } from '../src/context.ts';
import { draftInvoice } from '../src/slices/invoices/service/draft.ts';
import { finaliseInvoice } from '../src/slices/invoices/service/finalise.ts';
import { voidInvoice } from '../src/slices/invoices/service/settle.ts';
import { type Answer, type Person, startApp, type TestApp } from './app.ts';
import { addPack, paymentsSettled, type TestPayments, usePayments } from './payments.ts';

/** What billing refuses, with a sentence that says what to do, and without a change of any row about money. */
const PATH = '/api/v1/subscriptions';
const RETURN_URL = 'http://127.0.0.1:8000/back';
const HOUR_MS = 3_600_000;

let app: TestApp;
let payments: TestPayments;
/** Is subscribed to BASIC in dollars. */
let ada: Person;
/** Has paid and bought nothing. */
let bea: Person;
/** Another organization, which has bought credits. */
let cem: Person;
let staff: Person;
/** Public ids of what the scene has made. */
const made: Record<string, string> = {};

const now = () => app.ports.clock.now();
const organizationId = (person: Person) => app.ports.ids.decode('org', person.organizationId);
const post = (person: Person, path: string, body?: object, headers: Record<string, string> = {}) =>
  person.request(path, { method: 'POST', headers, ...(body && { body }) });
const purchase = (person: Person, change: object = {}, headers: Record<string, string> = {}) =>
  post(
    person,
    `${PATH}/credits/purchase`,
    { credits: 1000, provider: 'stripe', returnUrl: RETURN_URL, ...change },
    headers,
  );
const subscribe = (person: Person, change: object = {}) =>
  post(person, `${PATH}/subscribe`, {
    plan: 'BASIC',
    interval: 'month',
    provider: 'stripe',
    returnUrl: RETURN_URL,
    ...change,
  });
const preview = (person: Person, body: object) => post(person, `${PATH}/preview`, body);
const update = (body: object) => ada.request(PATH, { method: 'PATCH', body });
const pay = (person: Person, name: string, change: object = {}) =>
  post(person, `${PATH}/invoices/${made[name]}/pay`, { provider: 'stripe', returnUrl: RETURN_URL, ...change });
const refund = (name: string, amount?: object) =>
  post(staff, `/api/v1/admin/payments/${made[name]}/refund`, { reason: 'Asked for', ...(amount && { amount }) });
const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });

async function paid(person: Person): Promise<string> {
  await paymentsSettled(app);
  const payment = await app
    .rows('payments')
    .where({ organizationId: organizationId(person) })
    .orderBy('id', 'desc')
    .first();
  payments.fakeStripe.act(payment.externalId, 'pay');
  await payments.fakeStripe.deliver();
  await paymentsSettled(app);
  return app.ports.ids.encode('pay', payment.id);
}

async function addInvoice(person: Person, isFinal: boolean): Promise<number> {
  const there = within(systemContext(app.ports, 'test'), organizationId(person));
  const lines = [{ kind: 'OTHER', description: 'Setup', amountMinor: 1900 }] as const;
  const { id } = await draftInvoice(there, { reason: 'OTHER', collection: 'MANUAL', currency: 'USD', lines });
  if (isFinal) await finaliseInvoice(there, id);
  return id;
}

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE', CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  await app.rows('plans').where({ code: 'BASIC' }).update({ trialDays: 0 });
  for (const credits of [1000, 2000]) await addPack(app, credits, credits);
  await addPack(app, 3, 1);
  await addPack(app, 4000, 10_000, 'KWD');
  const price = { interval: 'month', amountMinor: 5000, createdAt: now() };
  await app.rows('prices').insert([
    { ...price, plan: 'BASIC', currency: 'GBP', archivedAt: now() },
    { ...price, plan: 'BASIC', currency: 'KWD' },
    { ...price, plan: 'ENTERPRISE', currency: 'GBP' },
  ]);
  await app.rows('plans').where({ code: 'ENTERPRISE' }).update({ archivedAt: now() });
  const coupon = { percentOff: 10, duration: 'once', createdAt: now() };
  await app.rows('coupons').insert([
    { ...coupon, code: 'EXPIRED', expiresAt: new Date(now().getTime() - 1000) },
    { ...coupon, code: 'ARCHIVED', archivedAt: now() },
    { ...coupon, code: 'USEDUP', maxRedemptions: 1, redeemed: 1 },
  ]);
  await app.rows('coupons').insert({
    code: 'EUROS',
    amountOffMinor: 5,
    currency: 'EUR',
    duration: 'once',
    createdAt: now(),
  });
  [ada, bea, cem, staff] = [await app.signUp(), await app.signUp(), await app.signUp(), await app.signUp()];
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
  await subscribe(ada);
  made['payment of the subscription'] = await paid(ada);
  const { ids } = app.ports;
  const [first] = await app.rows('invoices').where({ organizationId: organizationId(ada) });
  made['paid invoice'] = ids.encode('inv', first.id);
  made['draft'] = ids.encode('inv', await addInvoice(ada, false));
  made['open invoice'] = ids.encode('inv', await addInvoice(ada, true));
  const voided = await addInvoice(ada, true);
  await voidInvoice(within(systemContext(app.ports, 'test'), organizationId(ada)), voided);
  made['void invoice'] = ids.encode('inv', voided);
  await purchase(cem);
  made['refunded payment'] = await paid(cem);
  await refund('refunded payment');
  await payments.fakeStripe.deliver();
  const waiting = await purchase(cem, {}, { 'idempotency-key': 'bad-input' });
  made['waiting payment'] = waiting.body.payment.id;
  const ordered = await post(cem, '/api/v1/billing/paypal/orders', { credits: 2000, returnUrl: RETURN_URL });
  made['order'] = ordered.body.orderId;
  payments.fakePayPal.act(ordered.body.orderId, 'approve');
  const method = await app
    .rows('payment_methods')
    .where({ organizationId: organizationId(ada) })
    .first();
  made['method'] = ids.encode('pmt', method.id);
  await paymentsSettled(app);
});
afterAll(() => app.close());

const ABOUT_MONEY =
  /^(plans|prices|coupon|subscription|usage_periods|invoice|payments|payment_methods|refunds|disputes|credit_|journal_|billing_accounts|transfers|organizations)/;

/** Every row about money, as one hash for each table. A customer at a provider, who is made first, is none. */
async function rowsAboutMoney(): Promise<string[]> {
  const tables: { tablename: string }[] = await app.rows('pg_tables').where({ schemaname: 'public' });
  const hashes = tables
    .filter(({ tablename }) => ABOUT_MONEY.test(tablename))
    .map(
      ({ tablename }) =>
        `select '${tablename} ' || count(*) || ' ' || coalesce(md5(string_agg(row_of::text, ',' order by row_of::text)), '') as hash from ${tablename} row_of`,
    );
  expect(hashes.length).toBeGreaterThan(15);
  const { rows } = await app.rows.raw(hashes.join(' union all '));
  return rows.map(({ hash }: { hash: string }) => hash).sort();
}

const inMs = (ms: number) => new Date(now().getTime() + ms).toISOString();

it.each<[what: string, ask: () => Promise<Answer>, status: number, code: string]>([
  ['a subscription at an archived price', () => subscribe(bea, { currency: 'GBP' }), 400, 'price_not_sold'],
  ['a preview at an archived price', () => preview(bea, { plan: 'BASIC', currency: 'GBP' }), 400, 'price_not_sold'],
  ['a subscription to an archived plan', () => subscribe(bea, { plan: 'ENTERPRISE' }), 400, 'price_not_sold'],
  ['a change to an archived plan', () => update({ plan: 'ENTERPRISE' }), 400, 'price_not_sold'],
  ['a coupon that has expired', () => subscribe(bea, { coupon: 'EXPIRED' }), 400, 'coupon_not_valid'],
  [
    'a preview with a coupon that has expired',
    () => preview(bea, { plan: 'BASIC', coupon: 'EXPIRED' }),
    400,
    'coupon_not_valid',
  ],
  ['a coupon that is archived', () => subscribe(bea, { coupon: 'ARCHIVED' }), 400, 'coupon_not_valid'],
  ['a coupon that is used up', () => subscribe(bea, { coupon: 'USEDUP' }), 400, 'coupon_not_valid'],
  ['a coupon of another currency', () => subscribe(bea, { coupon: 'EUROS' }), 400, 'coupon_currency_differs'],
  ['a coupon code that is none', () => subscribe(bea, { coupon: "' or 1=1" }), 400, 'invalid_input'],
  ['a currency in small letters', () => subscribe(bea, { currency: 'usd' }), 400, 'invalid_input'],
  ['a currency that there is not', () => subscribe(bea, { currency: 'XXX' }), 400, 'price_not_sold'],
  [
    'a currency that PayPal does not take',
    () => subscribe(bea, { currency: 'KWD', provider: 'paypal' }),
    400,
    'currency_not_supported',
  ],
  ['a quantity below none', () => subscribe(bea, { quantity: -1 }), 400, 'invalid_input'],
  ['a quantity that is a text', () => subscribe(bea, { quantity: '1' }), 400, 'invalid_input'],
  ['a provider that there is not', () => subscribe(bea, { provider: 'cash' }), 400, 'invalid_input'],
  [
    'a payment method of one’s own choice',
    () => subscribe(bea, { paymentMethodId: made['method'] }),
    400,
    'invalid_input',
  ],
  ['another currency than that of the first payment', () => purchase(ada, { currency: 'EUR' }), 409, 'currency_fixed'],
  ['a second subscription', () => subscribe(ada, { plan: 'PRO' }), 409, 'already_subscribed'],
  [
    'a moment of proration to come',
    () => update({ quantity: 2, prorationAt: inMs(HOUR_MS / 2) }),
    400,
    'proration_at_too_far',
  ],
  [
    'a moment of proration far ahead',
    () => update({ quantity: 2, prorationAt: inMs(90 * HOUR_MS) }),
    400,
    'proration_at_too_far',
  ],
  [
    'a moment of proration long ago',
    () => update({ quantity: 2, prorationAt: inMs(-2 * HOUR_MS) }),
    400,
    'proration_at_too_far',
  ],
  [
    'a moment of proration before the period',
    () => update({ quantity: 2, prorationAt: inMs(-HOUR_MS / 2) }),
    400,
    'proration_at_too_far',
  ],
  ['a moment of proration that is none', () => update({ quantity: 2, prorationAt: 'soon' }), 400, 'invalid_input'],
  ['a payment of a draft', () => pay(ada, 'draft'), 409, 'invoice_is_draft'],
  ['a payment of a void invoice', () => pay(ada, 'void invoice'), 409, 'invoice_not_due'],
  ['a payment of a paid invoice', () => pay(ada, 'paid invoice'), 409, 'invoice_not_due'],
  [
    'a payment by a provider that there is not',
    () => pay(ada, 'open invoice', { provider: 'cash' }),
    400,
    'invalid_input',
  ],
  ['a payment of part of an invoice', () => pay(ada, 'open invoice', { amount: usd(1) }), 400, 'invalid_input'],
  [
    'a payment that leads elsewhere',
    () => pay(ada, 'open invoice', { returnUrl: 'https://evil.example/' }),
    400,
    'return_url_not_allowed',
  ],
  ['a payment of an invoice of others', () => pay(bea, 'open invoice'), 404, 'not_found'],
  ['the document of a draft', () => ada.request(`${PATH}/invoices/${made['draft']}/download`), 409, 'invoice_is_draft'],
  ['the payment of others', () => bea.request(`${PATH}/payments/${made['waiting payment']}`), 404, 'not_found'],
  [
    'the capture of an order of others',
    () => post(ada, `/api/v1/billing/paypal/orders/${made['order']}/capture`),
    404,
    'not_found',
  ],
  [
    'the default method of others',
    () => bea.request(`${PATH}/payment-methods/${made['method']}`, { method: 'PATCH', body: { default: true } }),
    404,
    'not_found',
  ],
  [
    'the removal of a method of others',
    () => bea.request(`${PATH}/payment-methods/${made['method']}`, { method: 'DELETE' }),
    404,
    'not_found',
  ],
  [
    'a method that there is not',
    () => ada.request(`${PATH}/payment-methods/${app.ports.ids.encode('pmt', 2 ** 40)}`, { method: 'DELETE' }),
    404,
    'not_found',
  ],
  ['a purchase of too little', () => purchase(bea, { credits: 3 }), 400, 'amount_below_minimum'],
  [
    'a purchase in a currency that PayPal does not take',
    () => purchase(bea, { credits: 4000, currency: 'KWD', provider: 'paypal' }),
    400,
    'currency_not_supported',
  ],
  [
    'an Idempotency-Key that was used for another amount',
    () => purchase(cem, { credits: 2000 }, { 'idempotency-key': 'bad-input' }),
    422,
    'idempotency_key_reused',
  ],
  ['a second refund of a whole payment', () => refund('refunded payment'), 409, 'refund_exceeds_payment'],
  [
    'a refund of more than a payment',
    () => refund('payment of the subscription', usd(1901)),
    409,
    'refund_exceeds_payment',
  ],
  ['a refund of nothing', () => refund('payment of the subscription', usd(0)), 400, 'invalid_input'],
  ['a refund below nothing', () => refund('payment of the subscription', usd(-1)), 400, 'invalid_input'],
  [
    'a refund in another currency',
    () => refund('payment of the subscription', { amountMinor: 1, currency: 'EUR' }),
    400,
    'refund_currency_differs',
  ],
  ['a refund of what is not paid', () => refund('waiting payment'), 409, 'payment_not_refundable'],
  [
    'a refund by its payer',
    () => post(ada, `/api/v1/admin/payments/${made['payment of the subscription']}/refund`, { reason: 'x' }),
    403,
    'permission_denied',
  ],
])('%s is refused, and nothing is written', async (_, ask, status, code) => {
  const before = await rowsAboutMoney();
  const answer = await ask();
  const { body, headers } = answer;
  expect([answer.status, body.code]).toEqual([status, code]);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status, title: expect.stringMatching(/\w/), detail: expect.stringMatching(/\w.*\.$/s) });
  expect(await rowsAboutMoney()).toEqual(before);
});
