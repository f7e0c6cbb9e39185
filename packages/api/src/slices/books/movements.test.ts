import { systemContext } from '@rentapi/api/context';
import { transaction } from '@rentapi/api/data/transaction';
import type { PaymentProvider } from '@rentapi/payments/payment-provider';
import { createStripeProvider } from '@rentapi/payments/stripe/provider';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { reconcile, verify } from './jobs.ts';
import { findBillingFaults } from './service/faults.ts';
import { type Entry, postEntry } from './service/journal.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FINDINGS = '/api/v1/admin/billing/findings';

let app: TestApp;
let staff: Person;
let org: number;
let count = 0;
/** When everything is paid; two days later it is compared. */
const PAID_AT = new Date('2026-01-10T12:00:00Z');
const NOW = new Date('2026-01-12T12:00:00Z');

beforeAll(async () => {
  app = await startApp();
  await app.work.stop(); // jobs run when a test says so
  staff = await app.signUp();
  const id = app.ports.ids.decode('usr', staff.id);
  await app.rows('users').where({ id }).update({ role: 'ADMIN' });
});
beforeEach(async () => {
  for (const table of ['billing_findings', 'provider_movements', 'provider_lists']) await app.rows(table).delete();
  await app.rows('payments').update({ paidAt: new Date('2025-12-31T12:00:00Z') }); // those of other tests are not compared
  await app.rows('billing_checks').update({ after: 0, beganAt: null, checkedAt: null });
  const startedAt = new Date('2026-01-01T12:00:00Z');
  const list = { provider: 'stripe', list: 'movements', startedAt, since: NOW, lookedAt: NOW };
  await app.rows('provider_lists').insert(list);
  org = app.ports.ids.decode('org', (await app.signUp()).organizationId);
});
afterAll(() => app.close());

const row = (change: object = {}) => ({
  organizationId: org,
  provider: 'stripe',
  currency: 'EUR',
  amountMinor: 1000,
  createdAt: PAID_AT,
  updatedAt: PAID_AT,
  ...change,
});

async function add(table: string, fields: object): Promise<number> {
  const [{ id }] = await app.rows(table).insert(fields).returning('id');
  return id;
}

/** A payment of 1000 with a fee of 30, in the journal. */
async function payment(change: object = {}): Promise<{ id: number; chargeId: string; captureId: string }> {
  const { provider: _, updatedAt: __, ...purchase } = row({ credits: 10 });
  const subjectId = await add('credit_purchases', purchase);
  const [chargeId, captureId] = [`pi_${++count}`, `ch_${count}`];
  const of = { purpose: 'CREDITS', subjectId, status: 'SUCCEEDED', description: 'x', returnUrl: 'x', paidAt: PAID_AT };
  const id = await add('payments', row({ ...of, externalId: chargeId, captureId, feeMinor: 30, ...change }));
  await post('PAYMENT', { kind: 'payment', id }, [
    ['cash_stripe', 970],
    ['fees', 30],
    ['revenue', -1000],
  ]);
  return { id, chargeId, captureId };
}

function post(kind: Entry['kind'], source: Entry['source'], lines: [Entry['lines'][number]['account'], number][]) {
  return transaction(systemContext(app.ports, 'test'), (ctx) =>
    postEntry(ctx, {
      kind,
      source,
      organizationId: org,
      at: PAID_AT,
      lines: lines.map(([account, amountMinor]) => ({ account, currency: 'EUR', amountMinor })),
    }),
  );
}

/** What Stripe has moved. */
const move = (sourceId: string, amountMinor: number, feeMinor: number, change: object = {}) =>
  app.rows('provider_movements').insert({
    provider: 'stripe',
    externalId: `txn_${++count}`,
    kind: 'charge',
    sourceId,
    currency: 'EUR',
    amountMinor,
    feeMinor,
    at: PAID_AT,
    keptAt: PAID_AT,
    ...change,
  });
const compare = (now = NOW) => verify.run({ ...systemContext(app.ports, 'test'), now }, undefined, runControl());
const findings = async (query = '') => (await staff.request(`${FINDINGS}${query}`)).body.items;

describe('a payment and what its provider has moved', () => {
  it('agree, or are a finding with both sides until they do', async () => {
    const { chargeId, captureId } = await payment();
    await move((await payment()).captureId, 1000, 30);
    await compare();
    const found = {
      kind: 'MOVEMENT_DIFFERS',
      provider: 'stripe',
      objectKind: 'charge',
      externalId: chargeId,
      ours: '1000 EUR, less fees of 30',
      theirs: '0 EUR, less fees of 0',
      state: 'OPEN',
    };
    expect(await findings()).toMatchObject([found]);
    await move(captureId, 1000, 30);
    await compare();
    expect(await findings()).toMatchObject([{ externalId: chargeId, state: 'RESOLVED' }]);
    expect(await findings('?state=OPEN')).toEqual([]);
    expect(await findings('?state=RESOLVED')).toHaveLength(1);
  });

  it('are compared with refunds, once these have ended', async () => {
    const { id: paymentId, captureId } = await payment({ refundedMinor: 400 });
    await move(captureId, 1000, 30);
    const externalId = `re_${++count}`;
    await move(externalId, -400, 0, { kind: 'refund' });
    const of = { paymentId, origin: 'STAFF', status: 'PENDING', amountMinor: 400, externalId };
    const id = await add('refunds', row(of));
    await compare();
    expect(await findings()).toEqual([]);
    await app.rows('refunds').where({ id }).update({ status: 'SUCCEEDED' });
    await compare();
    expect(await findings()).toMatchObject([{ ours: '1000 EUR, less fees of 30', theirs: '600 EUR, less fees of 30' }]);
    await post('REFUND', { kind: 'refund', id }, [
      ['refunds', 400],
      ['cash_stripe', -400],
    ]);
    await compare();
    expect(await findings()).toMatchObject([{ state: 'RESOLVED' }]);
  });

  it('agree once the fee of a dispute is posted, which only the movement says', async () => {
    const { id: paymentId, captureId } = await payment();
    const externalId = `dp_${++count}`;
    const id = await add('disputes', row({ paymentId, externalId, status: 'LOST', reason: 'fraudulent' }));
    await post('DISPUTE_OPENED', { kind: 'dispute', id }, [
      ['disputes', 1000],
      ['cash_stripe', -1000],
    ]);
    await move(captureId, 1000, 30);
    await move(externalId, -1000, 1500, { kind: 'dispute' });
    await compare();
    await compare();
    expect(await findings()).toEqual([]);
    const lines = await app
      .rows('journal_lines')
      .join('journal_entries', 'journal_entries.id', 'journal_lines.entry_id')
      .where({ sourceKind: 'dispute', sourceId: id, kind: 'FEE' })
      .orderBy('number');
    expect(lines).toMatchObject([
      { account: 'fees', amountMinor: 1500 },
      { account: 'cash_stripe', amountMinor: -1500 },
    ]);
    const faults = await findBillingFaults(app.ports.database, NOW);
    expect(faults.filter(({ organizationId, kind }) => organizationId === org && kind === 'CASH')).toEqual([]);
  });

  it.each([
    ['has changed within a day of the list', { updatedAt: new Date(NOW.getTime() - HOUR_MS) }],
    ['was paid before movements were kept', { paidAt: new Date('2025-12-31T12:00:00Z') }],
    ['has not succeeded', { status: 'PENDING' }],
  ])('are not compared where it %s', async (_, change) => {
    await payment(change);
    await compare();
    expect(await findings()).toEqual([]);
  });

  it('are not compared where the money was settled in another currency', async () => {
    await move((await payment()).captureId, 1100, 33, { currency: 'USD' });
    await compare();
    expect(await findings()).toEqual([]);
  });
});

describe('a movement for nothing of ours', () => {
  const look = async (now: Date) => {
    const none = { items: [], next: null };
    const made = createStripeProvider({ secretKey: 'sk_test_x', webhookSecrets: [], apiBase: 'http://127.0.0.1:1' });
    const stripe: PaymentProvider = { ...made, listSince: async () => none };
    app.ports.payments = new Map([['stripe', stripe]]);
    await reconcile.run({ ...systemContext(app.ports, 'test'), now }, undefined, runControl());
  };

  it('is a finding after an hour, and resolved once it is ours', async () => {
    await move('ch_unknown', 700, 20, { keptAt: NOW });
    await move('po_1', -5000, 0, { kind: 'other', keptAt: NOW });
    await look(new Date(NOW.getTime() + HOUR_MS / 2));
    expect(await findings()).toEqual([]);
    await look(new Date(NOW.getTime() + 2 * HOUR_MS));
    expect(await findings()).toMatchObject([
      {
        kind: 'UNKNOWN_MOVEMENT',
        externalId: 'ch_unknown',
        ours: null,
        theirs: '700 EUR, less fees of 20',
        state: 'OPEN',
      },
    ]);
    await payment({ captureId: 'ch_unknown' });
    await look(new Date(NOW.getTime() + DAY_MS));
    expect(await findings()).toMatchObject([{ externalId: 'ch_unknown', state: 'RESOLVED' }]);
  });
});
