import type { Knex } from '@rentapi/platform/database';
import type { Logger } from '@rentapi/platform/logger';

/** When sessions were used last. A call notes it in memory; all notes are written at once, at most once a minute. */
export interface LastSeen {
  note(sessionId: number, at: Date): void;
  /** What is noted and not written yet. */
  pending(sessionId: number): Date | undefined;
  /** Writes what is noted. */
  close(): Promise<void>;
}

const FLUSH_MS = 60_000;
/** Beyond it, uses are not noted until the next write. */
const MAX_NOTED = 100_000;
const BATCH = 5000;

export function createLastSeen({ database, log }: { database: Knex; log: Logger }): LastSeen {
  const noted = new Map<number, Date>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    timer = undefined;
    const uses = [...noted];
    noted.clear();
    for (let at = 0; at < uses.length; at += BATCH) await write(database, uses.slice(at, at + BATCH));
  }

  return {
    note(sessionId, at) {
      if (noted.size >= MAX_NOTED && !noted.has(sessionId)) return;
      noted.set(sessionId, at);
      timer ??= setTimeout(() => {
        flush().catch((error: unknown) => log.warn({ err: error }, 'the last use of sessions was not written'));
      }, FLUSH_MS).unref();
    },
    pending: (sessionId) => noted.get(sessionId),
    async close() {
      clearTimeout(timer);
      await flush().catch((error: unknown) => log.warn({ err: error }, 'the last use of sessions was not written'));
    },
  };
}

/** In the order of ids, so that two processes do not wait for each other; a session that is gone is left out. */
async function write(database: Knex, uses: [number, Date][]): Promise<void> {
  const sorted = uses.toSorted(([a], [b]) => a - b);
  await database.raw(
    `insert into session_uses (session_id, last_seen_at)
     select sessions.id, used.at from unnest(?::bigint[], ?::timestamptz[]) as used (id, at)
     join sessions on sessions.id = used.id order by sessions.id
     on conflict (session_id) do update set last_seen_at = greatest(session_uses.last_seen_at, excluded.last_seen_at)`,
    [sorted.map(([id]) => id), sorted.map(([, at]) => at)],
  );
}
