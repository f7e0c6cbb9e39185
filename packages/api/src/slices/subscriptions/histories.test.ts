import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { systemContext } from '../../context.ts';
import { findBillingFaults } from '../books/service/faults.ts';
import { runDueSubscriptions } from './jobs.ts';

const SUBSCRIPTIONS = '/api/v1/subscriptions';
const RETURN_URL = 'http://127.0.0.1:8000/back';
/** How often what has happened at a provider leads to further events. */
const ROUNDS = 3;
/** Of the orders in which the events of a history can arrive. */
const ORDERS = [1, 2, 3];

type Provider = 'stripe' | 'paypal';

let app: TestApp;
let payments: TestPayments;

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE', CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  await app.rows('plans').update({ trialDays: 0 });
});
afterAll(() => app.close());

/** Numbers from 0 to 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const fakeOf = (provider: Provider) => (provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal);

/** How events arrive: once and in order, or in another order, often, and again with all that came before. */
interface Arrival {
  random: (() => number) | null;
  before: TestPayments['fakeStripe']['pending'];
}

async function arrive(provider: Provider, { random, before }: Arrival): Promise<void> {
  const fake = fakeOf(provider);
  for (let round = 0; round < ROUNDS; round++) {
    const events = [...fake.pending];
    if (random && round === 0) fake.pending.push(...before);
    before.push(...events);
    await fake.deliver(random ? { order: 'shuffled', copies: 2, random } : {});
    await paymentsSettled(app);
  }
}

async function pay(provider: Provider, organizationId: number): Promise<void> {
  const { externalId } = await app.rows('payments').where({ organizationId }).orderBy('id', 'desc').first();
  if (provider === 'stripe') payments.fakeStripe.act(externalId, 'pay');
  else payments.fakePayPal.act(externalId, 'approve');
}

/** An account of PayPal's that is charged without its owner. */
async function saveAccount(organizationId: number): Promise<void> {
  await app.rows('payment_methods').where({ organizationId }).update({ isDefault: false });
  await app.rows('payment_methods').insert({
    organizationId,
    provider: 'paypal',
    status: 'ACTIVE',
    isDefault: true,
    externalId: payments.fakePayPal.addPayer('pays'),
    customerId: `customer-${organizationId}`,
    kind: 'paypal',
    fingerprint: `account-${organizationId}`,
    createdAt: app.ports.clock.now(),
  });
}

/** To the end of the period, where the next one is charged. */
async function renew(organizationId: number): Promise<void> {
  await paymentsSettled(app);
  const { periodEnd } = await app.rows('subscriptions').where({ organizationId }).first();
  app.advance(periodEnd.getTime() - app.ports.clock.now().getTime());
  const now = app.ports.clock.now();
  await runDueSubscriptions.run(systemContext(app.ports, 'test'), { at: now }, runControl());
  await paymentsSettled(app);
}

/** A subscription that is paid on a page, renewed by what was saved, and disputed. What it ends in. */
async function live(provider: Provider, random: Arrival['random']) {
  const arrival: Arrival = { random, before: [] };
  const buyer = await withKey(await app.signUp());
  const organizationId = app.ports.ids.decode('org', buyer.organizationId);
  const body = { plan: 'BASIC', interval: 'month', provider, returnUrl: RETURN_URL };
  const begun = await buyer.call('POST', '/subscribe', body);
  expect(begun.body).toMatchObject({ status: 'INCOMPLETE' });
  await pay(provider, organizationId);
  await arrive(provider, arrival);
  if (provider === 'paypal') await saveAccount(organizationId);
  await renew(organizationId);
  await arrive(provider, arrival);
  const [first] = await app.rows('payments').where({ organizationId }).orderBy('id');
  const disputeId =
    provider === 'stripe'
      ? payments.fakeStripe.openDispute(first.externalId)
      : payments.fakePayPal.openDispute(first.captureId);
  fakeOf(provider).closeDispute(disputeId, 'won');
  await arrive(provider, arrival);
  return endsOf(organizationId);
}

async function withKey(person: Person) {
  const made = await person.request('/api/v1/api-keys', { method: 'POST', body: { name: 'CI', scopes: ['*'] } });
  const headers = { 'x-api-key': made.body.secret };
  const call = (method: string, path: string, body: object) =>
    app.request(SUBSCRIPTIONS + path, { method, headers, body });
  return { ...person, call };
}

async function endsOf(organizationId: number) {
  const rows = async (table: string, fields: readonly string[]) =>
    (await app.rows(table).where({ organizationId }).orderBy('id')).map((row) => fields.map((field) => row[field]));
  const { plan } = await app.rows('organizations').where({ id: organizationId }).first();
  const { available } = await app.rows('credit_balances').where({ organizationId }).first();
  const lines = await app
    .rows('journal_lines')
    .where({ organizationId })
    .groupBy('account')
    .orderBy('account')
    .select('account')
    .sum('amountMinor as amountMinor');
  return {
    plan,
    available,
    subscriptions: await rows('subscriptions', ['status', 'cycle', 'periodIndex', 'renewalInvoiceId', 'pastDueSince']),
    invoices: await rows('invoices', ['status', 'reason', 'periodKey', 'totalMinor', 'paidMinor', 'creditedMinor']),
    payments: await rows('payments', ['status', 'amountMinor', 'refundedMinor', 'feeMinor', 'attempt']),
    refunds: await rows('refunds', ['status', 'amountMinor']),
    disputes: await rows('disputes', ['status', 'amountMinor']),
    accounts: lines.map(({ account, amountMinor }) => [account, Number(amountMinor)]),
  };
}

describe.each(['stripe', 'paypal'] as const)('histories of subscriptions with %s', (provider) => {
  it('end alike in whatever order their events arrive, how often, and however late again (rules 1, 2)', async () => {
    const inOrder = await live(provider, null);
    expect(inOrder).toMatchObject({
      plan: 'BASIC',
      subscriptions: [['ACTIVE', 2, 1, null, null]],
      invoices: [
        ['PAID', 'PERIOD', 'cycle/1', 1900, 1900, 0],
        ['PAID', 'PERIOD', 'cycle/2', 1900, 1900, 0],
      ],
      payments: [
        ['SUCCEEDED', 1900, 0, expect.any(Number), 1],
        ['SUCCEEDED', 1900, 0, expect.any(Number), 1],
      ],
      refunds: [],
      disputes: [['WON', 1900]],
    });
    for (const seed of ORDERS) {
      expect([seed, await live(provider, randomOf(seed))]).toEqual([seed, inOrder]);
    }
    expect(await findBillingFaults(app.ports.database, app.ports.clock.now())).toEqual([]);
  });
});
