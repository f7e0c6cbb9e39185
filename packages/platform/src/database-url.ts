import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

/** Why a database address cannot be used, as a predicate that follows the setting's name. It contains no password. */
export class DatabaseUrlError extends Error {
  override name = 'DatabaseUrlError';
}

const SHAPE =
  'must look like postgres://user:password@host:5432/database, or postgres://user:password@/database?host=/socket/directory';
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * What a database URL means to the driver. It checks the settings, and every connection is made from it, so that no URL
 * is accepted that the driver reads otherwise. Throws `DatabaseUrlError`.
 */
export function parseDatabaseUrl(text: string): pg.ClientConfig {
  const url = URL.parse(text.replace('@/', '@localhost/')); // the URL parser requires a host where there is a user
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) throw new DatabaseUrlError(SHAPE);
  const mode = url.searchParams.get('sslmode');
  if (mode !== null && !SSL_MODES.includes(mode)) {
    throw new DatabaseUrlError(
      'has an sslmode that is not supported: use sslmode=verify-full, or sslmode=disable for a connection without TLS',
    );
  }
  const config = parseWithDriver(text);
  if (config.host?.includes(',')) throw new DatabaseUrlError('must name one host, the primary');
  if (config.port !== undefined && !(config.port >= 1 && config.port <= 65_535)) throw new DatabaseUrlError(SHAPE);
  const database = decoded(url.pathname.slice(1));
  return database ? { ...config, database } : config;
}

function parseWithDriver(text: string): pg.ClientConfig {
  try {
    return parseIntoClientConfig(text);
  } catch (error) {
    const { path } = error as NodeJS.ErrnoException; // a certificate or key that the URL names
    throw new DatabaseUrlError(path ? `names a file that cannot be read: ${path}` : SHAPE);
  }
}

/** The driver leaves `@ / ? #` and others encoded in a database's name; PostgreSQL's own programs decode them. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a connection goes through a Unix socket, which needs no password: the operating system identifies the client.
 */
export function isSocket({ host }: pg.ClientConfig): boolean {
  return host?.startsWith('/') ?? false;
}

/** A database given in parts, as platforms provide it, in a form that `parseDatabaseUrl` reads back exactly. */
export function formatDatabaseUrl(parts: {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}): string {
  const { host, port, user, password, database } = parts;
  const place = new URLSearchParams({ host, port: String(port) });
  return `postgres://${[user, password].map(encodeURIComponent).join(':')}@/${encodeURIComponent(database)}?${place}`;
}
