import type pg from 'pg';

/** What a database must satisfy before it is used. */
export interface DatabaseFacts {
  version: string;
  versionNumber: number;
  encoding: string;
  readOnly: boolean;
  user: string;
  /** Null where no schema of the search path exists. */
  schema: string | null;
  mayCreate: boolean;
  /** Whether migrations have run here before. */
  migrated: boolean;
}

const FACTS = `
  select current_setting('server_version') as version,
         current_setting('server_version_num')::integer as "versionNumber",
         current_setting('server_encoding') as encoding,
         current_setting('transaction_read_only') = 'on' as "readOnly",
         current_user as user,
         current_schema() as schema,
         coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
         to_regclass('knex_migrations') is not null as migrated`;

/** A database that cannot be used as it is. Its message is a sentence for the operator. */
export class UnfitDatabaseError extends Error {
  override name = 'UnfitDatabaseError';
}

/** Throws `UnfitDatabaseError`: otherwise the first text in another script, or the first write, would fail later. */
export async function assertUsable(client: pg.Client): Promise<DatabaseFacts> {
  const { rows } = await client.query<DatabaseFacts>(FACTS);
  const facts = rows[0]!;
  const fault = findFault(facts);
  if (fault) throw new UnfitDatabaseError(fault);
  if (!facts.migrated) assertMayCreate(facts);
  return facts;
}

export function findFault({ version, versionNumber, encoding, readOnly, user, schema }: DatabaseFacts): string | null {
  if (versionNumber < 150_000) return `The database is PostgreSQL ${version}; RentAPI needs 15 or newer.`;
  if (encoding !== 'UTF8') {
    return `The database is in ${encoding}; RentAPI needs UTF8: create one with encoding 'UTF8' and template template0.`;
  }
  if (readOnly) return 'The database accepts no writes: DATABASE_URL must lead to the primary, not to a standby.';
  if (schema === null)
    return `No schema of the search path of user ${user} exists: create one, or set its search_path.`;
  return null;
}

/** A serving role is granted rows alone: another one migrates. */
export function assertMayMigrate(facts: DatabaseFacts, migrations: number): void {
  if (facts.mayCreate || !facts.migrated) {
    assertMayCreate(facts);
    return;
  }
  throw new UnfitDatabaseError(
    `User ${facts.user} may not run the ${migrations} pending ${migrations === 1 ? 'migration' : 'migrations'}: run "rentapi migrate up" with DATABASE_MIGRATION_URL before, or set it here too.`,
  );
}

/** Migrations create tables. */
function assertMayCreate({ user, schema, mayCreate }: DatabaseFacts): void {
  if (mayCreate) return;
  throw new UnfitDatabaseError(
    `User ${user} may not create tables in schema ${schema}: make it the owner of the database, grant create on schema ${schema} to it, or name a user that may in DATABASE_MIGRATION_URL.`,
  );
}
