import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import pg from 'pg';
import { ADVISORY_LOCKS } from './advisory-locks.ts';
import { assertMayMigrate, assertUsable, type DatabaseFacts } from './database/requirements.ts';
import {
  assertOwnsNothing,
  findServingRoles,
  grantServing,
  type ServingRole,
  secureRoutines,
} from './database/serving-role.ts';
import { createDatabase } from './database.ts';
import { parseDatabaseUrl } from './database-url.ts';

export interface Migration {
  up(db: Knex): Promise<unknown>;
  down(db: Knex): Promise<unknown>;
}

export interface MigrationStatus {
  done: string[];
  pending: string[];
}

export interface MigrateOptions {
  say?: (line: string) => void;
  /** The role that gets its grants with each migration, where it is another than the one that migrates. */
  serving?: ServingRole | undefined;
}

/**
 * Runs pending migrations, each in its own transaction. Any number of processes may call this at once. Throws
 * `UnfitDatabaseError` for a database of another encoding or version, a standby, or a user without the right to create.
 */
export async function migrateUp(url: string, dir: string, options: MigrateOptions = {}): Promise<string[]> {
  const { say = () => {}, serving } = options;
  return exclusively(url, serving, async (db, facts) => {
    const { done, pending } = await status(db, dir);
    if (pending.length > 0) assertMayMigrate(facts, pending.length);
    const grant = await granting(db, facts, serving);
    for (const name of pending) {
      say(`migrating ${name}`);
      await db.migrate.forceFreeMigrationsLock();
      await db.migrate.up({ ...config(dir, grant), name });
    }
    // A role that is new to this database. What a newer release has granted is left alone.
    const known = await source(dir).getMigrations([]);
    if (pending.length === 0 && done.every((name) => known.includes(name))) await db.transaction(grant);
    return pending;
  });
}

/** Reverts the newest migration; null where there is none. */
export async function migrateDown(
  url: string,
  dir: string,
  { serving }: Pick<MigrateOptions, 'serving'> = {},
): Promise<string | null> {
  return exclusively(url, serving, async (db, facts) => {
    const newest = (await status(db, dir)).done.at(-1);
    if (!newest) return null;
    if (!(await source(dir).getMigrations([])).includes(newest))
      throw new Error(`${newest} belongs to a newer release: take it back with the program of that release.`);
    assertMayMigrate(facts, 1);
    await db.migrate.forceFreeMigrationsLock();
    await db.migrate.down({ ...config(dir, await granting(db, facts, serving)), name: newest });
    return newest;
  });
}

export async function migrationStatus(url: string, dir: string): Promise<MigrationStatus> {
  return exclusively(url, undefined, (db) => status(db, dir));
}

type Grant = (transaction: Knex) => Promise<void>;

async function granting(db: Knex, { user }: DatabaseFacts, serving: ServingRole | undefined): Promise<Grant> {
  const roles = serving ? await findServingRoles(serving.urls, user) : [];
  for (const role of roles) await assertOwnsNothing(db, role);
  return async (transaction) => {
    await secureRoutines(transaction);
    for (const role of roles) await grantServing(transaction, role, serving!.restricted);
  };
}

async function status(db: Knex, dir: string): Promise<MigrationStatus> {
  const [done, pending] = (await db.migrate.list(config(dir))) as [{ name: string }[], string[]];
  return { done: done.map((row) => row.name), pending };
}

/**
 * Knex guards migrations by a row that a killed process leaves locked. An advisory lock ends with its connection, and
 * its holder may free that row.
 */
async function exclusively<T>(
  url: string,
  serving: ServingRole | undefined,
  work: (db: Knex, facts: DatabaseFacts) => Promise<T>,
): Promise<T> {
  const setting = serving ? 'DATABASE_MIGRATION_URL' : 'DATABASE_URL';
  const guard = new pg.Client({
    ...parseDatabaseUrl(url),
    application_name: 'rentapi migrate',
    connectionTimeoutMillis: 10_000,
  });
  guard.on('error', () => {}); // its loss surfaces in the next query
  await guard.connect().catch((error: Error) => {
    throw new Error(
      `The database at ${guard.host}:${guard.port} refuses the connection (${error.message}): check ${setting}.`,
    );
  });
  const db = createDatabase({
    url,
    poolMin: 0,
    poolMax: 2,
    acquireTimeoutMs: 10_000,
    statementTimeoutMs: 0,
    applicationName: 'rentapi migrate',
  });
  try {
    const facts = await assertUsable(guard);
    await guard.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migrations]);
    return await work(db, facts);
  } finally {
    await db.destroy();
    await guard.end();
  }
}

/**
 * A newer release may have migrated further: during an upgrade, and after a roll back, an older one works all the same.
 */
function config(dir: string, grant?: Grant): Knex.MigratorConfig {
  return { migrationSource: source(dir, grant), disableMigrationsListValidation: true };
}

/**
 * The directory's `0001_name.ts` files, in order of their names. A migration's name is its file's, without extension.
 */
function source(dir: string, grant: Grant = async () => {}): Knex.MigrationSource<string> {
  return {
    getMigrations: async () =>
      (await readdir(dir))
        .filter((file) => /^\d{4}_\w+\.(ts|mjs)$/.test(file))
        .map((file) => path.parse(file).name)
        .sort(),
    getMigrationName: (name) => name,
    getMigration: async (name) => {
      const file = (await readdir(dir)).find((entry) => path.parse(entry).name === name)!;
      const { up, down } = (await import(pathToFileURL(path.join(dir, file)).href)) as Migration;
      // In the migration's own transaction: a table that it makes anew is never without grants.
      const thenGrant = (step: Migration['up']) => async (db: Knex) => {
        await step(db);
        await grant(db);
      };
      return { up: thenGrant(up), down: thenGrant(down) };
    },
  };
}
