import { rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { operationsOf, shapeOf } from '@rentapi/api/transports/rest-routes';
import type { Knex } from '@rentapi/platform/database';
import { openDatabase } from '@rentapi/testing/database';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Knex;
let indexes: Index[];

interface Index {
  table: string;
  columns: string[];
}

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
  database = openDatabase(clone.ownerUrl);
  indexes = await query(`
    select i.indrelid::regclass::text as "table",
           array(select coalesce(a.attname::text, 'an expression') from unnest(i.indkey::smallint[]) with ordinality k (attnum, at)
                 left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by at) as columns
    from pg_index i join pg_class c on c.oid = i.indrelid
    where c.relnamespace = 'public'::regnamespace
      -- A partial index serves a foreign key only where it leaves out nothing but nulls.
      and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')`);
});
afterAll(async () => {
  await database.destroy();
  await clone.drop();
});

async function query<Row>(sql: string): Promise<Row[]> {
  const { rows } = await database.raw<{ rows: Row[] }>(sql);
  return rows;
}

/** Whether an index begins with these columns, in this order. */
const isIndexed = (table: string, columns: readonly string[]): boolean =>
  beginnings(table, columns.length).some((found) => found.join() === columns.join());

/** The same in any order: a foreign key compares all of its columns. */
const isCovered = (table: string, columns: readonly string[]): boolean =>
  beginnings(table, columns.length).some((found) => found.sort().join() === [...columns].sort().join());

const beginnings = (table: string, length: number): string[][] =>
  indexes.filter((index) => index.table === table).map(({ columns }) => columns.slice(0, length));

it('has an index for every foreign key', async () => {
  const keys = await query<Index & { name: string }>(`
    select conname as name, conrelid::regclass::text as "table",
           array(select a.attname::text from unnest(conkey) k (attnum)
                 join pg_attribute a on a.attrelid = conrelid and a.attnum = k.attnum) as columns
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`);
  expect(keys.map(({ name }) => name)).toContain('audit_logs_event_id_fkey');
  const missing = keys.filter(({ table, columns }) => !isCovered(table, columns));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

/** For each filter of each list: the columns that it compares; or why it needs no index. */
const FILTERS: Record<string, Record<string, { table: string; columns: string[] } | { bounded: string }>> = {
  'apiKeys.list': { externalId: { table: 'api_keys', columns: ['organization_id', 'external_id', 'id'] } },
  'auth.passkeys.list': {},
  'admin.coupons.list': {},
  'admin.billing.findings': { state: { table: 'billing_findings', columns: ['state', 'id'] } },
  'billing.credits.history': {},
  'billing.invoices.list': { status: { table: 'invoices', columns: ['organization_id', 'status', 'id'] } },
  'billing.paymentMethods.list': {},
  'billing.payments.list': {},
  'orgs.list': { deleted: { bounded: 'by the memberships of the caller' } },
  'orgs.search': { query: { bounded: 'by the memberships of the caller' } },
  'orgs.members.list': {},
  'orgs.invitations.list': {
    status: { table: 'organization_invitations', columns: ['organization_id', 'status', 'id'] },
  },
  'orgs.auditLogs': auditFilters(),
  'orgs.chat.list': {},
  'orgs.exportAuditLogs': auditFilters(),
  'admin.jobs.list': {
    queue: { table: 'agenda_jobs', columns: ['name', 'number'] },
    name: { table: 'agenda_jobs', columns: ['name', 'number'] },
    status: { bounded: 'each status has a table or an index of its own' },
  },
  'roles.list': {},
  'webhooks.list': {},
  'webhooks.deliveries.list': {
    status: { table: 'webhook_deliveries_settled', columns: ['organization_id', 'webhook_id', 'status', 'id'] },
    eventType: { table: 'webhook_deliveries_settled', columns: ['organization_id', 'webhook_id', 'event_type', 'id'] },
    since: { table: 'webhook_deliveries_settled', columns: ['organization_id', 'webhook_id', 'created_at'] },
    until: { table: 'webhook_deliveries_settled', columns: ['organization_id', 'webhook_id', 'created_at'] },
  },
  'users.list': {
    search: { table: 'users', columns: ['email_key'] },
    role: { bounded: 'by the members of the organization' },
    status: { table: 'users', columns: ['status', 'id'] },
    platformRole: { table: 'users', columns: ['role', 'id'] },
    sort: { table: 'users', columns: ['email_key'] },
  },
  'usage.meters.list': {},
  'users.me.activity': {},
  'sessions.list': {},
};

function auditFilters() {
  const by = (...columns: string[]) => ({ table: 'audit_logs', columns: ['organization_id', ...columns, 'position'] });
  return {
    actorId: by('actor_kind', 'actor_id'),
    action: by('action'),
    targetId: by('target_kind', 'target_id'),
    from: by('created_at'),
    to: by('created_at'),
  };
}

/** Answers that consist of rows: lists and lines. */
const lists = operationsOf(appRouter, rawRoutes).filter(
  ({ inputs, raw }) =>
    raw?.answer.type === 'application/x-ndjson' || inputs.some((input) => 'cursor' in shapeOf(input)),
);

it('knows every list, and every filter of each', () => {
  const offered = lists.map(({ name, inputs, meta }) => {
    const inPath = [...meta.openapi.path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param);
    const fields = inputs.flatMap((input) => Object.keys(shapeOf(input)));
    return [name, fields.filter((field) => ![...inPath, 'limit', 'cursor'].includes(field)).sort()];
  });
  const known = Object.entries(FILTERS).map(([name, filters]) => [name, Object.keys(filters).sort()]);
  expect(Object.fromEntries(offered)).toEqual(Object.fromEntries(known));
});

it.each(Object.entries(FILTERS))('has an index for each filter of %s', (_, filters) => {
  const missing = Object.entries(filters).filter(([, by]) => 'table' in by && !isIndexed(by.table, by.columns));
  expect(missing).toEqual([]);
});
