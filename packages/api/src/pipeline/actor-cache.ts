import type { Logger } from '@rentapi/platform/logger';
import type { Notifications, Subscription } from '@rentapi/platform/notifications';
import { S3Fifo } from '@rentapi/platform/s3-fifo';
import type { Context } from '../context.ts';
import type { InvalidationKey } from '../data/model-facts.ts';
import { afterCommit } from '../data/transaction.ts';
import { createWatchers } from './actor-cache-watchers.ts';

/** A query for one row that identifies a caller. */
export interface ActorQuery<Row> {
  /** Identifies the row, and its kind, in the cache. */
  key: string;
  load(): Promise<Row | undefined>;
  /** Changes to these invalidate the row; null where that is unknown, and the row is then not cached. */
  invalidatedBy(row: Row): readonly InvalidationKey[] | null;
}

/**
 * Rows of callers, from memory while they are proven to be less than 900 ms old, else from the database. So a revoked
 * session, a suspended user or a changed role is refused within a second, in every process.
 */
export interface ActorCache {
  read<Row extends object>(query: ActorQuery<Row>): Row | undefined | Promise<Row | undefined>;
  /** Drops what a change of this process made outdated. */
  forget(invalidationKey: InvalidationKey): void;
  /**
   * Calls `check` whenever rows under these keys may have changed, and each second, until the returned function is
   * called.
   */
  watch(invalidationKeys: readonly InvalidationKey[], check: () => Promise<void>): () => void;
  stats(): { hits: number; misses: number; kept: number; reconnects: number };
  close(): void;
}

/**
 * A second, less the time that a check and a timer may take. Measured by the monotonic clock, because a corrected wall
 * clock would prolong it.
 */
export const MAX_STALE_MS = 900;
/** An upper bound whatever the notifications say: a changed column without a trigger is seen by then. */
const MAX_AGE_MS = 5 * 60_000;
const MAX_ENTRIES = 20_000;
/** Beyond it all that is remembered counts as changed. */
const MAX_CHANGED_KEYS = 20_000;

interface Entry {
  row: unknown;
  readAt: number;
  epoch: number;
  /** How many changes there had been when its reading began. */
  changesBefore: number;
  invalidationKeys: readonly InvalidationKey[];
}

interface Load {
  startedAt: number;
  changesBefore: number;
  loadRow: Promise<unknown> | undefined;
}

export function createActorCache({ notifications, log }: { notifications: Notifications; log: Logger }): ActorCache {
  const entries = new S3Fifo<Entry>(MAX_ENTRIES);
  const loads = new Map<string, Load>();
  const changes = createChanges();
  const watchers = createWatchers(log);
  const counts = { hits: 0, misses: 0 };
  let subscription: Subscription | undefined;

  /** Subscribes at the first read, so that a command without a caller opens no connection. */
  function listening() {
    subscription ??= notifications.subscribe({ channels: { actors: drop } });
    return subscription;
  }

  /** An entry is proven by its own reading, or by notifications: everything committed before `provenAt` has arrived. */
  function isProven(entry: Entry, now: number): boolean {
    const { epoch, provenAt } = listening();
    // A LISTEN that began after the row was read proves nothing: a change in between was not notified.
    const knownAt = entry.epoch === epoch ? Math.max(entry.readAt, provenAt) : entry.readAt;
    return now - knownAt < MAX_STALE_MS && now - entry.readAt < MAX_AGE_MS;
  }

  function read<Row extends object>(query: ActorQuery<Row>): Row | undefined | Promise<Row | undefined> {
    const { key } = query;
    const now = performance.now();
    const entry = entries.get(key);
    if (entry && isProven(entry, now) && !changes.include(entry.invalidationKeys, entry.changesBefore)) {
      counts.hits++;
      return entry.row as Row; // the key includes the kind of row
    }
    const running = loads.get(key);
    // Its row may have been read before a change since then: it serves its callers, and new ones do not join.
    if (running?.changesBefore === changes.count && now - running.startedAt < MAX_STALE_MS) {
      return running.loadRow as Promise<Row | undefined>;
    }
    counts.misses++;
    return begin(query, now);
  }

  function begin<Row extends object>(query: ActorQuery<Row>, startedAt: number): Promise<Row | undefined> {
    const { key } = query;
    const { epoch } = listening(); // taken before the row is read
    const load: Load = { startedAt, changesBefore: changes.count, loadRow: undefined };
    loads.set(key, load);
    const answered = answer();
    load.loadRow = answered;
    return answered;

    async function answer(): Promise<Row | undefined> {
      try {
        const row = await query.load();
        const invalidationKeys = row && query.invalidatedBy(row);
        if (invalidationKeys && loads.get(key) === load) {
          entries.set(key, { row, readAt: startedAt, epoch, changesBefore: load.changesBefore, invalidationKeys });
        }
        return row;
      } finally {
        if (loads.get(key) === load) loads.delete(key);
        load.loadRow = undefined;
      }
    }
  }

  function drop(invalidationKey: string): void {
    changes.add(invalidationKey);
    watchers.changed(invalidationKey);
  }

  return {
    read,
    forget: drop,
    watch(invalidationKeys, check) {
      const { isSure } = listening();
      return watchers.add(invalidationKeys, check, isSure);
    },
    stats: () => ({ ...counts, kept: entries.size, reconnects: subscription?.reconnects ?? 0 }),
    close() {
      watchers.close();
      subscription?.unsubscribe();
    },
  };
}

/**
 * Which keys have changed, and in which order. Changes are rare and reads are not: noting the key of each change costs
 * less than an index of all rows by their keys.
 */
function createChanges() {
  const lastChanges = new Map<string, number>();
  let count = 0;
  /** Of changes until then, the keys are no longer known. */
  let forgotten = 0;

  return {
    get count() {
      return count;
    },
    add(invalidationKey: string): void {
      lastChanges.set(invalidationKey, ++count);
      if (lastChanges.size <= MAX_CHANGED_KEYS) return;
      lastChanges.clear();
      forgotten = count;
    },
    /** Whether one of the keys has changed since there were so many changes. */
    include(invalidationKeys: readonly string[], changesBefore: number): boolean {
      if (changesBefore < forgotten) return true;
      return invalidationKeys.some((key) => (lastChanges.get(key) ?? 0) > changesBefore);
    },
  };
}

/** From the cache; inside a transaction from the database, because uncommitted rows are valid only there. */
export function loadCached<Row extends object>(
  ctx: Context,
  query: ActorQuery<Row>,
): Row | undefined | Promise<Row | undefined> {
  return ctx.db.isTransaction ? query.load() : ctx.ports.actors.read(query);
}

/** After the commit this process answers nothing older. Other processes learn of the change by NOTIFY. */
export function forgetAfterCommit(
  { db, ports }: Pick<Context, 'db' | 'ports'>,
  keys: readonly InvalidationKey[],
): void {
  afterCommit(db, () => {
    for (const key of keys) ports.actors.forget(key);
  });
}
