import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ADVISORY_LOCKS } from '../advisory-locks.ts';
import type { Address } from './postmaster.ts';

interface Login extends Address {
  password: string;
  label: string;
}

/** Another running RentAPI uses this data directory. The message names it. */
export class DataDirInUseError extends Error {
  override name = 'DataDirInUseError';
}

const WRONG_PASSWORD = '28P01';

/** Undefined while the server is starting, stopping or gone. */
export async function connect({ host, port, password, label }: Login): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    host,
    port,
    user: 'rentapi',
    password,
    database: 'postgres',
    application_name: label,
    connectionTimeoutMillis: 2000,
  });
  client.on('error', () => {}); // a lost connection is reported by its 'end'
  try {
    await client.connect();
    return client;
  } catch (error) {
    if ((error as pg.DatabaseError).code === WRONG_PASSWORD) {
      throw new Error(
        "The embedded database's password was changed: put the new one into pg/rentapi.password in DATA_DIR.",
        { cause: error },
      );
    }
    return undefined;
  }
}

/**
 * Makes this process the only user of the cluster, by a session lock on a connection that stays open. It vanishes with
 * the process, however that dies, so there is no stale lock file. Throws `DataDirInUseError` where another process has
 * it.
 */
export async function takeGuard(client: pg.Client, login: Login & { dataDir: string }): Promise<{ expectEnd(): void }> {
  // A holder that was just killed may not be noticed yet: try a few times.
  for (let attempt = 0; !(await tryLock(client)); attempt++) {
    if (attempt === 5) {
      const holder = await describeHolder(client);
      await client.end();
      throw new DataDirInUseError(
        `${login.dataDir} is already used by a running RentAPI${holder}. Stop it, or set another DATA_DIR.`,
      );
    }
    await sleep(100);
  }
  let ending = false;
  // One crashing backend makes Postgres drop every connection, ours too: take the lock again.
  const watch = (held: pg.Client) =>
    held.once('end', async () => {
      while (!ending) {
        const next = await connect(login).catch(() => undefined);
        if (next && (await tryLock(next).catch(() => false))) return watch(next);
        await next?.end().catch(() => {});
        await sleep(1000, undefined, { ref: false });
      }
    });
  watch(client);
  return {
    expectEnd() {
      ending = true;
    },
  };
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
    ADVISORY_LOCKS.embeddedServer,
  ]);
  return rows[0]?.locked === true;
}

/** ` (pid 123, http://localhost:8000)`, from the application name that the holder gave its connection. */
async function describeHolder(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE locktype = 'advisory' AND objid = $1 AND granted`,
    [ADVISORY_LOCKS.embeddedServer],
  );
  const [, pid, port] = /^rentapi (\d+)(?: http (\d+))?/.exec(rows[0]?.name ?? '') ?? [];
  if (!pid) return '';
  return port ? ` (pid ${pid}, http://localhost:${port})` : ` (pid ${pid})`;
}
