import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { isAlive } from '@rentapi/platform/process-alive';
import pg from 'pg';

/** A server with one migrated database from which every test gets a clone. */
export interface TestPostgres {
  adminUrl: string;
  templateName: string;
  /** The role that serves: it owns nothing, so that row-level security applies to it, unlike to a superuser. */
  serving: Login;
  stop(): Promise<void>;
}

interface Login {
  name: string;
  password: string;
}

export interface StartTestPostgresOptions {
  /** Migrates the empty template and closes its connections: a template in use cannot be cloned. */
  migrate: (ownerUrl: string, servingUrl: string) => Promise<void>;
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
  const serving = { name: servingRoleOf(server.templateName), password: randomBytes(16).toString('hex') };
  try {
    const template = databaseUrl(server.url, server.templateName);
    await admin(server.url, `CREATE DATABASE ${server.templateName}`);
    await admin(server.url, `CREATE ROLE ${serving.name} LOGIN PASSWORD '${serving.password}'`);
    await options.migrate(template, as(serving, template));
    // With connections refused, even to autovacuum, no clone can find the template busy.
    await admin(server.url, `ALTER DATABASE ${server.templateName} ALLOW_CONNECTIONS false`);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { adminUrl: server.url, templateName: server.templateName, serving, stop: server.stop };
}

/** A migrated database for one test, in a few dozen milliseconds. */
export async function cloneDatabase(from: Pick<TestPostgres, 'adminUrl' | 'templateName' | 'serving'>) {
  const name = `${from.templateName}_${randomBytes(6).toString('hex')}`;
  await admin(from.adminUrl, `CREATE DATABASE ${name} TEMPLATE ${from.templateName}`);
  const ownerUrl = databaseUrl(from.adminUrl, name);
  return {
    /** For the product, and for reading its rows: as the role that serves. */
    url: as(from.serving, ownerUrl),
    /** For changing tables or triggers. */
    ownerUrl,
    /** Cuts remaining connections. */
    drop: () => admin(from.adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function openServer(serverUrl: string | undefined) {
  if (serverUrl) {
    // A server that is not ours: use a unique name, and leave nothing behind.
    const templateName = `template_rentapi_${randomBytes(4).toString('hex')}`;
    return { url: serverUrl, templateName, stop: () => dropAll(serverUrl, templateName) };
  }
  await removeAbandoned();
  const dataDir = mkdtempSync(path.join(tmpdir(), `rentapi-test-${process.pid}-`));
  chmodSync(dataDir, 0o755); // under root the server runs as another user, who must be able to enter
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

/** Leftovers of a killed test run: its server still runs and its directory exists. */
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
      // Another user's, or another run is removing it: leave it alone.
    }
  }
}

const servingRoleOf = (templateName: string): string => `${templateName}_serving`;

async function dropAll(adminUrl: string, templateName: string): Promise<void> {
  const rows = await admin(adminUrl, `SELECT datname FROM pg_database WHERE datname LIKE '${templateName}%'`);
  for (const { datname } of rows) await admin(adminUrl, `DROP DATABASE IF EXISTS ${String(datname)} WITH (FORCE)`);
  await admin(adminUrl, `DROP ROLE IF EXISTS ${servingRoleOf(templateName)}`);
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

function as({ name, password }: Login, databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.username = name;
  url.password = password;
  return url.href;
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}
