import pg from 'pg';
import { parseDatabaseUrl } from '../database-url.ts';

/** One connection, for what lasts as long as it does: an advisory lock. */
export type Session = pg.Client;

const CONNECT_TIMEOUT_MS = 5000;
const KEEP_ALIVE_MS = 10_000;

/**
 * `silentMs` is how long either side may be silent. The client then gives up the server, and the server ends the
 * session, so that a dead process does not keep a lock.
 */
export function createSession(options: { url: string; applicationName: string; silentMs: number }): Session {
  const { url, applicationName, silentMs } = options;
  return new pg.Client({
    ...parseDatabaseUrl(url),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    query_timeout: silentMs,
    options: `-c statement_timeout=${silentMs} -c idle_session_timeout=${silentMs}`,
  });
}
