import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { migrateUp } from '@rentapi/platform/migrations';
import { freePort } from '@rentapi/testing/free-port';
import { startTestRedis } from '@rentapi/testing/redis';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type Child, startChild } from './child.ts';

/** The basis of every bench: an empty migrated database of its own, and servers on it. */
export interface Stage {
  database: pg.Client;
  databaseUrl: string;
  secrets: { SECRET_KEY: string; ID_SECRET: string; PASSWORD_PEPPER: string };
  issuer: string;
  /** Redis for the servers started with it; it starts on first use, and empty. */
  redisUrl(): Promise<string>;
  /** The handler by hand: on bare `node:http`, or behind Express 5. */
  startFloor(form: 'http' | 'express', env?: Settings): Promise<Child>;
  /** Another program by hand: the URL of its file. */
  startProgram(file: string, env?: Settings): Promise<Child>;
  /** `role` is a command of the program: `start`, `api`, `worker`. */
  startServer(role?: string, env?: Settings): Promise<Child>;
  /** Stops it at the end. */
  own(starting: Promise<Child>): Promise<Child>;
  /** Statements that Postgres has run since it started. */
  countStatements(): Promise<number>;
  /** Commands that our Redis has run, including those of scripts; zero without Redis. */
  countCommands(): Promise<number>;
  /** Stops the database as a crash does (`stop -m immediate`), and starts it again at the same address. */
  restartDatabase(): Promise<void>;
  close(): Promise<void>;
}

type Settings = Record<string, string>;

export const SERVER = fileURLToPath(import.meta.resolve('../apps/server/src/main.ts'));
const FLOOR = fileURLToPath(import.meta.resolve('./floor.ts'));

export async function openStage(): Promise<Stage> {
  const undo: Undo[] = [];
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= undoAll(undo));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)));
  }
  try {
    // Named like test clusters: the next test run removes what a killed bench left.
    const directory = mkdtempSync(path.join(tmpdir(), `rentapi-test-${process.pid}-bench-`));
    chmodSync(directory, 0o755); // under root the server runs as another user, who must be able to enter
    undo.push(async () => rmSync(directory, { recursive: true, force: true }));
    const port = String(await freePort());
    const settings = { port, shared_preload_libraries: 'pg_stat_statements', fsync: 'off', max_connections: '300' };
    const cluster = { dataDir: directory, settings };
    let postgres = await startEmbeddedPostgres(cluster);
    undo.push(() => postgres.stop());
    await migrateUp(postgres.url, MIGRATIONS);
    const connect = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: postgres.url, application_name: 'rentapi bench' });
      client.on('error', () => {}); // the next query reports it
      await client.connect();
      return client;
    };
    const database = await connect();
    await database.query('create extension pg_stat_statements');

    const secrets = { SECRET_KEY: newSecret(), ID_SECRET: newSecret(), PASSWORD_PEPPER: newSecret() };
    const issuer = 'http://127.0.0.1';
    const env = {
      ...secrets,
      NODE_ENV: 'production',
      DATABASE_URL: postgres.url,
      DATA_DIR: directory,
      PUBLIC_URL: issuer,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
      SEED_DEMO: 'false',
      RATE_LIMIT_PER_MINUTE: '1000000',
      AUTH_RATE_LIMIT_PER_MINUTE: '1000000',
      DEFAULT_PLAN: 'ENTERPRISE',
    };
    let redis: { url: string; client: Redis } | undefined;
    const own = async (starting: Promise<Child>): Promise<Child> => {
      const child = await starting;
      undo.push(() => child.stop());
      return child;
    };
    const begin = (program: string, args: string[], settings: Settings = {}): Promise<Child> =>
      own(startChild({ program, args, env: { ...env, ...settings } }));
    const stage: Stage = {
      database,
      databaseUrl: postgres.url,
      secrets,
      issuer,
      async redisUrl() {
        if (!redis) {
          const server = await startTestRedis();
          undo.push(() => server.stop());
          const client = new Redis(server.url);
          undo.push(async () => client.disconnect());
          redis = { url: server.url, client };
        }
        return redis.url;
      },
      own,
      startFloor: (form, settings) => begin(FLOOR, [form], settings),
      startProgram: (file, settings) => begin(fileURLToPath(file), [], settings),
      startServer: (role = 'start', settings) => begin(SERVER, [role], settings),
      async countStatements() {
        const { rows } = await stage.database.query<{ calls: number }>(COUNT_STATEMENTS);
        return rows[0]!.calls;
      },
      async countCommands() {
        const stats = await redis?.client.info('stats');
        return Number(/total_commands_processed:(\d+)/.exec(stats ?? '')?.[1] ?? 0);
      },
      async restartDatabase() {
        process.kill(postgres.pid, 'SIGQUIT');
        await postgres.stop();
        postgres = await startEmbeddedPostgres(cluster);
        stage.database = await connect();
      },
      close,
    };
    undo.push(() => stage.database.end());
    return stage;
  } catch (error) {
    await close();
    throw error;
  }
}

const COUNT_STATEMENTS = `
  select coalesce(sum(calls), 0)::float8 as calls from pg_stat_statements where query not like '%pg_stat_statements%'`;

export const newSecret = (): string => randomBytes(32).toString('base64');

export type Undo = () => Promise<void>;

/** The newest first; a failing one does not keep the others running. */
export async function undoAll(undo: Undo[]): Promise<void> {
  for (const each of undo.reverse()) {
    try {
      await each();
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
    }
  }
}
