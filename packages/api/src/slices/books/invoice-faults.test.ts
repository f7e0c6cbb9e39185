import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Knex } from '@rentapi/platform/database';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { paymentsSettled, type TestPayments, usePayments } from '../../../test/payments.ts';
import { systemContext } from '../../context.ts';
import { runDuePayments } from '../payments/jobs.ts';
import { runDueSubscriptions } from '../subscriptions/jobs.ts';
import { FAULTS } from './schemas.ts';
import { findBillingFaults } from './service/faults.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let app: TestApp;
let payments: TestPayments;
let staff: Person;
let org: number;
let headers: Record<string, string>;

beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE' });
  payments = await usePayments(app);
  await app.rows('plans').update({ trialDays: 0 });
  staff = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
});
afterAll(() => app.close());
beforeEach(async () => {
  const ada = await app.signUp();
  org = app.ports.ids.decode('org', ada.organizationId);
  const key = { method: 'POST', body: { name: 'CI', scopes: ['*'] } };
  headers = { 'x-api-key': (await ada.request('/api/v1/api-keys', key)).body.secret };
});

const now = () => app.ports.clock.now();
const subscribe = (provider: string) =>
  app.request('/api/v1/subscriptions/subscribe', {
    method: 'POST',
    headers,
    body: { plan: 'BASIC', interval: 'month', provider, returnUrl: `${app.ports.env.PUBLIC_URL}/back` },
  });

/** The faults of the organization, after a change that no trigger sees and that is not kept. */
async function faultsAfter(change: (db: Knex) => Promise<unknown>): Promise<string[]> {
  let found: string[] = [];
  const undone = new Error('undone');
  await app.rows
    .transaction(async (db) => {
      await db.raw("set local session_replication_role = 'replica'");
      await change(db);
      const faults = await findBillingFaults(db, now());
      found = faults.filter(({ organizationId }) => organizationId === org).map(({ kind }) => kind);
      throw undone;
    })
    .catch((error) => {
      if (error !== undone) throw error;
    });
  return found;
}
const faults = () => faultsAfter(async () => {});

describe('a subscription whose invoice is paid', () => {
  const mine = (db: Knex, table: string) => db(table).where({ organizationId: org });

  beforeEach(async () => {
    await subscribe('manual');
    const payment = await app.rows('payments').where({ organizationId: org }).first();
    const answer = await staff.request(`/api/v1/admin/payments/${app.ports.ids.encode('pay', payment.id)}/confirm`, {
      method: 'POST',
      body: {
        amount: { amountMinor: payment.amountMinor, currency: payment.currency },
        reference: randomUUID(),
        receivedAt: now().toISOString(),
      },
    });
    expect(answer.status).toBe(200);
    await paymentsSettled(app);
    expect(await faults()).toEqual([]);
  });

  it.each<[what: string, change: (db: Knex) => Promise<unknown>, found: string[]]>([
    [
      'less is counted as paid than was paid',
      (db) => mine(db, 'invoices').update({ status: 'OPEN', paidMinor: 1 }),
      ['INVOICE_PAID', 'RECEIVABLE'],
    ],
    [
      'more is counted as paid than was paid',
      (db) => mine(db, 'payments').update({ amountMinor: 1 }),
      ['CASH', 'INVOICE_PAID'],
    ],
    [
      'the books do not know of it',
      (db) => mine(db, 'journal_entries').where({ kind: 'INVOICE_FINALISED' }).delete(),
      ['INVOICE_JOURNAL'],
    ],
    [
      'the books have its price elsewhere',
      (db) => mine(db, 'journal_lines').where({ account: 'revenue' }).update({ account: 'fees' }),
      ['INVOICE_JOURNAL'],
    ],
    [
      'the books have it in another currency',
      async (db) => {
        const { id } = await mine(db, 'journal_entries').where({ kind: 'INVOICE_FINALISED' }).first();
        await mine(db, 'journal_lines').where({ entryId: id }).update({ currency: 'EUR' });
      },
      ['INVOICE_JOURNAL', 'RECEIVABLE'],
    ],
    [
      'the books do not know that it is void',
      (db) => mine(db, 'invoices').update({ status: 'VOID' }),
      ['INVOICE_JOURNAL'],
    ],
    [
      'the books say that more is due',
      (db) => mine(db, 'journal_lines').where({ account: 'receivable' }).where('amountMinor', '<', 0).delete(),
      ['JOURNAL_BALANCE', 'RECEIVABLE'],
    ],
    [
      'the number before its own is missing',
      async (db) => {
        await db('invoice_series').increment('lastNumber', 1);
        await mine(db, 'invoices').increment('number', 1);
      },
      ['INVOICE_NUMBER'],
    ],
    [
      'the number after its own was taken by none',
      (db) => db('invoice_series').increment('lastNumber', 1),
      ['INVOICE_NUMBER'],
    ],
    [
      'its plan is not that of the organization',
      (db) => db('organizations').where({ id: org }).update({ plan: 'PRO' }),
      ['PLAN'],
    ],
    [
      'the organization has no plan',
      (db) => db('organizations').where({ id: org }).update({ plan: 'FREE', planUntil: null }),
      ['PLAN'],
    ],
    [
      'it has ended, and its plan goes on',
      (db) => mine(db, 'subscriptions').update({ status: 'CANCELED', endedAt: new Date(0), dueAt: null }),
      ['PLAN'],
    ],
  ])('is a fault where %s', async (_, change, found) => {
    expect(await faultsAfter(change)).toEqual(found);
  });

  it.each([
    ['subscriptions', 'SUBSCRIPTION_LATE'],
    ['usage_periods', 'SUBSCRIPTION_LATE'],
    ['payments', 'PAYMENT_LATE'],
    ['refunds', 'PAYMENT_LATE'],
  ])('is a fault where %s were due an hour ago, and nothing was done', async (table, kind) => {
    const isDue = (agoMs: number) => async (db: Knex) => {
      const dueAt = new Date(now().getTime() - agoMs);
      if (table === 'refunds') {
        const { id: paymentId, provider, currency } = await mine(db, 'payments').first();
        const made = { reason: 'REQUESTED', origin: 'STAFF', status: 'FAILED', createdAt: dueAt, updatedAt: dueAt };
        await db(table).insert({ organizationId: org, paymentId, provider, currency, amountMinor: 1, ...made });
      }
      await mine(db, table).update({ dueAt });
    };
    expect(await faultsAfter(isDue(HOUR_MS - MINUTE_MS))).toEqual([]);
    expect(await faultsAfter(isDue(HOUR_MS + MINUTE_MS))).toEqual([kind]);
  });

  it.each<[what: string, change: (db: Knex) => Promise<unknown>, constraint: string]>([
    [
      'the invoice as paid of which something is due',
      (db) => mine(db, 'invoices').update({ paidMinor: 1 }),
      'invoices_check',
    ],
    [
      'the invoice as due of which nothing is',
      (db) => mine(db, 'invoices').update({ status: 'OPEN' }),
      'invoices_check',
    ],
    [
      'two subscriptions that live',
      async (db) => {
        const { id: _, ...row } = await mine(db, 'subscriptions').first();
        await db('subscriptions').insert(row);
      },
      'subscriptions_live_unique',
    ],
  ])(
    'is never stored with %s: the database refuses it, also where its triggers are off',
    async (_, change, constraint) => {
      await expect(faultsAfter(change)).rejects.toMatchObject({
        message: expect.stringContaining(constraint),
      });
    },
  );
});

it('names each fault in the runbook, with what to do', async () => {
  const runbook = await readFile(new URL('../../../../../docs/runbooks/billing.md', import.meta.url), 'utf8');
  const named = [...runbook.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, kind]) => kind);
  expect(named).toEqual(expect.arrayContaining(Object.keys(FAULTS)));
});

it('is no fault where a payment is one too many, before and after its refund', async () => {
  await subscribe('stripe');
  const paid = await app.rows('payments').where({ organizationId: org }).first();
  payments.fakeStripe.act(paid.externalId, 'pay');
  payments.fakeStripe.lose(); // the server learns of it after the subscription has expired
  payments.fakeStripe.fail('html_502', /^POST .*refunds/, 1);
  await paymentsSettled(app);
  app.advance(23 * HOUR_MS);
  await runDueSubscriptions.run(systemContext(app.ports, 'test'), { at: now() }, runControl());
  await paymentsSettled(app);
  const refundOf = () => app.rows('refunds').where({ organizationId: org }).first();
  expect(await refundOf()).toMatchObject({ origin: 'DUPLICATE', status: 'PENDING' });
  expect(await faults()).toEqual([]);
  app.advance(HOUR_MS);
  await runDuePayments.run(systemContext(app.ports, 'test'), { at: now() }, runControl());
  await paymentsSettled(app);
  expect(await refundOf()).toMatchObject({ status: 'SUCCEEDED' });
  expect(await faults()).toEqual([]);
});
