import pg from 'pg';
import { ADVISORY_LOCKS } from '../advisory-locks.ts';
import type { Knex } from '../database.ts';
import { parseDatabaseUrl } from '../database-url.ts';
import { UnfitDatabaseError } from './requirements.ts';

export type TablePrivilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

/** The role under which processes serve. It owns nothing: what it may do is granted after each migration. */
export interface ServingRole {
  /** Its connections: pooled, and direct. */
  urls: readonly string[];
  /** The tables on which it may do less than read and write rows. */
  restricted: Readonly<Record<string, readonly TablePrivilege[]>>;
}

const READ_AND_WRITE: readonly TablePrivilege[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
const LOOKED_FOR: readonly string[] = [...READ_AND_WRITE, 'TRUNCATE', 'REFERENCES', 'TRIGGER'];

/**
 * The names of the roles behind the connections. Call it while the lock of migrations is held: who can take it is in
 * another database.
 */
export async function findServingRoles(urls: readonly string[], migrator: string): Promise<string[]> {
  const names = new Set<string>();
  for (const url of new Set(urls)) {
    const client = new pg.Client({
      ...parseDatabaseUrl(url),
      application_name: 'rentapi migrate',
      connectionTimeoutMillis: 10_000,
    });
    client.on('error', () => {}); // its loss surfaces in the next query
    await client.connect().catch((error: Error) => {
      throw new Error(
        `The database at ${client.host}:${client.port} refuses the connection (${error.message}): check DATABASE_URL.`,
      );
    });
    try {
      const { rows } = await client.query<{ name: string; elsewhere: boolean }>(
        'select current_user as name, pg_try_advisory_xact_lock($1) as elsewhere',
        [ADVISORY_LOCKS.migrations],
      );
      const { name, elsewhere } = rows[0]!;
      if (elsewhere)
        throw new UnfitDatabaseError('DATABASE_URL and DATABASE_MIGRATION_URL must lead to the same database.');
      if (name === migrator) {
        refuse(name, 'is the one of DATABASE_MIGRATION_URL too: name one that owns nothing, or leave that setting out');
      }
      names.add(name);
    } finally {
      await client.end();
    }
  }
  return [...names];
}

/** What a role has by itself, no grant can take away: such a role protects nothing. */
export async function assertOwnsNothing(db: Knex, role: string): Promise<void> {
  const { rows } = await db.raw<{ rows: { powerful: boolean; member: boolean; owns: boolean; migrator: string }[] }>(
    `select r.rolsuper or r.rolcreaterole or r.rolreplication as powerful,
            pg_has_role(r.oid, current_user, 'member') as member,
            exists (select from pg_class where relnamespace = ${SCHEMA} and relowner = r.oid)
              or exists (select from pg_proc where pronamespace = ${SCHEMA} and proowner = r.oid) as owns,
            current_user::text as migrator
     from pg_roles r where r.rolname = ?`,
    [role],
  );
  const { powerful, member, owns, migrator } = rows[0]!;
  if (powerful)
    refuse(role, 'is a superuser, or may make roles or replicate: with DATABASE_MIGRATION_URL, name one that may not');
  if (member) refuse(role, `is a member of ${migrator}, which migrates: revoke that`);
  if (owns) refuse(role, `owns tables: run "reassign owned by ${role} to ${migrator}" in this database as a superuser`);
}

/**
 * Gives the role what serving needs on every table, sequence and function in the schema, and takes everything else
 * away. What fits is left alone. Throws `UnfitDatabaseError` where the role may do more all the same.
 */
export async function grantServing(db: Knex, role: string, restricted: ServingRole['restricted']): Promise<void> {
  const grantee = pg.escapeIdentifier(role);
  await grantSchema(db, role, grantee);
  for (const { label, granted } of await routines(db, role)) {
    if (!granted) await db.raw(`grant execute on routine ${label} to ${grantee}`);
  }
  for (const relation of await relations(db, role)) {
    const wanted = privilegesOn(relation, restricted);
    if (isSame(relation.granted, wanted)) continue;
    const target = `${relation.kind === 'S' ? 'sequence' : 'table'} ${relation.label}`;
    await db.raw(`revoke all on ${target} from ${grantee}`);
    if (wanted.length > 0) await db.raw(`grant ${wanted.join(', ')} on ${target} to ${grantee}`);
  }
  await assertNothingMore(db, role, restricted);
}

/**
 * PostgreSQL lets every role call a new function, those with rights of the owner too; and these would find a caller's
 * own tables and operators first.
 */
export async function secureRoutines(db: Knex): Promise<void> {
  for (const { label, open, pinned, path } of await routines(db, '')) {
    if (open) await db.raw(`revoke all on routine ${label} from public`);
    if (!pinned) await db.raw(`alter routine ${label} set search_path = ${path}`);
  }
}

const SCHEMA = 'current_schema()::regnamespace';

function refuse(role: string, why: string): never {
  throw new UnfitDatabaseError(`User ${role} of DATABASE_URL ${why}.`);
}

interface Relation {
  name: string;
  /** Quoted, with its schema where needed. */
  label: string;
  kind: string;
  partition: boolean;
  identity: boolean;
  granted: string[];
  /** Through PUBLIC and other roles too. */
  effective: string[];
}

/** A partition is reached through its table, and the sequence of an identity column through its column. */
function privilegesOn(relation: Relation, restricted: ServingRole['restricted']): readonly string[] {
  if (relation.partition || relation.identity) return [];
  if (relation.kind === 'S') return ['USAGE'];
  if (relation.kind === 'm') return ['SELECT'];
  return (Object.hasOwn(restricted, relation.name) && restricted[relation.name]) || READ_AND_WRITE;
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((each) => others.includes(each));

async function grantSchema(db: Knex, role: string, grantee: string): Promise<void> {
  const { rows } = await db.raw<{ rows: { label: string; used: boolean; open: boolean }[] }>(
    `select quote_ident(n.nspname) as label, has_schema_privilege(r.oid, n.oid, 'usage') as used,
            has_schema_privilege(r.oid, n.oid, 'create') and pg_has_role(n.nspowner, 'usage') as open
     from pg_namespace n, pg_roles r where n.oid = ${SCHEMA} and r.rolname = ?`,
    [role],
  );
  const { label, used, open } = rows[0]!;
  if (!used) await db.raw(`grant usage on schema ${label} to ${grantee}`);
  if (open) await db.raw(`revoke create on schema ${label} from public, ${grantee}`);
}

/** What this user may grant, without the members of extensions. */
const ours = (catalog: string, id: string, owner: string): string =>
  `pg_has_role(${owner}, 'usage') and not exists (
     select from pg_depend where classid = '${catalog}'::regclass and objid = ${id} and deptype = 'e')`;

async function relations(db: Knex, role: string): Promise<Relation[]> {
  const { rows } = await db.raw<{ rows: Relation[] }>(
    `select c.relname::text as name, c.oid::regclass::text as label, c.relkind::text as kind, c.relispartition as partition,
            c.relkind = 'S' and exists (
              select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'i') as identity,
            array(select distinct privilege_type from aclexplode(c.relacl) where grantee = r.oid) as granted,
            array(select each from unnest(string_to_array(?, ' ')) as each
                  where c.relkind <> 'S' and has_table_privilege(r.oid, c.oid, each)) as effective
     from pg_class c, pg_roles r
     where c.relnamespace = ${SCHEMA} and c.relkind in ('r', 'p', 'v', 'm', 'S') and r.rolname = ?
       and ${ours('pg_class', 'c.oid', 'c.relowner')}
     order by c.oid`,
    [LOOKED_FOR.join(' '), role],
  );
  return rows;
}

interface Routine {
  label: string;
  open: boolean;
  granted: boolean;
  /** Whether it has no rights of the owner, or has `path` as its search path. */
  pinned: boolean;
  path: string;
}

async function routines(db: Knex, role: string): Promise<Routine[]> {
  const path = `quote_ident(current_schema()) || ', pg_temp'`;
  const { rows } = await db.raw<{ rows: Routine[] }>(
    `select p.oid::regprocedure::text as label, ${path} as path,
            not p.prosecdef or coalesce('search_path=' || ${path} = any (p.proconfig), false) as pinned,
            exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) where grantee = 0) as open,
            exists (select from aclexplode(p.proacl) join pg_roles on oid = grantee where rolname = ?) as granted
     from pg_proc p
     where p.pronamespace = ${SCHEMA} and ${ours('pg_proc', 'p.oid', 'p.proowner')}
     order by p.oid`,
    [role],
  );
  return rows;
}

async function assertNothingMore(db: Knex, role: string, restricted: ServingRole['restricted']): Promise<void> {
  const { rows } = await db.raw<{ rows: { creates: boolean; schema: string }[] }>(
    `select has_schema_privilege(r.oid, ${SCHEMA}, 'create')
              or has_database_privilege(r.oid, current_database(), 'create') as creates,
            current_schema()::text as schema
     from pg_roles r where r.rolname = ?`,
    [role],
  );
  const { creates, schema } = rows[0]!;
  if (creates)
    refuse(role, `may create tables or schemas: revoke create on schema ${schema} and on the database from it`);
  for (const relation of await relations(db, role)) {
    const wanted = privilegesOn(relation, restricted);
    const more = relation.effective.filter((each) => !wanted.includes(each));
    if (more.length > 0)
      refuse(role, `may ${more.join(', ')} on ${relation.name} through another role or PUBLIC: revoke that`);
  }
}
