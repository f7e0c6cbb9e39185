import type { Logger } from '@rentapi/platform/logger';
import type { Notifications, Subscription } from '@rentapi/platform/notifications';
import type { Context } from '../context.ts';
import type { InvalidationKey } from '../data/model-facts.ts';
import { afterCommit } from '../data/transaction.ts';
import { createWatchers } from './actor-cache-watchers.ts';

/** One row that says who a caller is. */
export interface ActorQuery<Row> {
  /** Names the row, and its kind, among all. */
  key: string;
  load(): Promise<Row | undefined>;
  /** Whose changes change this row; null where that cannot be said, and then it is not kept. */
  invalidatedBy(row: Row): InvalidationKey[] | null;
}

/**
 * Who callers are, from memory while that is proven to be less than 900 ms old, and else from the database: so a revoked
 * session, a suspended user or a changed role is refused within a second, in every process.
 */
export interface ActorCache {
  read<Row extends object>(question: ActorQuery<Row>): Row | undefined | Promise<Row | undefined>;
  /** This process has changed it: nothing older is answered from here on. */
  forget(invalidationKey: InvalidationKey): void;
  /** Calls `look` whenever what was read about the invalidationKeys may have changed, and each second, until the returned function is called. */
  watch(invalidationKeys: readonly InvalidationKey[], look: () => Promise<void>): () => void;
  stats(): { hits: number; misses: number; kept: number; reconnects: number };
  close(): void;
}

/** The clocks of the promise: a second, less what a check and a timer may take. Monotonic, or a corrected wall clock would prolong it. */
export const MAX_STALE_MS = 900;
/** Whatever the notifications say: a column that no trigger tells of is seen by then. */
const MAX_AGE_MS = 5 * 60_000;
const MAX_ENTRIES = 20_000;

interface Entry {
  row: unknown;
  readAt: number;
  epoch: number;
  invalidationKeys: InvalidationKey[];
}

interface Load {
  startedAt: number;
  answer: Promise<unknown>;
  /** What has changed since: the row may have been read before. */
  changed: Set<string>;
}

export function createActorCache({ notifications, log }: { notifications: Notifications; log: Logger }): ActorCache {
  const entries = new Map<string, Entry>();
  const keysOf = new Map<string, Set<string>>();
  const loads = new Map<string, Load>();
  const watchers = createWatchers(log);
  const counts = { hits: 0, misses: 0 };
  let subscription: Subscription | undefined;

  /** At the first question: a command that asks none opens no connection. */
  function listening() {
    subscription ??= notifications.subscribe({ channels: { actors: drop } });
    return subscription;
  }

  /** By its own reading, or because everything that was committed before a later moment has arrived since. */
  function isProven(entry: Entry, now: number): boolean {
    const { epoch, provenAt } = listening();
    // A LISTEN that began after the row was read proves nothing of it: a change in between was not notified.
    const knownAt = entry.epoch === epoch ? Math.max(entry.readAt, provenAt) : entry.readAt;
    return now - knownAt < MAX_STALE_MS && now - entry.readAt < MAX_AGE_MS;
  }

  function read<Row extends object>(question: ActorQuery<Row>): Row | undefined | Promise<Row | undefined> {
    const { key } = question;
    const now = performance.now();
    const entry = entries.get(key);
    if (entry && isProven(entry, now)) {
      counts.hits++;
      return entry.row as Row; // the key names the kind of row
    }
    const running = loads.get(key);
    if (running?.changed.size === 0 && now - running.startedAt < MAX_STALE_MS) {
      return running.answer as Promise<Row | undefined>;
    }
    counts.misses++;
    return begin(question, now);
  }

  function begin<Row extends object>(question: ActorQuery<Row>, startedAt: number): Promise<Row | undefined> {
    const { key } = question;
    const { epoch } = listening(); // before reading
    const load: Load = { startedAt, answer: Promise.resolve(), changed: new Set() };
    loads.set(key, load);
    const answered = answer();
    load.answer = answered;
    return answered;

    async function answer(): Promise<Row | undefined> {
      try {
        const row = await question.load();
        const invalidationKeys = row && question.invalidatedBy(row);
        const isLatest = loads.get(key) === load;
        if (isLatest && invalidationKeys?.every((invalidationKey) => !load.changed.has(invalidationKey))) {
          keep(key, { row, readAt: startedAt, epoch, invalidationKeys });
        }
        return row;
      } finally {
        if (loads.get(key) === load) loads.delete(key);
      }
    }
  }

  function keep(key: string, entry: Entry): void {
    remove(key);
    if (entries.size >= MAX_ENTRIES) remove(entries.keys().next().value!); // the one kept longest
    entries.set(key, entry);
    for (const invalidationKey of entry.invalidationKeys) {
      const keys = keysOf.get(invalidationKey);
      if (keys) keys.add(key);
      else keysOf.set(invalidationKey, new Set([key]));
    }
  }

  function remove(key: string): void {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    for (const invalidationKey of entry.invalidationKeys) {
      const keys = keysOf.get(invalidationKey);
      keys?.delete(key);
      if (keys?.size === 0) keysOf.delete(invalidationKey);
    }
  }

  function drop(invalidationKey: string): void {
    for (const key of [...(keysOf.get(invalidationKey) ?? [])]) remove(key);
    // A load under way may have read its row before: it answers whoever has asked, and nobody joins it.
    for (const load of loads.values()) load.changed.add(invalidationKey);
    watchers.changed(invalidationKey);
  }

  return {
    read,
    forget: drop,
    watch(invalidationKeys, look) {
      const { isSure } = listening();
      return watchers.add(invalidationKeys, look, isSure);
    },
    stats: () => ({ ...counts, kept: entries.size, reconnects: subscription?.reconnects ?? 0 }),
    close() {
      watchers.close();
      subscription?.unsubscribe();
    },
  };
}

/** From the lease; inside a transaction from the database, because what is not committed is true for that transaction only. */
export async function loadCached<Row extends object>(
  ctx: Context,
  question: ActorQuery<Row>,
): Promise<Row | undefined> {
  return ctx.db.isTransaction ? question.load() : ctx.ports.actors.read(question);
}

/** After the commit this process answers nothing older; other processes learn of the change by NOTIFY. */
export function forgetAfterCommit(
  { db, ports }: Pick<Context, 'db' | 'ports'>,
  keys: readonly InvalidationKey[],
): void {
  afterCommit(db, () => {
    for (const key of keys) ports.actors.forget(key);
  });
}
