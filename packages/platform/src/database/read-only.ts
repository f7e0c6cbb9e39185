import type pg from 'pg';

/** SQLSTATE `read_only_sql_transaction`: the session is on a standby, or on a server that accepts no writes. */
export const READ_ONLY = '25006';

/** What pg leaves untyped of its client: the protocol below. */
type Wire = pg.Client & {
  connection: { on(event: 'errorMessage', listener: (message: { code?: string }) => void): void };
};

/** Decides which connections of a pool may be used again after a failover. */
export interface ReadOnlyGuard {
  /** For each connection that is opened. */
  watch(connection: pg.Client): void;
  /** For each connection before it is used again. */
  mayBeUsed(connection: pg.Client): boolean;
}

/** Connections younger than this were opened after the failover was noticed: they may lead to the new primary. */
const YOUNG_MS = 1000;

const guards = new WeakMap<pg.Client, () => void>();

/**
 * After a failover a connection may live on and lead to a server that accepts no writes. At the first statement refused
 * for that reason, the pool drops this connection and all older ones: the next ones find the primary.
 */
export function createReadOnlyGuard(): ReadOnlyGuard {
  const openedAt = new Map<pg.Client, number>();
  const dropped = new WeakSet<pg.Client>();
  return {
    watch(connection) {
      const drop = (): void => {
        dropped.add(connection);
        const before = performance.now() - YOUNG_MS;
        for (const [other, at] of openedAt) if (at < before) dropped.add(other);
      };
      openedAt.set(connection, performance.now());
      guards.set(connection, drop);
      connection.once('end', () => openedAt.delete(connection));
      (connection as Wire).connection.on('errorMessage', ({ code }) => {
        if (code === READ_ONLY) drop();
      });
    },
    mayBeUsed: (connection) => !dropped.has(connection),
  };
}

/** For a connection that was found to be read-only before a statement was refused. */
export function dropReadOnly(connection: pg.Client): void {
  guards.get(connection)?.();
}
