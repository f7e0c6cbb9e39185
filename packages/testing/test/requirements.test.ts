import { randomBytes } from 'node:crypto';
import { type DatabaseFacts, findFault, UnfitDatabaseError } from '@rentapi/platform/database/requirements';
import { migrateUp } from '@rentapi/platform/migrations';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

const suffix = randomBytes(4).toString('hex');
const name = (what: string) => `unfit_${what}_${suffix}`;
const { adminUrl } = inject('postgres');
let admin: pg.Client;

beforeAll(async () => {
  admin = new pg.Client(adminUrl);
  await admin.connect();
});
afterAll(async () => {
  for (const what of ['latin', 'standby', 'rights']) await admin.query(`drop database if exists ${name(what)}`);
  await admin.query(`drop role if exists ${name('guest')}`);
  await admin.end();
});

/** The address of a database on the same server. */
function urlOf(database: string, login?: { user: string; password: string }): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (login) Object.assign(url, { username: login.user, password: login.password });
  return url.href;
}

/** Without migrations: the database itself is refused. */
const migrate = (url: string) => migrateUp(url, import.meta.dirname);

describe('a database is refused before it is migrated', () => {
  it('in another encoding than UTF8', async () => {
    await admin.query(`create database ${name('latin')} template template0 encoding 'LATIN1' locale 'C'`);
    await expect(migrate(urlOf(name('latin')))).rejects.toThrow(
      /^The database is in LATIN1; RentAPI needs UTF8: create one with encoding 'UTF8' and template template0\.$/,
    );
  });

  it('where it takes no writes', async () => {
    await admin.query(`create database ${name('standby')}`);
    await admin.query(`alter database ${name('standby')} set default_transaction_read_only = on`);
    await expect(migrate(urlOf(name('standby')))).rejects.toThrow(/^The database accepts no writes: .*the primary/);
  });

  it('where the user may not create tables, until it is granted', async () => {
    const guest = { user: name('guest'), password: 'guest' };
    await admin.query(`create database ${name('rights')}`);
    await admin.query(`create role ${guest.user} login password '${guest.password}'`);
    const url = urlOf(name('rights'), guest);
    const refusal = await migrate(url).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UnfitDatabaseError);
    expect((refusal as Error).message).toBe(
      `User ${guest.user} may not create tables in schema public: make it the owner of the database, grant create on schema public to it, or name a user that may in DATABASE_MIGRATION_URL.`,
    );
    await admin.query(`alter database ${name('rights')} owner to ${guest.user}`);
    expect(await migrate(url)).toEqual([]);
  });

  it('of another version than 15 or newer', () => {
    const good: DatabaseFacts = {
      version: '15.0',
      versionNumber: 150_000,
      encoding: 'UTF8',
      readOnly: false,
      user: 'u',
      schema: 'public',
      mayCreate: true,
      migrated: false,
    };
    expect(findFault(good)).toBeNull();
    expect(findFault({ ...good, version: '14.13', versionNumber: 140_013 })).toBe(
      'The database is PostgreSQL 14.13; RentAPI needs 15 or newer.',
    );
    expect(findFault({ ...good, schema: null })).toMatch(/^No schema of the search path of user u exists/);
  });
});
