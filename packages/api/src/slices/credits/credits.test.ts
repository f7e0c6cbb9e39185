import { randomUUID } from 'node:crypto';
import { systemContext, within } from '@rentapi/api/context';
import { transaction } from '@rentapi/api/data/transaction';
import { spendCredits, spendingCost } from '@rentapi/api/pipeline/credits';
import { findBillingFaults } from '@rentapi/api/slices/books/service/faults';
import { runDueCredits } from '@rentapi/api/slices/credits/jobs';
import { grantCredits } from '@rentapi/api/slices/credits/service/ledger';
import type { Knex } from '@rentapi/platform/database';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';

const CREDITS = '/api/v1/subscriptions/credits';
const DAY_MS = 86_400_000;

let app: TestApp;
let second: TestApp;
let ada: Person;
let staff: Person;
let org: number;

beforeAll(async () => {
  app = await startApp();
  second = await startApp({}, app);
  staff = await app.signUp();
  await app
    .rows('users')
    .where({ id: app.ports.ids.decode('usr', staff.id) })
    .update({ role: 'ADMIN' });
});
beforeEach(async () => {
  ada = await app.signUp();
  org = app.ports.ids.decode('org', ada.organizationId);
});
afterAll(async () => {
  // Whatever was done above, the books balance.
  expect(await faults()).toEqual([]);
  await second.close();
  await app.close();
});

const there = (of = app, at = of.ports.clock.now()) => ({ ...within(systemContext(of.ports, 'test'), org), now: at });
const inDays = (days: number) => new Date(app.ports.clock.now().getTime() + days * DAY_MS);
const sql = async (text: string, ...values: unknown[]) => (await app.rows.raw(text, values as never)).rows;
const faults = () => findBillingFaults(app.ports.database, app.ports.clock.now());
const balance = async () => {
  const { available, held, owed } = (await ada.request(CREDITS)).body;
  return { available, held, owed };
};
const entries = async () => (await ada.request(`${CREDITS}/history?limit=100`)).body.items;
const adjust = (credits: number, more: object = {}, by = staff) =>
  by.request(`/api/v1/admin/users/${ada.id}/credits`, {
    method: 'POST',
    body: { credits, reason: 'Made good', ...more },
  });
const grant = (key: string, credits: number, more: object = {}) =>
  transaction(there(), (ctx) => grantCredits(ctx, { source: 'PAYMENT', key, credits, priority: 0, ...more }));
interface Spend {
  key?: string;
  by?: TestApp;
  at?: Date;
}
const spend = (credits: number, { key = randomUUID(), by = app, at = by.ports.clock.now() }: Spend = {}) =>
  spendCredits(there(by, at), key, credits);
const sweep = (at: Date) =>
  runDueCredits.run({ ...systemContext(app.ports, 'test'), now: at }, undefined, runControl());
const events = async () =>
  (await sql('select type, data from events where organization_id = ? order by id', org)).filter(
    ({ type }: { type: string }) => type.startsWith('credits.'),
  );

describe('credits by staff', () => {
  it('are granted with a reason, which the organization reads with the balance', async () => {
    const { status, body } = await adjust(500, { reason: 'For the outage' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ available: 500, held: 0, owed: 0 });
    expect((await ada.request(CREDITS)).body).toEqual(body);
    expect(body.grants).toMatchObject([{ source: 'ADJUSTMENT', credits: 500, remaining: 500, expiresAt: null }]);
    expect(await entries()).toMatchObject([
      { number: 1, kind: 'GRANT', credits: 500, availableAfter: 500, reason: 'For the outage' },
    ]);
    expect(await events()).toMatchObject([{ type: 'credits.granted', data: { credits: 500, available: 500 } }]);
  });

  it('are taken, but never more than there are', async () => {
    await adjust(10);
    expect(statusAndCode(await adjust(-11))).toEqual([409, 'credits_exceed_balance']);
    expect(await balance()).toEqual({ available: 10, held: 0, owed: 0 });
    expect((await adjust(-4)).body.available).toBe(6);
    expect(await entries()).toMatchObject([{ kind: 'REVOKE', credits: -4 }, { kind: 'GRANT' }]);
  });

  it.each([
    [0, {}, 'invalid_input'],
    [1.5, {}, 'invalid_input'],
    [2e9, {}, 'invalid_input'],
    [1, { reason: ' ' }, 'invalid_input'],
    [1, { expiresAt: '2026-01-31T12:00:00Z' }, 'credits_expire_in_past'],
  ])('are refused as %s %j', async (credits, more, code) => {
    expect(statusAndCode(await adjust(credits, more))).toEqual([400, code]);
    expect(await entries()).toEqual([]);
  });
});

describe('spending', () => {
  it('is exact: fifty at once, in two processes, never spend more than there is', async () => {
    await grant('exact', 100);
    const spends = Array.from({ length: 50 }, (_, index) => spend(3, { by: index % 2 ? app : second }));
    const ended = await Promise.allSettled(spends);
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(33);
    expect(await balance()).toEqual({ available: 1, held: 0, owed: 0 });
    await expect(spend(2)).rejects.toMatchObject({ errorCode: 'insufficient_credits', status: 402 });
  });

  it('counts once for each key, alone, in a batch and in a transaction', async () => {
    await grant('once', 100);
    const left = await Promise.all(Array.from({ length: 20 }, () => spend(10, { key: 'one' })));
    expect(new Set(left)).toEqual(new Set([90]));
    expect(await transaction(there(), (ctx) => spendCredits(ctx, 'one', 10))).toBe(90);
    expect((await balance()).available).toBe(90);
  });

  it('counts once for a key that another grant has paid', async () => {
    await grant('first', 10);
    await grant('next', 100);
    expect(await spend(10, { key: 'known' })).toBe(100);
    expect(await spend(5)).toBe(95);
    expect(await spend(10, { key: 'known' })).toBe(100);
    expect((await balance()).available).toBe(95);
    expect(await entries()).toHaveLength(4);
    expect(await faults()).toEqual([]);
  });

  it('alone takes no credits that have expired, and crosses from one grant to the next', async () => {
    await grant('month', 50, { priority: -10, expiresAt: inDays(1) });
    await grant('pack', 100);
    expect(await spend(1)).toBe(149);
    expect(await spend(1)).toBe(148);
    expect(await spend(60)).toBe(88);
    await grant('month 2', 50, { priority: -10, expiresAt: inDays(2) });
    expect(await spend(1)).toBe(137);
    expect(await spend(1, { at: inDays(3) })).toBe(87);
    await expect(spend(88, { at: inDays(3) })).rejects.toMatchObject({ errorCode: 'insufficient_credits' });
    expect((await balance()).available).toBe(87);
    expect(await faults()).toEqual([]);
  });

  it('is lost by none that comes while the last one ends', async () => {
    // Answers at once, so that what happens between two steps depends on their order alone.
    const connection = { query: async () => ({ rows: [{ available: 1, answers: [1] }] }) };
    const client = { acquireConnection: async () => connection, releaseConnection: async () => {}, emit: () => {} };
    for (let steps = 0; steps < 30; steps++) {
      const ctx = { ...there(), db: { isTransaction: false, client } as unknown as Knex }; // what a statement needs of it
      const first = spendCredits(ctx, 'first', 1);
      for (let step = 0; step < steps; step++) await null;
      const both = Promise.all([first, spendCredits(ctx, 'second', 1)]);
      const never = new Promise((resolve) => setTimeout(resolve, 1000, 'never'));
      expect([steps, await Promise.race([both, never])]).toEqual([steps, [1, 1]]);
    }
  });

  it('is undone with the transaction that it is part of', async () => {
    await grant('undone', 10);
    await expect(
      transaction(there(), async (ctx) => {
        await spendCredits(ctx, 'undone', 10);
        throw new Error('fails');
      }),
    ).rejects.toThrow('fails');
    expect((await balance()).available).toBe(10);
  });

  it('takes by priority, then what expires first, and passes from grant to grant', async () => {
    await grant('late', 10, { expiresAt: inDays(30) });
    await grant('never', 10, { priority: 1 });
    await grant('soon', 10, { expiresAt: inDays(2) });
    await spend(15);
    const { grants } = (await ada.request(CREDITS)).body;
    expect(grants.map(({ remaining }: { remaining: number }) => remaining)).toEqual([5, 10]);
    expect((await entries()).filter(({ kind }: { kind: string }) => kind === 'SPEND')).toMatchObject([
      { credits: -5, availableAfter: 15 },
      { credits: -10, availableAfter: 20 },
    ]);
  });

  it('never takes what has expired, however late the sweep', async () => {
    await grant('short', 10, { expiresAt: inDays(1) });
    await grant('long', 5, { priority: 9 });
    expect(await spend(5, { at: inDays(2) })).toBe(0);
    expect(await entries()).toMatchObject([{ kind: 'SPEND' }, { kind: 'EXPIRE', credits: -10 }, {}, {}]);
  });

  it('rule 5: grants once for each source and key, fifty at once', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => grant('pay_1', 7)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect((await balance()).available).toBe(7);
  });
});

describe('what is due', () => {
  it('is announced once: little left, none left', async () => {
    await grant('announced', 100);
    await spend(89);
    await sweep(app.ports.clock.now());
    expect((await events()).map(({ type }: { type: string }) => type)).toEqual(['credits.granted']);
    await spend(1);
    for (let run = 0; run < 2; run++) await sweep(app.ports.clock.now());
    await spend(10);
    for (let run = 0; run < 2; run++) await sweep(app.ports.clock.now());
    expect(await events()).toMatchObject([
      { type: 'credits.granted' },
      { type: 'credits.low', data: { available: 10 } },
      { type: 'credits.exhausted', data: { available: 0 } },
    ]);
  });

  it('expires', async () => {
    await grant('expiring', 8, { expiresAt: inDays(1) });
    await sweep(inDays(2));
    expect(await events()).toMatchObject([{}, { type: 'credits.expired', data: { credits: 8, available: 0 } }]);
  });

  it('releases what is held for longer than it may be', async () => {
    await grant('held', 10);
    await sql('select credit_reserve(?, ?, 6, ?, now())', org, 'overdue', inDays(1));
    expect(await balance()).toEqual({ available: 4, held: 6, owed: 0 });
    await sweep(inDays(2));
    expect(await balance()).toEqual({ available: 10, held: 0, owed: 0 });
  });
});

describe('holds', () => {
  it('keep what was used, and return the rest to the grants that live longest, once', async () => {
    await grant('a', 5, { expiresAt: inDays(3) });
    await grant('b', 5);
    await sql('select credit_reserve(?, ?, 8, ?, now())', org, 'work', inDays(1));
    for (const settled of [true, false])
      expect(await sql('select credit_settle(?, ?, 6, now()) as settled', org, 'work')).toEqual([{ settled }]);
    expect(await balance()).toEqual({ available: 4, held: 0, owed: 0 });
    const { grants } = (await ada.request(CREDITS)).body;
    expect(grants).toMatchObject([{ remaining: 4, expiresAt: null }]);
  });

  it('return nothing into a grant that has expired meanwhile', async () => {
    await grant('gone', 5, { expiresAt: inDays(1) });
    await sql('select credit_reserve(?, ?, 5, ?, now())', org, 'long work', inDays(9));
    await sql('select credit_settle(?, ?, 0, ?)', org, 'long work', inDays(2));
    expect(await balance()).toEqual({ available: 0, held: 0, owed: 0 });
    expect((await entries())[0]).toMatchObject({ kind: 'EXPIRE', credits: -5 });
  });
});

describe('a payment that is taken back', () => {
  const revoke = async (key: string, total = 1_000_000) =>
    (await sql("select * from credit_take_back(?, 'PAYMENT', ?, ?, now())", org, key, total))[0];

  it('takes its credits, then those of others, and leaves a debt that later credits make up for', async () => {
    await grant('bad', 100);
    await grant('good', 10);
    await spend(60);
    expect(await revoke('bad')).toEqual({ removed: 50, owed: 50 });
    expect(await revoke('bad')).toEqual({ removed: null, owed: null });
    expect(await balance()).toEqual({ available: 0, held: 0, owed: 50 });
    await grant('next', 70);
    expect(await balance()).toEqual({ available: 20, held: 0, owed: 0 });
  });

  it('freezes its credits while it is disputed', async () => {
    await grant('disputed', 100);
    await spend(30);
    expect(await sql("select credit_freeze(?, 'PAYMENT', 'disputed', now()) as n", org)).toEqual([{ n: 70 }]);
    await expect(spend(1)).rejects.toMatchObject({ errorCode: 'insufficient_credits' });
    expect((await ada.request(CREDITS)).body.grants).toMatchObject([{ remaining: 0, frozen: 70 }]);
    expect(await sql("select credit_thaw(?, 'PAYMENT', 'disputed', now()) as n", org)).toEqual([{ n: 70 }]);
    expect(await spend(70)).toBe(0);
  });

  it('takes frozen credits when the dispute is lost', async () => {
    await grant('lost', 100);
    await spend(30);
    await sql("select credit_freeze(?, 'PAYMENT', 'lost', now())", org);
    expect(await revoke('lost')).toEqual({ removed: 70, owed: 30 });
    expect(await balance()).toEqual({ available: 0, held: 0, owed: 30 });
  });

  it('gives back its share for each part that is refunded, and no part twice', async () => {
    await grant('parts', 100);
    await spend(80);
    expect(await revoke('parts', 30)).toEqual({ removed: 20, owed: 10 });
    expect(await revoke('parts', 30)).toEqual({ removed: null, owed: null });
    expect(await revoke('parts', 100)).toEqual({ removed: 0, owed: 70 });
    expect(await balance()).toEqual({ available: 0, held: 0, owed: 80 });
  });

  it('also owes what it gave for a debt, or for another that was taken back', async () => {
    await grant('first', 100);
    await spend(100);
    await revoke('first');
    await grant('second', 100); // all of it makes up for the first
    expect(await revoke('second')).toEqual({ removed: 0, owed: 100 });
    await grant('third', 150);
    await spend(50);
    await grant('fourth', 60);
    expect(await revoke('third')).toEqual({ removed: 60, owed: 90 });
    expect(await revoke('fourth')).toEqual({ removed: 0, owed: 60 });
    expect(await balance()).toEqual({ available: 0, held: 0, owed: 150 }); // what was spent
  });

  it('takes nothing for what has expired', async () => {
    await grant('short', 100, { expiresAt: inDays(1) });
    await spend(10);
    await sql('select credit_expire(?, ?)', org, inDays(2));
    expect(await revoke('short')).toEqual({ removed: 0, owed: 10 });
  });
});

describe('the ledger', () => {
  it('is not read through by many spends at once, however many entries the organization has', async () => {
    const undone = new Error('undone');
    await grant('kept', 1000);
    await app.rows
      .transaction(async (db) => {
        await db.raw("set local session_replication_role = 'replica'");
        await db.raw('set local plan_cache_mode = force_generic_plan'); // as after some calls
        const add = (organization: string, entries: string) =>
          db.raw(`
            insert into credit_ledger (organization_id, id, kind, grant_id, amount, available_after, key, created_at)
            select ${organization}, n + 10, 'SPEND', 1, -1, 1, 'earlier/' || n, now() from generate_series(1, ${entries}) n`);
        // Known to the database are many organizations with an entry each, and not yet the one that has most.
        await add('1000000 + n', '5000');
        await db.raw('analyze credit_ledger');
        await add(String(org), '3000');
        const read = async () => {
          const text =
            "select idx_tup_fetch + seq_tup_read as rows from pg_stat_xact_user_tables where relname = 'credit_ledger'";
          return Number((await db.raw(text)).rows[0].rows);
        };
        const before = await read();
        await db.raw("select credit_take(?, array['one', 'two'], array[1, 1]::bigint[], 'SPEND', now())", [org]);
        expect((await read()) - before).toBeLessThan(10);
        throw undone;
      })
      .catch((error) => {
        if (error !== undone) throw error;
      });
  });

  it('is written by functions of the owner alone, and never changed', async () => {
    await grant('kept', 10);
    for (const table of ['credit_balances', 'credit_grants', 'credit_ledger', 'credit_holds'])
      await expect(app.ports.database.raw(`delete from ${table} where organization_id = ?`, [org])).rejects.toThrow(
        'permission denied',
      );
    await expect(sql('update credit_ledger set amount = 11 where organization_id = ?', org)).rejects.toThrow(
      'append-only',
    );
    await expect(sql('delete from credit_ledger where organization_id = ?', org)).rejects.toThrow('append-only');
    await expect(sql('truncate credit_ledger')).rejects.toThrow('append-only');
  });

  it('rule 5: the database refuses a second entry for a key, kind and grant, and a second grant for a source and key', async () => {
    await grant('once', 10);
    await spend(1);
    const entry = await app.rows('credit_ledger').where({ organizationId: org, kind: 'SPEND' }).first();
    const again = { ...entry, id: Number(entry.id) + 1 };
    await expect(app.rows('credit_ledger').insert(again)).rejects.toThrow('credit_ledger_once');
    const { id: _, ...made } = await app.rows('credit_grants').where({ organizationId: org }).first();
    await expect(app.rows('credit_grants').insert(made)).rejects.toThrow('credit_grants_source_unique');
  });

  it('is compared with what follows from it', async () => {
    await grant('compared', 10);
    const shift = (by: number) =>
      sql('update credit_balances set available = available + ? where organization_id = ?', by, org);
    await shift(1);
    expect(await faults()).toEqual([{ kind: 'CREDIT_BALANCE', organizationId: org, count: 1 }]);
    await shift(-1);
    expect(await faults()).toEqual([]);
  });

  it('balances after any history', async () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const steps: (() => Promise<unknown>)[] = [];
    for (let at = 0; at < 250; at++) {
      const key = `k${random(40)}`;
      const n = 1 + random(30);
      const now = inDays(at / 50);
      const until = random(3) ? 'infinity' : inDays(at / 50 + 1);
      steps.push(
        ...[
          [() => sql("select credit_grant(?, 'PAYMENT', ?, ?, ?, ?, ?)", org, key, n, random(3), until, now)],
          [() => spend(n, { key, at: now }).catch(() => {})],
          [() => spend(n, { key: `x${at}`, by: second, at: now }).catch(() => {})],
          [() => sql('select credit_reserve(?, ?, ?, ?, ?)', org, key, n, inDays(9), now)],
          [() => sql('select credit_settle(?, ?, ?, ?)', org, key, random(20), now)],
          [() => sql('select credit_refund(?, ?, ?)', org, key, now)],
          [() => sql("select credit_take_back(?, 'PAYMENT', ?, ?, ?)", org, key, random(30), now)],
          [() => sql("select credit_freeze(?, 'PAYMENT', ?, ?)", org, key, now)],
          [() => sql("select credit_thaw(?, 'PAYMENT', ?, ?)", org, key, now)],
          [() => sql('select credit_expire(?, ?)', org, now)],
        ][random(10)]!,
      );
    }
    while (steps.length > 0) await Promise.all(steps.splice(0, 5).map((step) => step()));
    expect(await faults()).toEqual([]);
  });
});

describe('a procedure that costs credits', () => {
  const call = (ok: boolean, by = there()) => spendingCost(by, 5, async () => ({ ok }));

  it('spends them, and gives them back if it fails', async () => {
    await grant('cost', 12);
    await call(true);
    expect((await balance()).available).toBe(7);
    await call(false);
    expect((await balance()).available).toBe(7);
    await call(true);
    await expect(call(true)).rejects.toMatchObject({ errorCode: 'insufficient_credits' });
    expect((await balance()).available).toBe(2);
  });

  it('adds one round trip', async () => {
    await grant('trip', 10);
    let statements = 0;
    const count = ({ sql }: { sql: string }) => void (statements += Number(sql.includes('credit_')));
    app.ports.database.client.on('query', count);
    await call(true);
    app.ports.database.client.off('query', count);
    expect(statements).toBe(1);
  });
});
