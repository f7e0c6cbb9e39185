import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { migrateUp } from '@rentapi/platform/migrations';
import { freePort } from '@rentapi/testing/free-port';
import { redisIsMissing, startTestRedis } from '@rentapi/testing/redis';
import pg from 'pg';
import { createAccounts } from '../accounts.ts';
import { type Child, startChild } from '../child.ts';
import { openClient } from '../load.ts';
import { newSecret, SERVER, type Undo, undoAll } from '../stage.ts';
import { type Mailbox, startMailbox } from './mailbox.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { type Interruptions, watchInterruptions } from './resumption.ts';

/** RentAPI as it is deployed: a database, a Redis if there is one here, and two processes of each kind. */
export interface System {
  /** Where it is served at the moment. */
  origins(): string[];
  /** Access tokens of this many users, each in an organization of their own. */
  signUp(people: number): Promise<string[]>;
  /** Sends the events of keys in the organization of each token to the receiver. */
  subscribe(tokens: readonly string[]): Promise<void>;
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  mailbox: Mailbox;
  receiver: Receiver;
  interruptions: Interruptions;
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

/** The database may go away at any moment. */
const QUERY_TIMEOUT_MS = 20_000;
const KILLED_WORKERS = 5;
/** Long enough for jobs to begin, and shorter than the time that a mail may take. */
const HELD_MS = 500;

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

  const mailbox = await startMailbox();
  undo.push(() => mailbox.close());
  const receiver = await startReceiver();
  undo.push(() => receiver.close());

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
    MAILBOX_LIMIT_PER_HOUR: '1000000', // clients repeat what was not answered
    DEFAULT_PLAN: 'ENTERPRISE',
    MAIL_DRIVER: 'smtp',
    MAIL_FROM: 'chaos@example.com',
    SMTP_URL: mailbox.url,
    WEBHOOK_ALLOWED_TARGETS: receiver.target,
  };
  // Without Redis, processes that only serve are refused, so each does everything.
  const roles = redis ? ['api', 'api', 'worker', 'worker'] : ['start', 'start'];
  const children: Child[] = [];
  undo.push(async () => void (await Promise.all(children.map((child) => child.stop()))));
  const begin = (role: string) => startChild({ program: SERVER, args: [role], env });
  for (const role of roles) children.push(await begin(role));

  const query = async <Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> =>
    withClient(postgres.url, async (client) => (await client.query<Row>(sql)).rows);
  const interruptions = watchInterruptions(query);

  const kill = (at: number): Incident => ({
    name: `kill -9 of \`${roles[at]}\` ${at + 1}`,
    async strike() {
      const child = children[at]!;
      if (roles[at] === 'api') return child.kill();
      mailbox.hold(); // jobs are under way when it dies
      await sleep(HELD_MS);
      await child.kill();
      mailbox.release();
      await interruptions.note(child.pid);
    },
    async recover() {
      children[at] = await begin(roles[at]!);
    },
  });
  const restartPostgres: Incident = {
    name: 'restart of PostgreSQL',
    async strike() {
      await postgres.stop();
      postgres = await startEmbeddedPostgres(cluster);
    },
  };
  const workers = roles.flatMap((role, at) => (role === 'api' ? [] : [at]));
  const killed = Array.from({ length: KILLED_WORKERS }, (_, n) => workers[n % workers.length]!);
  const incidents = [...killed.map(kill), ...(redis ? [kill(roles.indexOf('api'))] : []), restartPostgres];
  if (redis) {
    incidents.push({
      name: 'restart of Redis',
      async strike() {
        await redis.kill();
        await redis.start();
      },
    });
  }

  return {
    origins: () => children.filter((_, at) => roles[at] !== 'worker').map(({ origin }) => origin),
    signUp: (people) =>
      withClient(postgres.url, (database) => createAccounts({ database, secrets, issuer }, people, 1)),
    async subscribe(tokens) {
      const client = openClient([children[0]!.origin], 1);
      const body = JSON.stringify({ url: `http://${receiver.target}/`, events: ['api_key.created'] });
      for (const token of tokens) await client.postJson('/api/v1/webhooks', { authorization: `Bearer ${token}` }, body);
      await client.close();
    },
    query,
    mailbox,
    receiver,
    interruptions,
    incidents,
  };
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString,
    application_name: 'rentapi chaos',
    connectionTimeoutMillis: QUERY_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  client.on('error', () => {}); // its query rejects
  try {
    await client.connect();
    return await work(client);
  } finally {
    void client.end().catch(() => {}); // never ends where the server has gone
  }
}
