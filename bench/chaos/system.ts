import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { createCaptureMailer, type Mailbox } from '@rentapi/platform/mail';
import { migrateUp } from '@rentapi/platform/migrations';
import { redisIsMissing, startTestRedis } from '@rentapi/testing/redis';
import pg from 'pg';
import { createAccounts } from '../accounts.ts';
import { type Child, startChild } from '../child.ts';
import { newSecret, SERVER, type Undo, undoAll } from '../stage.ts';

/** RentAPI as it is deployed: a database, a Redis if there is one here, and two processes of each kind. */
export interface System {
  /** Where it is served at the moment. */
  origins(): string[];
  /** Access tokens of this many users, each in an organization of their own. */
  signUp(people: number): Promise<string[]>;
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  mailbox: Mailbox;
  incidents: Incident[];
  close(): Promise<void>;
}

interface Incident {
  name: string;
  /** Resolves when the incident is over: the part is back, or the process is dead. */
  strike(): Promise<void>;
  /** Restarts it, as a supervisor would. */
  recover?(): Promise<void>;
}

export async function startSystem(): Promise<System> {
  const undo: Undo[] = [];
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= undoAll(undo));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)));
  }
  try {
    return { ...(await start(undo)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(undo: Undo[]): Promise<Omit<System, 'close'>> {
  // Named like test clusters: the next test run removes what a killed run left.
  const directory = mkdtempSync(path.join(tmpdir(), `rentapi-test-${process.pid}-chaos-`));
  chmodSync(directory, 0o755); // under root the database runs as another user, who must be able to enter
  undo.push(async () => rmSync(directory, { recursive: true, force: true }));

  // Written through to the disk as in production, and on the same port after a restart.
  const cluster = { dataDir: directory, settings: { port: String(await freePort()), max_connections: '300' } };
  let postgres = await startEmbeddedPostgres(cluster);
  undo.push(() => postgres.stop());
  await migrateUp(postgres.url, MIGRATIONS);
  const redis = redisIsMissing() ? undefined : await startTestRedis();
  if (redis) undo.push(() => redis.stop());

  const secrets = { SECRET_KEY: newSecret(), ID_SECRET: newSecret(), PASSWORD_PEPPER: newSecret() };
  const issuer = 'http://127.0.0.1';
  const env = {
    ...secrets,
    NODE_ENV: 'production',
    DATABASE_URL: postgres.url,
    ...(redis && { REDIS_URL: redis.url }),
    DATA_DIR: directory,
    PUBLIC_URL: issuer,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'silent',
    BCRYPT_COST: '10',
    RATE_LIMIT_PER_MINUTE: '1000000',
    AUTH_RATE_LIMIT_PER_MINUTE: '1000000',
    DEFAULT_PLAN: 'ENTERPRISE',
  };
  // Without Redis, processes that only serve are refused, so each does everything.
  const roles = redis ? ['api', 'api', 'worker', 'worker'] : ['start', 'start'];
  const children: Child[] = [];
  undo.push(async () => void (await Promise.all(children.map((child) => child.stop()))));
  const begin = (role: string) => startChild({ program: SERVER, args: [role], env });
  for (const role of roles) children.push(await begin(role));

  const kill = (role: string): Incident => {
    const at = roles.indexOf(role);
    return {
      name: `kill -9 of one of two \`${role}\``,
      strike: () => children[at]!.kill(),
      async recover() {
        children[at] = await begin(role);
      },
    };
  };
  const restartPostgres: Incident = {
    name: 'restart of PostgreSQL',
    async strike() {
      await postgres.stop();
      postgres = await startEmbeddedPostgres(cluster);
    },
  };
  const incidents = [...[...new Set(roles)].toReversed().map(kill), restartPostgres];
  if (redis) {
    incidents.push({
      name: 'restart of Redis',
      async strike() {
        await redis.kill();
        await redis.start();
      },
    });
  }

  const query = async <Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> =>
    withClient(postgres.url, async (client) => (await client.query<Row>(sql)).rows);
  return {
    origins: () => children.filter((_, at) => roles[at] !== 'worker').map(({ origin }) => origin),
    signUp: (people) =>
      withClient(postgres.url, (database) => createAccounts({ database, secrets, issuer }, people, 1)),
    query,
    mailbox: createCaptureMailer(path.join(directory, 'mail'), () => new Date()),
    incidents,
  };
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, application_name: 'rentapi chaos' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
