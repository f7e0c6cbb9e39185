import type { Knex } from '@rentapi/platform/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { systemContext } from '../../context.ts';
import { purgeOrganizations } from './jobs.ts';
import { PURGED_TABLES } from './service/purge.ts';

const DAY_MS = 86_400_000;

/** Tables of an organization whose rows stay, and why. */
const KEPT: Record<string, string> = {
  audit_chains: 'the ends of the chains of the audit log',
  audit_logs: 'what was done, and by whom, stays provable; only personal parts are erased',
  billing_faults: 'found in what stays',
  credit_balances: 'follows from the ledger',
  credit_grants: 'the ledger refers to them',
  credit_holds: 'the ledger refers to them',
  credit_ledger: 'append-only: what was paid for and spent stays provable',
  journal_entries: 'append-only: what was paid stays provable',
  journal_lines: 'part of the entries',
  invoices: 'kept as tax law demands',
  invoice_lines: 'belong to invoices',
  credit_purchases: 'what was bought stays provable',
  disputes: 'belong to payments',
  events: 'emptied; the audit log refers to them',
  payments: 'the books refer to them',
  refunds: 'belong to payments',
};

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const purge = (signal = new AbortController().signal) =>
  purgeOrganizations.run(systemContext(app.ports, 'purge'), { at: new Date() }, { ...runControl(), signal });

async function make(): Promise<number> {
  const owner = await app.signUp();
  const { body } = await owner.request('/api/v1/organizations', {
    method: 'POST',
    body: { name: 'Acme', metadata: { of: 'Acme' } },
  });
  const id = app.ports.ids.decode('org', body.id);
  await eventually(async () => {
    const unplaced = await app.rows('events').where({ organizationId: id, position: null }).first('id');
    return unplaced ? undefined : true;
  }, 'the places of its events');
  return id;
}

const deletedFor = (id: number, ms: number) =>
  app
    .rows('organizations')
    .where({ id })
    .update({ deletedAt: new Date(Date.now() - ms) });

/** What a column accepts that has no default. */
const VALUES: Record<string, unknown> = {
  ARRAY: '{}',
  boolean: true,
  bytea: 'x',
  date: new Date(),
  jsonb: '{}',
  text: 'x',
  'timestamp with time zone': new Date(),
};
/** What a text may be is of no interest here. */
const WITHOUT_CHECKS = `
  do $$
  declare
    of_check record;
  begin
    for of_check in select conrelid::regclass as rows_of, conname from pg_constraint
      where contype = 'c' and coninhcount = 0 and connamespace = 'public'::regnamespace and conrelid <> 0
    loop
      execute format('alter table %s drop constraint %I', of_check.rows_of, of_check.conname);
    end loop;
  end $$`;

interface Column {
  table: string;
  column: string;
  type: string;
  required: boolean;
}

async function columnsOf(tables: readonly string[]): Promise<Column[]> {
  const { rows } = await app.rows.raw<{ rows: Column[] }>(
    `select table_name as "table", column_name as "column", data_type as type,
            is_nullable = 'NO' and column_default is null as required
     from information_schema.columns where table_schema = 'public' and table_name = any(?)`,
    [[...tables]],
  );
  return rows;
}

/** A row in each of these tables, which refer to each other as rows of one organization do. */
async function fill(organizationId: number, tables: readonly string[]): Promise<void> {
  const columns = await columnsOf(tables);
  await app.rows.transaction(async (db: Knex) => {
    await db.raw("set local session_replication_role = 'replica'"); // users and events need not exist
    await db.raw(WITHOUT_CHECKS);
    for (const table of tables) {
      const row = columns
        .filter(
          (each) => each.table === table && (each.required || /_id$/.test(each.column)) && each.column !== 'parent_id',
        )
        .map(({ column, type }) => [
          column,
          (type === 'uuid' ? db.raw('gen_random_uuid()') : /^(text|bytea)$/.test(type) ? `x${organizationId}` : null) ??
            VALUES[type] ??
            organizationId,
        ]);
      const [names, values] = [row.map(([name]) => name), row.map(([, value]) => value)];
      await db.raw(
        `insert into ?? (${names.map(() => '??').join(', ')}) overriding system value
         values (${names.map(() => '?').join(', ')})`,
        [table, ...names, ...values] as string[],
      );
    }
  });
}

async function counts(organizationId: number, tables: readonly string[]): Promise<Record<string, number>> {
  const found = tables.map(async (table) => {
    const [{ count } = { count: 0 }] = await app.rows(table).where({ organizationId }).count('* as count');
    return [table, Number(count)] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

const none = Object.fromEntries(PURGED_TABLES.map((table) => [table, 0]));

describe('an organization that can no longer be restored', () => {
  it('leaves an empty row, empty events and its whole audit log, with an entry for the purge', async () => {
    const id = await make();
    const logged = await app.rows('audit_logs').where({ organizationId: id }).orderBy('id');
    await deletedFor(id, 31 * DAY_MS);
    await purge();
    expect(await app.rows('organizations').where({ id }).first()).toMatchObject({
      name: 'Erased',
      slug: null,
      subdomain: null,
      metadata: {},
      purgedAt: expect.any(Date),
    });
    const [last, ...events] = await app.rows('events').where({ organizationId: id }).orderBy('id', 'desc');
    expect(last).toMatchObject({ type: 'organization.purged', data: { id: app.ports.ids.encode('org', id) } });
    expect(events.length).toBeGreaterThan(0);
    expect(events.filter(({ data }) => Object.keys(data).length > 0)).toEqual([]);
    const entries = await app.rows('audit_logs').where({ organizationId: id }).orderBy('id');
    expect(entries.map(({ action }) => action)).toEqual([...logged.map(({ action }) => action), 'organization.purged']);
    expect(entries.slice(0, -1).map(({ after }) => after)).toEqual(logged.map(({ after }) => after));
    await purge();
    expect(await app.rows('audit_logs').where({ organizationId: id })).toHaveLength(entries.length);
  });

  it('is purged by the next run where one was stopped', async () => {
    const id = await make();
    await deletedFor(id, 31 * DAY_MS);
    await purge(AbortSignal.abort());
    expect(await app.rows('organizations').where({ id }).first()).toMatchObject({ name: 'Acme', purgedAt: null });
    await purge();
    expect(await counts(id, PURGED_TABLES)).toEqual(none);
  });
});

it.each([
  ['that is not deleted', null],
  ['that was deleted 29 days ago', 29 * DAY_MS],
  ['that another machine may restore for a moment', 30 * DAY_MS],
])('keeps an organization %s', async (_, deletedForMs) => {
  const id = await make();
  if (deletedForMs !== null) await deletedFor(id, deletedForMs);
  await purge();
  expect(await app.rows('organizations').where({ id }).first()).toMatchObject({ name: 'Acme', purgedAt: null });
  expect(await counts(id, ['organization_members'])).toEqual({ organization_members: 1 });
});

it('knows every table of an organization, and those of files', async () => {
  const { rows } = await app.rows.raw<{ rows: { table: string; hasFiles: boolean }[] }>(
    `select relname as "table", exists (
       select from pg_attribute where attrelid = pg_class.oid and attname = 'storage_key') as "hasFiles"
     from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
       and exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'organization_id' and not attisdropped)`,
  );
  expect(rows.map(({ table }) => table).sort()).toEqual([...PURGED_TABLES, ...Object.keys(KEPT)].sort());
  // Deleting a row would leave its file behind.
  expect(rows.filter(({ hasFiles }) => hasFiles)).toEqual([]);
});

it('deletes the rows of every table, and none of another organization', async () => {
  const [gone, kept] = [await make(), await make()];
  await app.work.stop(); // workers would change rows that are made up
  const tables = PURGED_TABLES.filter((table) => table !== 'organization_members'); // each has its owner
  for (const id of [gone, kept]) await fill(id, tables);
  await app.rows.raw(
    `insert into usage_transactions
     select (jsonb_populate_record(row, jsonb_build_object('transaction_id', 'more ' || n))).*
     from usage_transactions row, generate_series(1, 5001) n where organization_id = ?`,
    [gone],
  );
  const before = await counts(kept, PURGED_TABLES);
  expect(Object.entries(before).filter(([, count]) => count === 0)).toEqual([]);
  await deletedFor(gone, 31 * DAY_MS);
  await purge();
  expect(await counts(gone, PURGED_TABLES)).toEqual(none);
  expect(await counts(kept, PURGED_TABLES)).toEqual(before);
});
