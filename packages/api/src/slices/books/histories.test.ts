import { systemContext } from '@rentapi/api/context';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { addPack, paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { reconcile, verify } from './jobs.ts';
import { findBillingFaults } from './service/faults.ts';

const DAY_MS = 86_400_000;
/** Every order is lived in the histories of subscriptions; here, events go over HTTP, and some never arrive. */
const SEEDS = [1];
const RETURN_URL = 'http://127.0.0.1:8000/back';

/** What happens to a payment, and in which it ends. */
const HISTORIES = ['paid', 'refunded', 'won', 'lost', 'paid late', 'failed late'] as const;
type History = (typeof HISTORIES)[number];
type Provider = 'stripe' | 'paypal';
/** Each buys another pack: who buys the same again is led to the same payment. */
const creditsOf = (history: History): number => 1000 + HISTORIES.indexOf(history);

let app: TestApp;
let payments: TestPayments;
let staff: Person;

beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: 'http://127.0.0.1:8000' });
  payments = await usePayments(app);
  for (const history of HISTORIES) await addPack(app, creditsOf(history), 10_00);
  staff = await app.signUp();
  const id = app.ports.ids.decode('usr', staff.id);
  await app.rows('users').where({ id }).update({ role: 'ADMIN' });
  await readLists(); // what is listed counts from here
});
afterAll(() => app.close());

/** How events arrive: in order and once, or as `random` says, and some of them never. */
type Arrival = { random: (() => number) | null };

/** Numbers from 0 to 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function readLists(): Promise<void> {
  await reconcile.run(systemContext(app.ports, 'test'), undefined, runControl());
}

async function arrive(provider: Provider, { random }: Arrival): Promise<void> {
  const fake = provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal;
  if (random) fake.pending = fake.pending.filter(() => random() < 0.7);
  await fake.deliver(random ? { order: 'shuffled', copies: 2, random } : {});
  await paymentsSettled(app);
  if (!random) return;
  // Lost events are found in the provider's list, as after a pause.
  const longAgo = new Date(app.ports.clock.now().getTime() - DAY_MS / 24);
  await app.rows('provider_lists').update({ lookedAt: longAgo });
  await readLists();
  await paymentsSettled(app);
}

/** Buys credits once for each history, in a new organization, and lets it happen. What it ends in. */
async function live(provider: Provider, arrival: Arrival) {
  const buyer = await app.signUp();
  const charges = new Map<History, { paymentId: string; externalId: string }>();
  for (const history of HISTORIES) {
    const body = { credits: creditsOf(history), provider, returnUrl: RETURN_URL };
    const { payment } = (await buyer.request('/api/v1/subscriptions/credits/purchase', { method: 'POST', body })).body;
    const { externalId } = await rowOf(payment.id);
    charges.set(history, { paymentId: payment.id, externalId });
    pay(provider, externalId, history.endsWith('late'));
  }
  const steps = arrival.random === null ? 1 : 0; // events of one step arrive before the next, or together with it
  const happens = async () => {
    if (steps) await arrive(provider, arrival);
  };
  if (provider === 'paypal') {
    await arrive(provider, arrival); // it is captured when its event is there
    await arrive(provider, arrival);
  }
  await happens();
  const { externalId: paidLate } = charges.get('paid late')!;
  const { externalId: failedLate } = charges.get('failed late')!;
  const fake = provider === 'stripe' ? payments.fakeStripe : payments.fakePayPal;
  fake.settle(paidLate, 'succeeds');
  fake.settle(failedLate, 'fails');
  await happens();
  for (const history of ['won', 'lost'] as const) {
    const { externalId } = charges.get(history)!;
    const disputeId = await openDispute(provider, externalId);
    await happens();
    fake.closeDispute(disputeId, history);
    await happens();
  }
  await arrive(provider, arrival);
  const { paymentId } = charges.get('refunded')!;
  const body = { reason: 'Tested', amount: { amountMinor: 300, currency: 'USD' } };
  const refunded = await staff.request(`/api/v1/admin/payments/${paymentId}/refund`, { method: 'POST', body });
  expect(refunded.status).toBe(201);
  await paymentsSettled(app);
  await arrive(provider, arrival);
  return endsOf(buyer, charges);
}

const rowOf = (paymentId: string) =>
  app
    .rows('payments')
    .where({ id: app.ports.ids.decode('pay', paymentId) })
    .first();

function pay(provider: Provider, id: string, late: boolean): void {
  if (provider === 'stripe') payments.fakeStripe.act(id, late ? 'pay_late' : 'pay');
  else payments.fakePayPal.act(id, 'approve', late ? 'pays_late' : 'pays');
}

async function openDispute(provider: Provider, externalId: string): Promise<string> {
  if (provider === 'stripe') return payments.fakeStripe.openDispute(externalId);
  const { captureId } = await payments.paypal.getCharge(externalId);
  return payments.fakePayPal.openDispute(captureId!);
}

async function endsOf(buyer: Person, charges: ReadonlyMap<History, { paymentId: string }>) {
  const ends: Record<string, unknown> = {};
  for (const [history, { paymentId }] of charges) {
    const { id, status, refundedMinor, feeMinor } = await rowOf(paymentId);
    const children = async (table: string) =>
      (await app.rows(table).where({ paymentId: id }).orderBy('id')).map(({ status, amountMinor }) => [
        status,
        amountMinor,
      ]);
    ends[history] = {
      status,
      refundedMinor,
      feeMinor,
      refunds: await children('refunds'),
      disputes: await children('disputes'),
    };
  }
  const { available, owed } = (await buyer.request('/api/v1/subscriptions/credits')).body;
  const organizationId = app.ports.ids.decode('org', buyer.organizationId);
  const lines = await app
    .rows('journal_lines')
    .where({ organizationId })
    .groupBy('account')
    .orderBy('account')
    .select('account')
    .sum('amountMinor as amountMinor');
  return {
    ends,
    credits: { available, owed },
    accounts: lines.map(({ account, amountMinor }) => [account, Number(amountMinor)]),
  };
}

describe.each(['stripe', 'paypal'] as const)('histories of payments with %s', (provider) => {
  it('rules 1, 2, 5: end in the same rows and books, in whatever order events arrive, how often, and where some never do', async () => {
    const inOrder = await live(provider, { random: null });
    expect(inOrder.ends).toMatchObject({
      paid: { status: 'SUCCEEDED' },
      refunded: { status: 'SUCCEEDED', refundedMinor: 300, refunds: [['SUCCEEDED', 300]] },
      won: { status: 'SUCCEEDED', disputes: [['WON', 1000]] },
      lost: { status: 'SUCCEEDED', disputes: [['LOST', 1000]] },
      'paid late': { status: 'SUCCEEDED' },
      'failed late': { status: 'FAILED' },
    });
    for (const seed of SEEDS) {
      expect([seed, await live(provider, { random: randomOf(seed) })]).toEqual([seed, inOrder]);
    }
  });

  it('leave what the provider holds in its account of the journal, and nothing that does not add up', async () => {
    await live(provider, { random: randomOf(9) });
    await reads(2);
    const [lines] = await app
      .rows('journal_lines')
      .where({ account: `cash_${provider}`, currency: 'USD' })
      .sum('amountMinor as cash');
    const [moved] = await app
      .rows('provider_movements')
      .where({ provider })
      .select(app.rows.raw('sum(amount_minor - fee_minor) as cash'));
    expect(lines?.['cash']).toBe(moved?.['cash']);
    expect(Number(lines?.['cash'])).toBeGreaterThan(0);
    expect((await staff.request('/api/v1/admin/billing/findings?state=OPEN')).body.items).toEqual([]);
    const aMinuteLater = new Date(app.ports.clock.now().getTime() + 61_000); // charged is credited by then
    expect(await findBillingFaults(app.ports.database, aMinuteLater)).toEqual([]);
  });
});

/** Reads all movements, and compares them as if so many days had passed since then. */
async function reads(days: number): Promise<void> {
  const now = app.ports.clock.now();
  await app.rows('provider_lists').update({ lookedAt: new Date(now.getTime() - DAY_MS) });
  await readLists();
  await app.rows('provider_lists').update({ since: new Date(now.getTime() + days * DAY_MS) });
  await verify.run({ ...systemContext(app.ports, 'test'), now }, undefined, runControl());
  await app.rows('provider_lists').update({ since: now });
}
