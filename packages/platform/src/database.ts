import type { Socket } from 'node:net';
import knexModule, { type Knex } from 'knex';
import { knexSnakeCaseMappers } from 'objection';
import type pg from 'pg';
import { createLane, type Lane } from './database/lane.ts';
import { createReadOnlyGuard, dropReadOnly, READ_ONLY } from './database/read-only.ts';
import { getTypeParser } from './database/type-parsers.ts';
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
  const connection: pg.ClientConfig = {
    ...parseDatabaseUrl(options.url),
    application_name: options.applicationName,
    statement_timeout: options.statementTimeoutMs,
    connectionTimeoutMillis: options.acquireTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: { getTypeParser },
    pipeline: true, // statements that are sent together share a round trip
  };
  const knex = knexModule({
    client: 'pg',
    connection: connection as Knex.PgConnectionConfig,
    pool: {
      min: options.poolMin,
      max: options.poolMax,
      acquireTimeoutMillis: options.acquireTimeoutMs,
      idleTimeoutMillis: IDLE_MS,
      afterCreate(connection: pg.Client, done: (error: unknown, connection: pg.Client) => void) {
        if (options.statementTimeoutMs > 0) dropSilent(connection, options.statementTimeoutMs + SILENCE_MS);
        gatherWrites(connection);
        readOnly.watch(connection);
        done(null, connection);
      },
      validate: readOnly.mayBeUsed,
    },
    acquireConnectionTimeout: options.acquireTimeoutMs,
    ...knexSnakeCaseMappers(),
  });
  const lane = createLane(connection, readOnly);
  const client = knex.client as KnexClient;
  LANES.set(client, lane);
  beginUnanswered(client);
  const destroyPool = client.destroy.bind(client);
  client.destroy = async (...given) => {
    await lane.close();
    await destroyPool(...given);
  };
  return knex;
}

/** The lane beside each pool, by knex's client. */
const LANES = new WeakMap<object, Lane>();

/** Connections without work are kept for that of the next full minute: to open one costs ten statements. */
export const IDLE_MS = 90_000;

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

/** What is sent in one turn of the event loop leaves in one write, which costs more than most statements. */
function gatherWrites(connection: pg.Client): void {
  const { stream } = (connection as Wire).connection;
  const { write } = stream;
  let isGathering = false;
  Object.assign(stream, {
    write(...given: unknown[]): boolean {
      if (!isGathering) {
        isGathering = true;
        stream.cork();
        process.nextTick(() => {
          isGathering = false;
          stream.uncork();
        });
      }
      return Reflect.apply(write, stream, given);
    },
  });
}

/** Transactions do not wait for the answer to BEGIN: it leaves with their first statement. */
function beginUnanswered(client: KnexClient): void {
  const create = client.transaction;
  // Migrations begin theirs by copies of the client.
  client.transaction = function (this: KnexClient, ...given) {
    const created = create.apply(this, given);
    const begin = created.begin.bind(created);
    created.begin = async (connection) => void begin(connection); // where it fails, knex rejects the transaction
    return created;
  };
}

/** A statement written in SQL: one on every request's path, or one that no query builder can express. */
export interface Statement {
  text: string;
  /**
   * Postgres parses and plans a named statement once per connection. A statement on a table that is mostly empty has no
   * name: the plan for the empty table would be kept when it is full, and take quadratic time.
   */
  name?: string;
  /**
   * Whether it reads at most one row, by an index, and changes nothing: it then shares one connection with others like
   * it, and may run twice.
   */
  short?: boolean;
}

/** Runs a statement on `db` (a pool or a transaction). Columns are named as in the statement. */
export function execute<Row>(db: Knex, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
  const { name, text, short } = statement;
  const lane = short && name !== undefined && !db.isTransaction ? LANES.get(db.client) : undefined;
  if (!lane || name === undefined) return executeOnPool(db, statement, values);
  return new Promise((resolve) => {
    const askPool = () => resolve(executeOnPool(db, statement, values));
    const onRows = (rows: unknown[]) => resolve(rows as Row[]); // the statement says what they are
    if (!lane.send({ name, text }, values, onRows, askPool)) askPool();
  });
}

/**
 * A connection of the pool, or that of the transaction. After its end that one may be another's: what goes on at the
 * same time as something that has failed must not write there.
 */
async function acquire(db: Knex): Promise<{ client: KnexClient; connection: pg.Client }> {
  const client = db.client as KnexClient;
  const connection = await client.acquireConnection();
  if (db.isTransaction && (db as Knex.Transaction).isCompleted()) throw new Error('the transaction has ended');
  return { client, connection };
}

async function executeOnPool<Row>(db: Knex, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
  const { client, connection } = await acquire(db);
  try {
    return takeRows(await connection.query<Row & pg.QueryResultRow>(queryOf(client, statement, values)));
  } finally {
    await client.releaseConnection(connection);
  }
}

/**
 * The results of queries that follow one another hold one another for V8, dead or not, until it collects the old
 * generation. Without this, all rows of a long read would wait there for it.
 */
function takeRows<Row>(result: { rows: Row[] }): Row[] {
  const { rows } = result;
  result.rows = [];
  return rows;
}

/**
 * Runs a named statement in a transaction of its own that plans it by indexes, whatever its tables hold by then: it is
 * planned once per connection, also where a table is mostly empty. All is one round trip.
 */
export async function executeByIndex<Row>(
  db: Knex,
  statement: Statement & { name: string },
  values: readonly unknown[],
): Promise<Row[]> {
  const client = db.client as KnexClient;
  const connection = await client.acquireConnection();
  try {
    const query = queryOf(client, statement, values);
    const begun = connection.query(BEGIN_BY_INDEX);
    const answer = connection.query<Row & pg.QueryResultRow>(query);
    const ended = connection.query('commit'); // after a failure it is a rollback
    const [, answered, committed] = await Promise.allSettled([begun, answer, ended]);
    if (answered.status === 'rejected') throw answered.reason;
    if (committed.status === 'rejected') throw committed.reason;
    return takeRows(answered.value);
  } finally {
    await client.releaseConnection(connection);
  }
}

const BEGIN_BY_INDEX = `begin; set local enable_seqscan = off; set local enable_bitmapscan = off;
  set local plan_cache_mode = force_generic_plan`;

/** Whether the lane beside this pool has its connection. */
export const hasLane = (db: Knex): boolean => LANES.get(db.client)?.isOpen ?? false;

/** Listeners to the queries of a pool hear of these, too. */
function queryOf(client: KnexClient, statement: Statement, values: readonly unknown[]): pg.QueryConfig {
  client.emit('query', { sql: statement.text, bindings: values });
  const { name, text } = statement;
  return { name, text, values: values as unknown[] };
}

/** Rows as arrays, with the names of their columns: for rows that become something else than plain objects. */
export async function executeRows(db: Knex, statement: Statement, values: readonly unknown[]): Promise<RowArrays> {
  const { client, connection } = await acquire(db);
  try {
    const query = queryOf(client, statement, values);
    const result = await connection.query<unknown[]>({ ...query, rowMode: 'array' });
    return { columns: result.fields.map(({ name }) => name), rows: takeRows(result) };
  } finally {
    await client.releaseConnection(connection);
  }
}

export interface RowArrays {
  columns: string[];
  rows: unknown[][];
}

export type Call = readonly [statement: Statement, values: readonly unknown[]];

/**
 * Runs statements of a transaction one after the other in one round trip, and returns the rows of each. Each sees what
 * was committed before it began. After one that fails the rest are refused, as in every transaction.
 */
export async function executeTogether<Rows extends unknown[]>(
  db: Knex,
  calls: { readonly [At in keyof Rows]: Call },
): Promise<{ [At in keyof Rows]: Rows[At][] }> {
  const { answers } = await sendTogether(db, calls);
  return (await answers) as { [At in keyof Rows]: Rows[At][] }; // one answer for each call
}

/** The same, without waiting for the answers: what is sent next, also the commit, runs after them. */
export async function sendTogether(db: Knex, calls: readonly Call[]): Promise<{ answers: Promise<unknown[][]> }> {
  if (!db.isTransaction) throw new Error('statements that belong together need a transaction');
  const { client, connection } = await acquire(db);
  const queries = calls.map(([statement, values]) => queryOf(client, statement, values));
  const answers = Promise.all(queries.map(async (query) => takeRows(await connection.query<object>(query))));
  answers.catch(() => {}); // it may fail before it is awaited
  return { answers };
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

/** The documented extension points of a knex client that the types leave open. */
interface KnexClient {
  destroy(...given: unknown[]): Promise<void>;
  transaction(...given: unknown[]): { begin(connection: pg.Client): Promise<unknown> };
  emit(event: 'query', query: { sql: string; bindings: readonly unknown[] }): void;
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
const DIVISION_BY_ZERO = '22012';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const ABORTED = '25P02';

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

/** True where an earlier statement of the transaction has failed. */
export const isAborted = (error: unknown): boolean => nativeError(error)?.code === ABORTED;

/** How a statement refuses by itself what it finds: it divides by the count of the rows that it needs. */
export function isDivisionByZero(error: unknown): boolean {
  return nativeError(error)?.code === DIVISION_BY_ZERO;
}

/** The SQLSTATE of a refused statement; undefined where the failure is not the statement's. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = nativeError(error)?.code;
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
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
