import { systemContext } from '@rentapi/api/context';
import { createMetrics, measureDatabase } from '@rentapi/api/pipeline/observe-metrics';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { verify } from './jobs.ts';
import { PAGE } from './service/faults.ts';

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
    const pages = 20 * PAGE; // of one run
    await giveBalances(1, pages + 5, 0);
    await giveBalances(pages + 5, pages + 5, 7);
    await check();
    expect(await books()).toEqual({ balanced: null, checkedAt: null, faults: [] });
    await check();
    expect(await books()).toMatchObject({
      checkedAt: '2026-01-31T12:00:00.000Z', // since when this round has gone over all of them
      faults: [{ organizationId: app.ports.ids.encode('org', pages + 5) }],
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
