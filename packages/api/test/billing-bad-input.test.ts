import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemContext, within } from '../src/context.ts';
import { draftInvoice } from '../src/slices/invoices/service/draft.ts';
import { finaliseInvoice } from '../src/slices/invoices/service/finalise.ts';
import { voidInvoice } from '../src/slices/invoices/service/settle.ts';
import { type Answer, type Person, startApp, type TestApp } from './app.ts';
import { makeOrganization, type TestOrganization } from './organization.ts';
import { addPack, paymentsSettled, type TestPayments, usePayments } from './payments.ts';

/** What billing refuses, with a sentence that says what to do, and without a change of any row about money. */
const PATH = '/api/v1/subscriptions';
const RETURN_URL = 'http://127.0.0.1:8000/back';
const HOUR_MS = 3_600_000;
const ADDRESS = { line1: 'Hauptstraße 1', postalCode: '10115', city: 'Berlin', country: 'DE' };

let app: TestApp;
let payments: TestPayments;
/** Is subscribed to BASIC in dollars. */
let ada: Person;
/** Has paid and bought nothing. */
let bea: Person;
/** Another organization, which has bought credits. */
let cem: Person;
let staff: Person;
/** Has deleted the account. */
let dee: Person;
/** Is deleted; its owner is there. */
let closed: TestOrganization;
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
const billTo = (change: object) =>
  bea.request(`${PATH}/billing-info`, { method: 'PUT', body: { name: 'Bea Ltd', address: ADDRESS, ...change } });
const adjust = (person: Person, credits: unknown) =>
  post(staff, `/api/v1/admin/users/${person.id}/credits`, { credits, reason: 'Goodwill' });
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
  dee = await app.signUp();
  const deleted = app.ports.ids.decode('usr', dee.id);
  await app.rows('users').where({ id: deleted }).update({ status: 'DELETED' });
  closed = await makeOrganization(app);
  await app.rows('organizations').where({ id: closed.organizationId }).update({ deletedAt: now() });
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
  /^(plans|prices|coupon|subscription|usage_periods|invoice|payments|payment_methods|payment_customers|refunds|disputes|credit_|journal_|billing_accounts|transfers|organizations)/;

/** Every row about money, as one hash for each table. */
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

/** What both fakes were asked to make or change; PayPal's tokens are neither. */
const madeAtProviders = (): string[] =>
  [...payments.fakeStripe.requests, ...payments.fakePayPal.requests].filter(
    (line) => !line.startsWith('GET ') && !line.includes('/oauth2/token'),
  );

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
  ['a subscription to what costs nothing', () => subscribe(bea, { plan: 'FREE' }), 400, 'plan_is_free'],
  ['a quantity of none', () => subscribe(bea, { quantity: 0 }), 400, 'invalid_input'],
  ['a quantity of a billion', () => subscribe(bea, { quantity: 1e9 }), 400, 'invalid_input'],
  [
    'a subscription that leads elsewhere',
    () => subscribe(bea, { returnUrl: 'https://evil.example/' }),
    400,
    'return_url_not_allowed',
  ],
  ['a change to what is there', () => update({ plan: 'BASIC' }), 409, 'nothing_to_change'],
  [
    'a change of what was never begun',
    () => bea.request(PATH, { method: 'PATCH', body: { plan: 'PRO' } }),
    404,
    'no_subscription',
  ],
  ['a resumption of what is not canceled', () => post(ada, `${PATH}/resume`), 409, 'subscription_not_canceling'],
  ['a purchase of no credits', () => purchase(bea, { credits: 0 }), 400, 'invalid_input'],
  ['a purchase of less than none', () => purchase(bea, { credits: -1000 }), 400, 'invalid_input'],
  ['a purchase of half a credit', () => purchase(bea, { credits: 0.5 }), 400, 'invalid_input'],
  ['a purchase of more than a number holds', () => purchase(bea, { credits: 2 ** 53 }), 400, 'invalid_input'],
  ['a purchase of what is no pack', () => purchase(bea, { credits: 1234 }), 400, 'credit_pack_unknown'],
  [
    'a saved method for transfers',
    () => post(bea, `${PATH}/payment-methods/setup`, { provider: 'manual', returnUrl: RETURN_URL }),
    400,
    'payment_method_not_saved_here',
  ],
  ['credits for a user who is deleted', () => adjust(dee, 100), 404, 'not_found'],
  ['credits of half', () => adjust(bea, 0.5), 400, 'invalid_input'],
  ['credits of more than a number holds', () => adjust(bea, 2 ** 53), 400, 'invalid_input'],
  [
    'a purchase for an organization that is deleted',
    () =>
      closed.as(closed.owner)(`${PATH}/credits/purchase`, {
        method: 'POST',
        body: { credits: 1000, provider: 'stripe', returnUrl: RETURN_URL },
      }),
    404,
    'not_found',
  ],
  ['a tax id of another form', () => billTo({ taxId: 'DE12345' }), 400, 'tax_id_invalid'],
  ['a tax id with other characters', () => billTo({ taxId: 'DE<123>456' }), 400, 'invalid_input'],
  ['a tax id without a country', () => billTo({ taxId: 'DE123456789', address: null }), 400, 'tax_id_needs_country'],
  [
    'an address with control characters',
    () => billTo({ address: { ...ADDRESS, line1: 'Hauptstraße\u001b[31m 1' } }),
    400,
    'invalid_input',
  ],
  [
    'an address with a character that ends texts',
    () => billTo({ address: { ...ADDRESS, line1: 'Haupt\u0000straße 1' } }),
    400,
    'invalid_text',
  ],
  [
    'an address of two lines in one',
    () => billTo({ address: { ...ADDRESS, city: 'Berlin\r\nPaid in full' } }),
    400,
    'invalid_input',
  ],
  ['a name that turns its text', () => billTo({ name: 'Acme \u202eDTL' }), 400, 'invalid_input'],
  ['a country that there is not', () => billTo({ address: { ...ADDRESS, country: 'XX' } }), 400, 'invalid_input'],
  ['a refund of half a cent', () => refund('payment of the subscription', usd(0.5)), 400, 'invalid_input'],
  [
    'a refund by its payer',
    () => post(ada, `/api/v1/admin/payments/${made['payment of the subscription']}/refund`, { reason: 'x' }),
    403,
    'permission_denied',
  ],
])('%s is refused, and nothing is written or made at a provider', async (_, ask, status, code) => {
  const [before, requests] = [await rowsAboutMoney(), madeAtProviders()];
  const answer = await ask();
  const { body, headers } = answer;
  expect([answer.status, body.code]).toEqual([status, code]);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status, title: expect.stringMatching(/\w/), detail: expect.stringMatching(/\w.*\.$/s) });
  expect(await rowsAboutMoney()).toEqual(before);
  expect(madeAtProviders()).toEqual(requests);
});
