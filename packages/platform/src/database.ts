import type { Socket } from 'node:net';
import knexModule, { type Knex } from 'knex';
import { knexSnakeCaseMappers } from 'objection';
import pg from 'pg';
import { createReadOnlyGuard, dropReadOnly, READ_ONLY } from './database/read-only.ts';
import { parseDatabaseUrl } from './database-url.ts';

export type { Knex } from 'knex';

export interface DatabaseOptions {
  url: string;
  poolMin: number;
  poolMax: number;
  acquireTimeoutMs: number;
  statementTimeoutMs: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
}

/**
 * A pool of Postgres connections. Columns are snake_case there and camelCase here. A dead connection (Postgres
 * restarted, network gone) is dropped from the pool, and the next query opens another: the process lives on.
 */
export function createDatabase(options: DatabaseOptions): Knex {
  const readOnly = createReadOnlyGuard();
  return knexModule({
    client: 'pg',
    connection: {
      ...parseDatabaseUrl(options.url),
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs,
      connectionTimeoutMillis: options.acquireTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: { getTypeParser },
    } as Knex.PgConnectionConfig,
    pool: {
      min: options.poolMin,
      max: options.poolMax,
      acquireTimeoutMillis: options.acquireTimeoutMs,
      afterCreate(connection: pg.Client, done: (error: unknown, connection: pg.Client) => void) {
        if (options.statementTimeoutMs > 0) dropSilent(connection, options.statementTimeoutMs + SILENCE_MS);
        readOnly.watch(connection);
        done(null, connection);
      },
      validate: readOnly.mayBeUsed,
    },
    acquireConnectionTimeout: options.acquireTimeoutMs,
    ...knexSnakeCaseMappers(),
  });
}

/** How long an idle connection may be silent before TCP probes the peer. */
const KEEP_ALIVE_MS = 10_000;
const SILENCE_MS = 5000;

/** What pg leaves untyped of its client: whether the last statement was answered, and the socket below. */
type Wire = pg.Client & { readyForQuery: boolean; connection: { stream: Socket } };

/**
 * Ends a connection whose server is silent although it would have cancelled the statement by now. TCP needs a quarter
 * of an hour to notice a peer that is cut off or stopped, and never does if a device in between still acknowledges.
 */
function dropSilent(connection: pg.Client, silentMs: number): void {
  const wire = connection as Wire;
  const { stream } = wire.connection;
  stream.setTimeout(silentMs);
  stream.on('timeout', () => {
    if (wire.readyForQuery) return; // no statement is running
    stream.destroy(new Error(`Connection terminated: the database was silent for ${silentMs} ms`));
  });
}

const INT8 = 20;

// node-postgres returns bigint as text, because 2^53 and above do not fit a number. Ours are row ids, which do.
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 && format !== 'binary' ? parseInt8 : pg.types.getTypeParser(oid, format as 'text');

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a JavaScript number`);
  return value;
}

/** A statement written in SQL: one on every request's path, or one that no query builder can express. */
export interface Statement {
  text: string;
  /**
   * Postgres parses and plans a named statement once per connection. A statement on a table that is mostly empty has no
   * name: the plan for the empty table would be kept when it is full, and take quadratic time.
   */
  name?: string;
}

/** Runs a statement on `db` (a pool or a transaction). Columns are named as in the statement. */
export async function execute<Row>(db: Knex, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
  const client = db.client as KnexClient;
  const connection = await client.acquireConnection();
  try {
    return (await connection.query<Row & pg.QueryResultRow>({ ...statement, values: values as unknown[] })).rows;
  } finally {
    await client.releaseConnection(connection);
  }
}

const SERVER_STATE: Statement = {
  name: 'server_state',
  text: `select current_setting('server_version') as version, current_setting('transaction_read_only') = 'on' as "readOnly"`,
};

/**
 * What the server reports about itself. `readOnly` is a standby, or a primary that accepts no writes: its connections
 * are dropped, so that the next query finds the server that has taken over.
 */
export async function probeServer(db: Knex): Promise<{ version: string; readOnly: boolean }> {
  const client = db.client as KnexClient;
  const connection = await client.acquireConnection();
  try {
    const { rows } = await connection.query<{ version: string; readOnly: boolean }>(SERVER_STATE);
    if (rows[0]!.readOnly) dropReadOnly(connection);
    return rows[0]!;
  } finally {
    await client.releaseConnection(connection);
  }
}

/** The two documented extension points of a knex client that the types leave open. */
interface KnexClient {
  acquireConnection(): Promise<pg.Client>;
  releaseConnection(connection: pg.Client): Promise<void>;
}

/** True when the failure is the database's state, not the statement's fault: worth a 503 and a retry. */
export function isUnavailable(error: unknown): boolean {
  const native = nativeError(error);
  if (!native) return false;
  const { code, message } = native;
  // Class 08: connection exception. Class 53: out of disk, memory or connections. 57P01–57P05: shutting down, crashed,
  // starting, dropped, idle for too long. 25006: a server that accepts no writes, because another one is the primary
  // now.
  if (code !== undefined && (/^08|^53|^57P0[1-5]$/.test(code) || code === READ_ONLY || SOCKET_ERRORS.has(code)))
    return true;
  return /Connection terminated|Connection ended|Client was closed|is not queryable|timeout exceeded when trying to connect|Timeout acquiring a connection|Unable to acquire a connection/.test(
    message,
  );
}

const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'EAI_AGAIN',
]);

const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';

/** The name of the unique constraint that refused a row; undefined for every other failure. */
export function violatedConstraint(error: unknown): string | undefined {
  const native = nativeError(error);
  return native?.code === UNIQUE_VIOLATION ? native.constraint : undefined;
}

/** True where Postgres aborted the transaction to resolve a conflict: repeating all of it may succeed. */
export function isConflict(error: unknown): boolean {
  const code = nativeError(error)?.code;
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

interface NativeError extends Error {
  /** A SQLSTATE, or the operating system's name of a socket error. */
  code?: string;
  constraint?: string;
}

/** The driver's own error, inside the wrapping of Objection (`nativeError`) and tRPC (`cause`). */
function nativeError(error: unknown): NativeError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { nativeError: wrapped, cause } = error as { nativeError?: unknown; cause?: unknown };
  return nativeError(wrapped) ?? nativeError(cause) ?? (error as NativeError);
}
