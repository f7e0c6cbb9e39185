import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import pg from 'pg';

/** A server with one migrated database from which every test gets a clone. */
export interface TestPostgres {
  adminUrl: string;
  templateName: string;
  stop(): Promise<void>;
}

export interface StartTestPostgresOptions {
  /** Brings the empty template up to date, and closes its connections: a template in use cannot be cloned. */
  migrate: (databaseUrl: string) => Promise<void>;
  /** A running server to use instead of starting one, as its superuser (TEST_DATABASE_URL). */
  serverUrl?: string | undefined;
}

const DIRECTORY = /^rentapi-test-(\d+)-/;

// A test database is thrown away, so nothing has to survive a crash.
const FAST_AND_LOOSE = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
};

/** For Vitest's global setup: once per run. */
export async function startTestPostgres(options: StartTestPostgresOptions): Promise<TestPostgres> {
  const server = await openServer(options.serverUrl ?? process.env.TEST_DATABASE_URL);
  try {
    await admin(server.url, `CREATE DATABASE ${server.templateName}`);
    await options.migrate(databaseUrl(server.url, server.templateName));
    // With nobody let in, not even autovacuum, no clone can find the template busy.
    await admin(server.url, `ALTER DATABASE ${server.templateName} ALLOW_CONNECTIONS false`);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { adminUrl: server.url, templateName: server.templateName, stop: server.stop };
}

/** A database of one's own, migrated, in a few dozen milliseconds. */
export async function cloneDatabase(from: Pick<TestPostgres, 'adminUrl' | 'templateName'>) {
  const name = `${from.templateName}_${randomBytes(6).toString('hex')}`;
  await admin(from.adminUrl, `CREATE DATABASE ${name} TEMPLATE ${from.templateName}`);
  return {
    url: databaseUrl(from.adminUrl, name),
    /** Cuts whatever is still connected. */
    drop: () => admin(from.adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function openServer(serverUrl: string | undefined) {
  if (serverUrl) {
    // Somebody else's server: a name of our own, and leave nothing behind.
    const templateName = `template_rentapi_${randomBytes(4).toString('hex')}`;
    return { url: serverUrl, templateName, stop: () => dropAll(serverUrl, templateName) };
  }
  await removeAbandoned();
  const dataDir = mkdtempSync(path.join(tmpdir(), `rentapi-test-${process.pid}-`));
  chmodSync(dataDir, 0o755); // as root the server runs as another user, who must be able to enter
  const server = await startEmbeddedPostgres({ dataDir, settings: FAST_AND_LOOSE });
  return {
    url: server.url,
    templateName: 'template_rentapi',
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** What a killed test run left: its server still runs and its directory is there. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const maker = DIRECTORY.exec(name)?.[1];
    if (!maker || isAlive(Number(maker))) continue;
    const dataDir = path.join(tmpdir(), name);
    try {
      if (existsSync(path.join(dataDir, 'pg', 'postmaster.pid')))
        await (await startEmbeddedPostgres({ dataDir })).stop();
      rmSync(dataDir, { recursive: true, force: true });
    } catch {
      // Another user's, or another run is removing it: not ours to mend.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}

async function dropAll(adminUrl: string, templateName: string): Promise<void> {
  const rows = await admin(adminUrl, `SELECT datname FROM pg_database WHERE datname LIKE '${templateName}%'`);
  for (const { datname } of rows) await admin(adminUrl, `DROP DATABASE IF EXISTS ${String(datname)} WITH (FORCE)`);
}

async function admin(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}
