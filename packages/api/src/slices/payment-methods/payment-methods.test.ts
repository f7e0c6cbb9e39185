import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { type KeyedPerson, signUpWithKey } from '../../../test/keyed-person.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { systemContext, within } from '../../context.ts';
import { notifyExpiringMethods, settleDueMethods } from './jobs.ts';
import { customerIdOf } from './service/customers.ts';
import { defaultMethodOf } from './service/find.ts';

const METHODS = '/api/v1/subscriptions/payment-methods';
const PORTAL = '/api/v1/billing/portal-session';
const RETURN_URL = 'http://127.0.0.1:8000/back';
const HOUR_MS = 3_600_000;

let app: TestApp;
let payments: TestPayments;
let ada: KeyedPerson;

beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
});
afterAll(() => app.close());
beforeEach(async () => {
  ada = await signUpWithKey(app);
});
afterEach(async () => {
  payments.fakeStripe.lose();
  payments.fakePayPal.lose();
  await paymentsSettled(app);
});

const organizationOf = ({ organizationId }: Person) => app.ports.ids.decode('org', organizationId);
const there = (by: Person = ada) => within(systemContext(app.ports, 'test'), organizationOf(by));
const call = (path: string, method: string, body?: object, by = ada) =>
  app.request(path, { method, headers: by.key, ...(body && { body }) });
const setUp = async (provider = 'stripe', by = ada) =>
  (await call(`${METHODS}/setup`, 'POST', { provider, returnUrl: RETURN_URL }, by)).body;
const list = async (by = ada) => (await call(METHODS, 'GET', undefined, by)).body.items;
const makeDefault = (id: string) => call(`${METHODS}/${id}`, 'PATCH', { default: true });
const remove = (id: string) => call(`${METHODS}/${id}`, 'DELETE');
/** The object at the provider, whose page is this. */
const objectAt = (actionUrl: string) => actionUrl.split('/').at(-1)!;

/** Saves a card, as a payer does on the page. */
async function save(by = ada): Promise<string> {
  const { method, actionUrl } = await setUp('stripe', by);
  payments.fakeStripe.act(objectAt(actionUrl), 'pay');
  await payments.fakeStripe.deliver();
  await paymentsSettled(app);
  return method.id;
}

const customerOf = async (by: Person = ada) => (await customerIdOf(there(by), payments.stripe))!;
const sweep = () => settleDueMethods.run(systemContext(app.ports, 'test'), { at: app.ports.clock.now() }, runControl());
const types = async (by: Person = ada) =>
  (
    await app
      .rows('events')
      .where({ organizationId: organizationOf(by) })
      .whereLike('type', 'payment_method.%')
      .orderBy('id')
  ).map(({ type }) => type);

describe('saving a method', () => {
  it('sends the payer to the provider, and is ACTIVE when they have agreed; the first one is the default', async () => {
    const { method, actionUrl } = await setUp();
    expect(method).toMatchObject({ status: 'PENDING', default: false, kind: null, actionUrl });
    payments.fakeStripe.act(objectAt(actionUrl), 'pay');
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    const [saved, ...others] = await list();
    expect(others).toEqual([]);
    expect(saved).toMatchObject({ id: method.id, status: 'ACTIVE', default: true, brand: 'visa', last4: '4242' });
    expect(saved).toMatchObject({ kind: 'card', expiresAt: '2031-01-01T00:00:00.000Z', actionUrl: null });
    const [, second] = [await save(), await list()];
    expect(second.map((one: { default: boolean }) => one.default)).toEqual([false, true]);
    expect(await types()).toEqual([
      'payment_method.setup_started',
      'payment_method.added',
      'payment_method.setup_started',
      'payment_method.added',
    ]);
    expect(await app.rows('billing_findings').where({ provider: 'stripe' })).toEqual([]);
  });

  it('ends alike in whatever order events come, and however often', async () => {
    const { method, actionUrl } = await setUp();
    payments.fakeStripe.act(objectAt(actionUrl), 'pay');
    await payments.fakeStripe.deliver({ order: 'reversed', copies: 3 });
    await paymentsSettled(app);
    expect(await list()).toMatchObject([{ id: method.id, status: 'ACTIVE', default: true }]);
    expect((await types()).filter((type) => type === 'payment_method.added')).toHaveLength(1);
  });

  it('needs no event: PATCH looks at the provider, when the payer is back', async () => {
    const { method, actionUrl } = await setUp();
    expect(statusAndCode(await makeDefault(method.id))).toEqual([409, 'payment_method_pending']);
    payments.fakeStripe.act(objectAt(actionUrl), 'decline');
    expect(statusAndCode(await makeDefault(method.id))).toEqual([409, 'payment_method_pending']);
    payments.fakeStripe.act(objectAt(actionUrl), 'pay');
    payments.fakeStripe.lose();
    expect((await makeDefault(method.id)).body).toMatchObject({ id: method.id, status: 'ACTIVE', default: true });
  });

  it('at PayPal is finished by the job that looks, under one customer of PayPal', async () => {
    const ids = [];
    for (const _ of [1, 2]) {
      const { method, actionUrl } = await setUp('paypal');
      payments.fakePayPal.act(objectAt(actionUrl), 'approve');
      await paymentsSettled(app);
      app.advance(HOUR_MS / 30);
      await sweep();
      await payments.fakePayPal.deliver();
      await paymentsSettled(app);
      ids.push(method.id);
    }
    expect((await list()).map(({ id, status, kind }: Record<string, string>) => [id, status, kind])).toEqual([
      [ids[1], 'ACTIVE', 'paypal'],
      [ids[0], 'ACTIVE', 'paypal'],
    ]);
    const rows = await app.rows('payment_methods').where({ organizationId: organizationOf(ada) });
    expect(new Set(rows.map(({ customerId }) => customerId)).size).toBe(1);
    expect(await app.rows('billing_findings').where({ provider: 'paypal' })).toEqual([]);
  });

  it('that the payer leaves is forgotten after a day', async () => {
    const { method } = await setUp();
    await paymentsSettled(app);
    app.advance(26 * HOUR_MS);
    await sweep();
    expect(await list()).toEqual([]);
    expect(statusAndCode(await makeDefault(method.id))).toEqual([404, 'not_found']);
  });

  it('leaves nothing behind where the provider does not answer', async () => {
    payments.fakeStripe.fail('html_502', /^POST \/v1\/checkout\/sessions$/);
    const answer = await call(`${METHODS}/setup`, 'POST', { provider: 'stripe', returnUrl: RETURN_URL });
    expect(statusAndCode(answer)).toEqual([503, 'payment_provider_unavailable']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await list()).toEqual([]);
  });
});

describe('rule 15: the customer at Stripe', () => {
  it('is one, however many calls make it at once', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => customerOf()));
    expect(new Set(made).size).toBe(1);
    const rows = await app.rows('payment_customers').where({ organizationId: organizationOf(ada) });
    expect(rows).toMatchObject([{ provider: 'stripe', externalId: made[0], attempt: 1 }]);
  });

  it('is the same one where the answer was lost', async () => {
    payments.fakeStripe.fail('lose_answer', /^POST \/v1\/customers$/);
    await expect(customerOf()).rejects.toThrow('unknown');
    const before = payments.fakeStripe.requests.filter((line) => line === 'POST /v1/customers').length;
    const id = await customerOf();
    expect(await payments.stripe.getCustomer(id)).toEqual({ id });
    expect(payments.fakeStripe.requests.filter((line) => line === 'POST /v1/customers')).toHaveLength(before + 1);
    expect(payments.fakeStripe.requests.filter((line) => /search/.test(line))).toEqual([]);
  });

  it('is another one after it was deleted there, and its methods are gone here', async () => {
    await save();
    const earlier = await customerOf();
    payments.fakeStripe.deleteCustomer(earlier);
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    expect(await list()).toEqual([]);
    expect(await customerOf()).not.toBe(earlier);
  });

  it('is replaced by the call that finds out that it was deleted', async () => {
    const earlier = await customerOf();
    payments.fakeStripe.deleteCustomer(earlier);
    payments.fakeStripe.lose();
    const { method } = await setUp();
    expect(method.status).toBe('PENDING');
    expect(await customerOf()).not.toBe(earlier);
  });
});

describe('the default method', () => {
  it('is what is charged, and one only', async () => {
    expect(await defaultMethodOf(there())).toBeNull();
    const [one, other] = [await save(), await save()];
    expect((await makeDefault(other)).body).toMatchObject({ id: other, default: true });
    const rows = await list();
    expect(rows.filter((row: { default: boolean }) => row.default)).toMatchObject([{ id: other }]);
    const id = app.ports.ids.decode('pmt', other);
    const found = await defaultMethodOf(there());
    expect(found).toMatchObject({ id, provider: 'stripe', customerId: await customerOf() });
    expect(found?.externalId).toMatch(/^pm_/);
    await Promise.all(Array.from({ length: 10 }, (_, at) => makeDefault(at % 2 ? one : other)));
    expect((await list()).filter((row: { default: boolean }) => row.default)).toHaveLength(1);
  });

  it('that is removed is followed by the newest that is not expired', async () => {
    const [one, two, three] = [await save(), await save(), await save()];
    await app
      .rows('payment_methods')
      .where({ id: app.ports.ids.decode('pmt', three) })
      .update({ expiresAt: new Date(0) });
    expect(statusAndCode(await makeDefault(three))).toEqual([409, 'payment_method_expired']);
    expect((await remove(one)).status).toBe(204);
    expect((await list()).find((row: { default: boolean }) => row.default)).toMatchObject({ id: two });
    expect((await list()).map(({ status }: { status: string }) => status)).toEqual(['EXPIRED', 'ACTIVE']);
  });
});

describe('a method', () => {
  it('that is removed is removed at its provider, and stays removed when late events come', async () => {
    const id = await save();
    const { externalId } = (await defaultMethodOf(there()))!;
    payments.fakeStripe.fail('rate_limited', /^POST \/v1\/payment_methods\/\w+\/detach$/);
    expect((await remove(id)).status).toBe(204);
    expect(await list()).toEqual([]);
    expect(await defaultMethodOf(there())).toBeNull();
    await paymentsSettled(app);
    expect(await payments.stripe.getMethod(externalId)).not.toBeNull();
    payments.fakeStripe.changeCard(externalId, { expMonth: 1, expYear: 2040 });
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    expect(await list()).toEqual([]);
    app.advance(HOUR_MS);
    await sweep();
    expect(await payments.stripe.getMethod(externalId)).toBeNull();
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    expect(statusAndCode(await remove(id))).toEqual([404, 'not_found']);
    expect(await app.rows('payment_methods').where({ externalId })).toEqual([]);
  });

  it('of another organization is not found', async () => {
    const id = await save();
    const eve = await signUpWithKey(app);
    expect(await list(eve)).toEqual([]);
    for (const answer of [
      await call(`${METHODS}/${id}`, 'PATCH', { default: true }, eve),
      await call(`${METHODS}/${id}`, 'DELETE', undefined, eve),
    ]) {
      expect(statusAndCode(answer)).toEqual([404, 'not_found']);
    }
    expect(await list()).toMatchObject([{ id, default: true }]);
  });

  it('follows the card that its bank has issued instead', async () => {
    const id = await save();
    const { externalId } = (await defaultMethodOf(there()))!;
    payments.fakeStripe.changeCard(externalId, { expMonth: 6, expYear: 2035 });
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    expect(await list()).toMatchObject([{ id, expiresAt: '2035-07-01T00:00:00.000Z' }]);
    expect((await types()).at(-1)).toBe('payment_method.updated');
  });

  it('that the payer adds or removes on the page of Stripe is added or removed here', async () => {
    const { body, status } = await call(PORTAL, 'POST', { returnUrl: RETURN_URL });
    expect(status).toBe(201);
    const press = (action: string) =>
      fetch(body.url, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' });
    await press('add');
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    expect(await list()).toMatchObject([{ status: 'ACTIVE', default: true }]);
    const { externalId } = (await defaultMethodOf(there()))!;
    await press(externalId);
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    expect(await list()).toEqual([]);
    expect(await types()).toEqual(['payment_method.added', 'payment_method.removed']);
    expect((await press('return')).headers.get('location')).toBe(RETURN_URL);
  });

  it('that comes another way while one is being saved waits until it is known whose it is', async () => {
    const { method } = await setUp();
    const card = payments.fakeStripe.addCard(await customerOf(), 'pays');
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    const rows = await list();
    expect(rows.map(({ status }: { status: string }) => status)).toEqual(['ACTIVE', 'PENDING']);
    expect(rows[1].id).toBe(method.id);
    expect((await defaultMethodOf(there()))?.externalId).toBe(card);
  });

  it('rule 3: of a customer that is none of ours is a finding, and is not adopted', async () => {
    const made = await payments.stripe.createCustomer({ key: 'dashboard', reference: 'x', email: null, name: null });
    const card = payments.fakeStripe.addCard(made!.id, 'pays');
    await payments.fakeStripe.deliver();
    await paymentsSettled(app);
    expect(await app.rows('payment_methods').where({ externalId: card })).toEqual([]);
    const findings = await app.rows('billing_findings').where({ externalId: card });
    expect(findings).toMatchObject([{ kind: 'UNKNOWN_OBJECT', objectKind: 'method' }]);
    await app.rows('billing_findings').delete();
  });
});

describe('a card that expires', () => {
  it('is announced once within two weeks, with one mail to each who manages the organization', async () => {
    const id = await save();
    const { externalId } = (await defaultMethodOf(there()))!;
    const soon = new Date(app.ports.clock.now().getTime() + 10 * 24 * HOUR_MS);
    await app.rows('payment_methods').where({ externalId }).update({ expiresAt: soon });
    const announce = () =>
      notifyExpiringMethods.run(systemContext(app.ports, 'test'), { at: app.ports.clock.now() }, runControl());
    await announce();
    await announce();
    await paymentsSettled(app);
    const expiring = (await types()).filter((type) => type === 'payment_method.expiring');
    expect(expiring).toHaveLength(1);
    const mailed = () => app.mails.filter(({ to, subject }) => to === ada.email && subject.includes('expires'));
    await eventually(() => mailed()[0], 'the mail');
    expect(mailed()).toHaveLength(1);
    expect(mailed()[0]?.text).toContain('4242');
    expect(await list()).toMatchObject([{ id, status: 'ACTIVE' }]);
  });
});

it('refuses a page that would lead the payer to a stranger, and moves nothing', async () => {
  for (const [path, body] of [
    [`${METHODS}/setup`, { provider: 'stripe', returnUrl: 'https://evil.example/' }],
    [PORTAL, { returnUrl: 'javascript:alert(1)' }],
  ] as const) {
    expect(statusAndCode(await call(path, 'POST', body))).toEqual([400, 'return_url_not_allowed']);
  }
  expect(await app.rows('payment_customers').where({ organizationId: organizationOf(ada) })).toEqual([]);
});

it('saves nothing for bank transfers', async () => {
  const answer = await call(`${METHODS}/setup`, 'POST', { provider: 'manual', returnUrl: RETURN_URL });
  expect(statusAndCode(answer)).toEqual([400, 'payment_method_not_saved_here']);
});
