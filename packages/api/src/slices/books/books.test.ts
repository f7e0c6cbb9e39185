import { systemContext } from '@rentapi/api/context';
import { transaction } from '@rentapi/api/data/transaction';
import { createMetrics, measureDatabase } from '@rentapi/api/pipeline/observe-metrics';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { verify } from './jobs.ts';
import { findBillingFaults, PAGE } from './service/faults.ts';
import { postEntry } from './service/journal.ts';

const BOOKS = '/api/v1/admin/billing/books';
const MINUTE_MS = 60_000;

let app: TestApp;
let staff: Person;
let at: Date;

beforeAll(async () => {
  app = await startApp();
  await app.work.stop(); // the check runs when a test says so
  staff = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
});
beforeEach(async () => {
  await app.rows('billing_faults').delete();
  await app.rows('credit_balances').delete();
  await app.rows('billing_checks').update({ after: 0, beganAt: null, checkedAt: null });
  at = new Date('2026-01-31T12:00:00Z');
});
afterAll(() => app.close());

/** Runs the check, each time a minute later. */
async function check(): Promise<void> {
  await verify.run({ ...systemContext(app.ports, 'test'), now: at }, undefined, runControl());
  at = new Date(at.getTime() + MINUTE_MS);
}
const books = async () => (await staff.request(BOOKS)).body;
/** Organizations with a balance of credits and an empty ledger, each with so many credits. */
const giveBalances = (from: number, to: number, available: number) =>
  app.rows.raw(
    `insert into credit_balances (organization_id, available) select n, ? from generate_series(?::bigint, ?::bigint) n
     on conflict (organization_id) do update set available = excluded.available`,
    [available, from, to],
  );

describe('the books', () => {
  it('are unknown until all organizations have been checked, and then balance', async () => {
    expect(await books()).toEqual({ balanced: null, checkedAt: null, faults: [] });
    await giveBalances(1, 3, 0);
    await check();
    expect(await books()).toEqual({ balanced: true, checkedAt: '2026-01-31T12:00:00.000Z', faults: [] });
  });

  it('name what does not add up, of which organization, until it is corrected', async () => {
    await giveBalances(1, 3, 0);
    await giveBalances(2, 2, 5);
    await check();
    await check();
    const found = {
      kind: 'CREDIT_BALANCE',
      organizationId: app.ports.ids.encode('org', 2),
      count: 1,
      foundAt: '2026-01-31T12:00:00.000Z',
      seenAt: '2026-01-31T12:01:00.000Z',
    };
    expect(await books()).toEqual({ balanced: false, checkedAt: '2026-01-31T12:01:00.000Z', faults: [found] });
    await giveBalances(2, 2, 0);
    await check();
    expect(await books()).toMatchObject({ balanced: true, faults: [] });
  });

  it('of many organizations are checked in parts, each organization once a round', async () => {
    const count = 20 * PAGE + 5; // more than one run checks, whatever its time
    await giveBalances(1, count, 0);
    await giveBalances(count, count, 7);
    await check();
    expect(await books()).toEqual({ balanced: null, checkedAt: null, faults: [] });
    for (let run = 0; run < count / PAGE && (await books()).checkedAt === null; run++) await check();
    expect(await books()).toMatchObject({
      checkedAt: '2026-01-31T12:00:00.000Z', // since when this round has gone over all of them
      faults: [{ organizationId: app.ports.ids.encode('org', count) }],
    });
  });

  it('are nothing for a user who is no administrator', async () => {
    const user = await app.signUp();
    expect(statusAndCode(await user.request(BOOKS))).toEqual([403, 'permission_denied']);
  });
});

it('counts the faults of the books in metrics, by kind', async () => {
  await giveBalances(1, 2, 5);
  await check();
  const metrics = createMetrics();
  measureDatabase(metrics, app.ports.database, app.ports.log);
  const text = await metrics.registry.metrics();
  expect(text).toContain('rentapi_billing_faults{kind="CREDIT_BALANCE"} 2\n');
  expect(text).toContain(`rentapi_billing_checked_at_seconds ${Date.parse('2026-01-31T12:00:00Z') / 1000}\n`);
});

describe('an entry of the money journal that the triggers did not see', () => {
  /** As a restore of one table does. */
  const insert = (organizationId: number, amounts: number[]) =>
    app.rows.transaction(async (db) => {
      await db.raw("set local session_replication_role = 'replica'");
      const [{ id }] = await db('journal_entries')
        .insert({ organizationId, kind: 'PAYMENT', sourceKind: 'payment', sourceId: organizationId, at })
        .returning('id');
      for (const [number, amountMinor] of amounts.entries())
        await db('journal_lines').insert({
          organizationId,
          entryId: id,
          number,
          account: 'fees',
          currency: 'EUR',
          amountMinor,
        });
    });

  it('is found where it is not zero, and where it has no lines', async () => {
    await insert(11, [1000, -999]);
    await insert(12, []);
    await insert(13, [1000, -1000]);
    await check();
    expect((await books()).faults).toMatchObject([
      { kind: 'JOURNAL_BALANCE', organizationId: app.ports.ids.encode('org', 11), count: 1 },
      { kind: 'JOURNAL_LINES', organizationId: app.ports.ids.encode('org', 12), count: 1 },
    ]);
  });
});

describe('a payment by hand', () => {
  let org: number;
  beforeEach(async () => {
    org = app.ports.ids.decode('org', (await app.signUp()).organizationId);
  });

  /** Paid, and no more than that. */
  async function payment(change: object = {}): Promise<number> {
    const amount = { currency: 'USD', amountMinor: 1000 };
    const [{ id: subjectId }] = await app
      .rows('credit_purchases')
      .insert({ organizationId: org, credits: 500, ...amount, createdAt: at })
      .returning('id');
    const row = {
      purpose: 'CREDITS',
      subjectId,
      provider: 'stripe',
      status: 'SUCCEEDED',
      description: 'x',
      returnUrl: 'x',
    };
    const [{ id }] = await app
      .rows('payments')
      .insert({ organizationId: org, ...row, ...amount, paidAt: at, createdAt: at, updatedAt: at, ...change })
      .returning('id');
    return id;
  }
  const post = (sourceId: number, amountMinor: number) => {
    const line = { currency: 'USD', amountMinor };
    return transaction(systemContext(app.ports, 'test'), (ctx) =>
      postEntry(ctx, {
        kind: 'PAYMENT',
        source: { kind: 'payment', id: sourceId },
        organizationId: org,
        at,
        lines: [
          { account: 'cash_stripe', ...line },
          { account: 'revenue', ...line, amountMinor: -amountMinor },
        ],
      }),
    );
  };
  const grant = (credits: number) =>
    app.rows.raw("select credit_grant(?, 'PAYMENT', 'payment/x', ?, 0, 'infinity', ?)", [org, credits, at]);
  const faults = async () =>
    (await findBillingFaults(app.ports.database, at))
      .filter(({ organizationId }) => organizationId === org)
      .map(({ kind, count }) => [kind, count]);
  const minutesPass = (minutes: number) => {
    at = new Date(at.getTime() + minutes * MINUTE_MS);
  };

  it('is missed in the journal at once, and its credits after a minute', async () => {
    await payment();
    expect(await faults()).toEqual([
      ['CASH', 1],
      ['PAYMENT_JOURNAL', 1],
    ]);
    minutesPass(2);
    expect(await faults()).toContainEqual(['PAID_CREDITS', 500]);
  });

  it('is no fault with its entry and its credits, of which none may be too many', async () => {
    await post(await payment(), 1000);
    await grant(500);
    minutesPass(2);
    expect(await faults()).toEqual([]);
    await app.rows.raw("select credit_grant(?, 'PAYMENT', 'payment/y', 1, 0, 'infinity', ?)", [org, at]);
    expect(await faults()).toEqual([['PAID_CREDITS', 1]]);
  });

  it('is a fault with another amount of cash, by its fee or a refund', async () => {
    const id = await payment({ feeMinor: 30 });
    await post(id, 1000);
    expect(await faults()).toEqual([['CASH', 1]]);
    await app.rows('payments').where({ id }).update({ feeMinor: null });
    expect(await faults()).toEqual([]);
    const refund = {
      paymentId: id,
      provider: 'stripe',
      status: 'SUCCEEDED',
      origin: 'STAFF',
      currency: 'USD',
      amountMinor: 100,
    };
    await app.rows('refunds').insert({ organizationId: org, ...refund, createdAt: at, updatedAt: at });
    expect(await faults()).toEqual([
      ['CASH', 1],
      ['PAYMENT_REFUNDS', 1],
    ]);
  });
});
