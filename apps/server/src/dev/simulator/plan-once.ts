import type { Knex } from '@rentapi/platform/database';

/** What a statement is sent as: by knex, and by `execute`. */
interface Query {
  text?: unknown;
  name?: unknown;
  values?: unknown;
}

interface Connection {
  query(query: unknown, ...rest: unknown[]): unknown;
}

/** The documented extension point of a knex client that the types leave open. */
interface KnexClient {
  acquireRawConnection(): Promise<Connection>;
}

const PLANNED = /^\s*(?:\/\*.*?\*\/\s*)*(?:select|insert|update|delete|with)\b/is;

/** Gives each statement with values a name, so that a connection plans it once: the same few are sent all the time. */
export function planOnce(database: Knex): void {
  const client = database.client as KnexClient;
  const open = client.acquireRawConnection.bind(client);
  const names = new Map<string, string>();

  function nameOf(text: string): string {
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = `planned_${names.size}`;
    names.set(text, name);
    return name;
  }

  client.acquireRawConnection = async () => {
    const connection = await open();
    const send = connection.query.bind(connection);
    connection.query = (query, ...rest) =>
      send(isUnnamed(query) ? { ...query, name: nameOf(query.text) } : query, ...rest);
    return connection;
  };
}

function isUnnamed(query: unknown): query is Query & { text: string } {
  if (typeof query !== 'object' || query === null) return false;
  const { text, name, values }: Query = query;
  return (
    typeof text === 'string' && name === undefined && Array.isArray(values) && values.length > 0 && PLANNED.test(text)
  );
}
