import type { Logger } from '@rentapi/platform/logger';

/** When rows were used last. A call notes it in memory; all notes are written at once, at most once a minute. */
export interface LastUses<Use> {
  note(id: number, use: Use): void;
  /** What is noted and not written yet. */
  pending(id: number): Use | undefined;
  /** Writes what is noted. */
  close(): Promise<void>;
}

const FLUSH_MS = 60_000;
/** Beyond it, uses are not noted until the next write. */
const MAX_NOTED = 100_000;
const BATCH = 5000;

/** `write` gets the uses in the order of their ids, so that two processes do not wait for each other. */
export function createLastUses<Use>(
  { of, log }: { of: string; log: Logger },
  write: (uses: readonly [id: number, use: Use][]) => Promise<unknown>,
): LastUses<Use> {
  let noted = new Map<number, Use>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const uses = noted;
    const ids = [...uses.keys()].sort((a, b) => a - b);
    noted = new Map();
    try {
      for (let at = 0; at < ids.length; at += BATCH) {
        await write(ids.slice(at, at + BATCH).map((id) => [id, uses.get(id)!]));
      }
    } catch (error) {
      log.warn({ err: error }, `the last use of ${of} was not written`);
    }
  }

  return {
    note(id, use) {
      if (noted.size >= MAX_NOTED && !noted.has(id)) return;
      noted.set(id, use);
      timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    pending: (id) => noted.get(id),
    close: flush,
  };
}
