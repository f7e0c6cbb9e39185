import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { RESTRICTED_TABLES } from '@rentapi/api/data/restricted-tables';
import { migrateUp } from '@rentapi/platform/migrations';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

/** As in production: two plain roles, of which one owns the database. */
const { adminUrl } = inject('postgres');
const suffix = randomBytes(4).toString('hex');
const name = (what: string) => `roles_${what}_${suffix}`;
const PASSWORD = 'of-a-role';
const roles = ['owner', 'serving', 'other'].map(name);
const databases = ['main', 'second'].map(name);
const ownerUrl = urlOf(name('main'), name('owner'));
const servingUrl = urlOf(name('main'), name('serving'));
const serving = { urls: [servingUrl], restricted: RESTRICTED_TABLES };
let admin: pg.Client;
let owner: pg.Client;
let server: pg.Client;

function urlOf(database: string, user?: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (user) Object.assign(url, { username: user, password: PASSWORD });
  return url.href;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

beforeAll(async () => {
  admin = await connect(adminUrl);
  for (const role of roles) await admin.query(`create role ${role} login password '${PASSWORD}'`);
  for (const database of databases) await admin.query(`create database ${database} owner ${name('owner')}`);
  await migrateUp(ownerUrl, MIGRATIONS, { serving });
  owner = await connect(ownerUrl);
  server = await connect(servingUrl);
});
afterAll(async () => {
  await owner.end();
  await server.end();
  for (const database of databases) await admin.query(`drop database ${database} with (force)`);
  for (const role of roles) await admin.query(`drop role ${role}`);
  await admin.end();
});

const PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];

/** What the role may do, by its own grants, PUBLIC's and those of other roles. */
async function privileges(): Promise<{ relation: string; kind: string; may: string[] }[]> {
  const { rows } = await owner.query(
    `select c.relname as relation, c.relkind as kind,
            array(select each from unnest($2::text[]) as each where has_table_privilege($1::name, c.oid, each)) as may
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition order by 1`,
    [name('serving'), PRIVILEGES],
  );
  return rows as { relation: string; kind: string; may: string[] }[];
}

describe('the role that serves (V13.2.2, V16.4.2)', () => {
  it('reads and writes the rows of every table, and of those about the past and the schema only what is listed', async () => {
    const found = await privileges();
    expect(found.length).toBeGreaterThan(20);
    for (const { relation, may } of found) {
      expect([relation, ...may]).toEqual([relation, ...(RESTRICTED_TABLES[relation] ?? PRIVILEGES.slice(0, 4))]);
    }
    expect(found.map(({ relation }) => relation)).toEqual(expect.arrayContaining(Object.keys(RESTRICTED_TABLES)));
  });

  it('uses every sequence that belongs to no identity column, and calls every function, which no other role may', async () => {
    const sequences = await owner.query(
      `select c.relname, has_sequence_privilege($1::name, c.oid, 'usage') as uses from pg_class c
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'S'
         and not exists (select from pg_depend where objid = c.oid and deptype = 'i')`,
      [name('serving')],
    );
    expect(sequences.rows.filter(({ uses }) => !uses)).toEqual([]);
    const functions = await owner.query(
      `select p.proname, has_function_privilege($1::name, p.oid, 'execute') as serving,
              has_function_privilege($2::name, p.oid, 'execute') as other
       from pg_proc p where p.pronamespace = 'public'::regnamespace`,
      [name('serving'), name('other')],
    );
    expect(functions.rows.length).toBeGreaterThan(5);
    expect(functions.rows.filter(({ serving, other }) => !serving || other)).toEqual([]);
  });

  it('calls only functions with rights of the owner that find nothing of the caller', async () => {
    const { rows } = await owner.query<{ name: string; settings: string[] | null }>(
      "select proname as name, proconfig as settings from pg_proc where prosecdef and pronamespace = 'public'::regnamespace",
    );
    expect(rows.map((row) => row.name).sort()).toEqual([
      'check_journal_entry',
      'check_journal_lines',
      'create_day_partition',
      'credit_deduct',
      'credit_expire',
      'credit_freeze',
      'credit_grant',
      'credit_notice',
      'credit_refund',
      'credit_reserve',
      'credit_settle',
      'credit_spend',
      'credit_take',
      'credit_take_back',
      'credit_thaw',
      'drop_day_partition',
      'erase_audit_personal',
      'journal_post',
      'sequence_audit_logs',
    ]);
    for (const { settings } of rows) expect(settings).toContain('search_path=public, pg_temp');
  });

  it.each([
    ['create table mine ()', 'permission denied for schema public'],
    ['create schema mine', 'permission denied for database'],
    ['create function mine() returns int language sql return 1', 'permission denied for schema public'],
    ['alter table users add column mine text', 'must be owner of table users'],
    ['drop table users cascade', 'must be owner of table users'],
    ['create index on users (email)', 'must be owner of table users'],
    ['truncate users cascade', 'permission denied for table'],
    [
      'create trigger mine before insert on users execute function notify_recorded()',
      'permission denied for table users',
    ],
    ['drop trigger append_only on audit_logs', 'must be owner of relation audit_logs'],
    ['alter table audit_logs disable trigger append_only', 'must be owner of table audit_logs'],
    ['drop function refuse_rewrite() cascade', 'must be owner of function refuse_rewrite'],
    ['alter table audit_logs owner to current_user', 'must be owner of table audit_logs'],
    ["update audit_logs set action = 'nothing'", 'permission denied for table audit_logs'],
    ['update audit_logs set ip = null', 'permission denied for table audit_logs'],
    ['delete from audit_logs', 'permission denied for table audit_logs'],
    ['truncate audit_logs', 'permission denied for table audit_logs'],
    ['delete from audit_chains', 'permission denied for table audit_chains'],
    ["update audit_chains set hash = ''", 'permission denied for table audit_chains'],
    ['delete from knex_migrations', 'permission denied for table knex_migrations'],
    ["insert into day_partitioned_tables values ('users', 1)", 'permission denied for table day_partitioned_tables'],
    ["set session_replication_role = 'replica'", 'permission denied to set parameter'],
  ])('is refused: %s', async (statement, refusal) => {
    await expect(server.query(statement)).rejects.toThrow(refusal);
  });

  it('erases the personal part of audit rows through a function, and nothing else', async () => {
    await server.query(
      `insert into audit_logs (action, actor_kind, target_kind, target_id, ip, request_id, created_at)
       select 'thing.' || place, 'system', 'thing', place, '192.0.2.1', 'r', now() from generate_series(1, 2) as place`,
    );
    const rows = async () => (await server.query('select id, action, ip, position from audit_logs order by id')).rows;
    const [first, second] = await rows();
    const erase = async () =>
      (await server.query('select erase_audit_personal($1) as erased', [[first.id]])).rows[0].erased;
    expect(await erase()).toBe('0'); // its digest is made when it gets its position
    expect((await server.query('select sequence_audit_logs(10) as sequenced')).rows).toEqual([{ sequenced: '2' }]);
    expect(await erase()).toBe('1');
    expect(await rows()).toEqual([
      { ...first, ip: null, position: '1' },
      { ...second, position: '2' },
    ]);
  });

  it('makes and drops partitions by table and day, of listed tables only', async () => {
    await owner.query(`
      create table usage (at timestamptz not null, amount integer) partition by range (at);
      insert into day_partitioned_tables values ('usage', 2)`);
    await migrateUp(ownerUrl, MIGRATIONS, { serving });
    const days = (
      await server.query<Record<string, string>>(
        `select day::text, (day - 2)::text as "twoBefore", (day - 3)::text as "threeBefore", (day + 32)::text as late
       from (select (now() at time zone 'UTC')::date) as today (day)`,
      )
    ).rows[0]!;
    const call = (what: string, table: string, day: string) =>
      server.query(`select ${what}_day_partition($1, $2)`, [table, day]);
    await server.query("set timezone = 'Pacific/Auckland'");
    for (const _ of [1, 2]) await call('create', 'usage', days['day']!);
    await call('create', 'usage', days['twoBefore']!);
    await server.query('insert into usage values ($1, 1)', [`${days['day']}T23:59:59.999Z`]);
    await expect(server.query(`delete from usage_${days['day']!.replaceAll('-', '')}`)).rejects.toThrow(
      'permission denied',
    );

    await expect(call('create', 'users', days['day']!)).rejects.toThrow('users is not partitioned by day');
    await expect(call('drop', 'users', days['threeBefore']!)).rejects.toThrow('users is not partitioned by day');
    await expect(call('create', 'usage', days['late']!)).rejects.toThrow('31 days ahead');
    await expect(call('create', 'usage', days['threeBefore']!)).rejects.toThrow('31 days ahead');
    await expect(call('drop', 'usage', days['twoBefore']!)).rejects.toThrow('are kept for 2 days');

    const partitions = async () =>
      (await owner.query("select count(*)::integer as count from pg_inherits where inhparent = 'usage'::regclass"))
        .rows[0].count;
    expect(await partitions()).toBe(2);
    await owner.query("update day_partitioned_tables set keep_days = 1 where name = 'usage'");
    await call('drop', 'usage', days['twoBefore']!);
    expect(await partitions()).toBe(1);
    await owner.query('delete from day_partitioned_tables; drop table usage');
  });

  it('may use what later migrations make, which grant nothing themselves', async () => {
    const later = mkdtempSync(path.join(import.meta.dirname, 'later-')); // its imports are found from here only
    try {
      for (const file of readdirSync(MIGRATIONS)) copyFileSync(path.join(MIGRATIONS, file), path.join(later, file));
      const up = `
        create table things (id bigserial primary key, word text);
        create function count_things() returns bigint language sql security definer as 'select count(*) from things';`;
      writeFileSync(
        path.join(later, '9999_things.mjs'),
        `export const up = (db) => db.raw(${JSON.stringify(up)});
         export const down = (db) => db.raw('drop function count_things; drop table things');`,
      );
      await expect(migrateUp(servingUrl, later)).rejects.toThrow(
        `User ${name('serving')} may not run the 1 pending migration: run "rentapi migrate up" with DATABASE_MIGRATION_URL before, or set it here too.`,
      );
      expect(await migrateUp(ownerUrl, later, { serving })).toEqual(['9999_things']);
      await server.query("insert into things (word) values ('granted')");
      expect((await server.query('select count_things()')).rows).toEqual([{ count_things: '1' }]);
      // The release before starts beside the newer one, and leaves what that has granted.
      await owner.query(`revoke insert on things from ${name('serving')}`);
      expect(await migrateUp(ownerUrl, MIGRATIONS, { serving })).toEqual([]);
      await expect(server.query('insert into things (word) values (null)')).rejects.toThrow('permission denied');
    } finally {
      await owner.query(
        "drop function count_things; drop table things; delete from knex_migrations where name = '9999_things'",
      );
      rmSync(later, { recursive: true });
    }
  });

  it('starts where nothing is pending, without the other role', async () => {
    expect(await migrateUp(servingUrl, MIGRATIONS)).toEqual([]);
  });

  it('loses at the next start what it was granted beyond that', async () => {
    await owner.query(`grant all on all tables in schema public to ${name('serving')}`);
    await owner.query(`grant create on schema public to ${name('serving')}`);
    await migrateUp(ownerUrl, MIGRATIONS, { serving });
    await expect(server.query('delete from audit_logs')).rejects.toThrow('permission denied');
    await expect(server.query('create table mine ()')).rejects.toThrow('permission denied');
  });

  describe('is refused at the start', () => {
    const start = (url: string) => migrateUp(ownerUrl, MIGRATIONS, { serving: { ...serving, urls: [url] } });
    const user = `User ${name('other')} of DATABASE_URL`;
    const other = urlOf(name('main'), name('other'));

    it('where it is the role that migrates', async () => {
      await expect(start(ownerUrl)).rejects.toThrow(
        `User ${name('owner')} of DATABASE_URL is the one of DATABASE_MIGRATION_URL too: name one that owns nothing, or leave that setting out.`,
      );
    });

    it('where it uses another database', async () => {
      await expect(start(urlOf(name('second'), name('other')))).rejects.toThrow('must lead to the same database');
    });

    it.each([
      [
        'is a superuser',
        (role: string) => `alter role ${role} superuser`,
        (role: string) => `alter role ${role} nosuperuser`,
      ],
      [
        'may make roles',
        (role: string) => `alter role ${role} createrole`,
        (role: string) => `alter role ${role} nocreaterole`,
      ],
      [
        `is a member of ${name('owner')}`,
        (role: string) => `grant ${name('owner')} to ${role}`,
        (role: string) => `revoke ${name('owner')} from ${role}`,
      ],
      [
        'may create tables or schemas',
        (role: string) => `grant create on database ${name('main')} to ${role}`,
        (role: string) => `revoke create on database ${name('main')} from ${role}`,
      ],
      [
        'may INSERT, UPDATE, DELETE on knex_migrations through another role',
        (role: string) => `grant pg_write_all_data to ${role}`,
        (role: string) => `revoke pg_write_all_data from ${role}`,
      ],
    ])('where it %s', async (what, give, take) => {
      await admin.query(give(name('other')));
      await expect(start(other)).rejects.toThrow(what);
      await admin.query(take(name('other')));
    });

    it('where it owns tables, as the one role of before does', async () => {
      await owner.query('create table theirs ()');
      const superuser = await connect(urlOf(name('main')));
      await superuser.query(`alter table theirs owner to ${name('other')}`);
      await expect(start(other)).rejects.toThrow(
        `${user} owns tables: run "reassign owned by ${name('other')} to ${name('owner')}" in this database as a superuser.`,
      );
      await superuser.query(`reassign owned by ${name('other')} to ${name('owner')}`);
      await superuser.end();
      await start(other);
      await owner.query('drop table theirs');
    });
  });
});
