import type { Logger } from '@rentapi/platform/logger';
import pLimit from 'p-limit';

/** While every change is heard, each second is for what no notification tells: that a time has come. */
const LOOK_EVERY_MS = 1000;
/** While changes may be missed, whatever lasts looks as often as its lease allows: what is proven is answered from memory. */
const DOUBT_EVERY_MS = 100;
/** Less than a lease lasts, so that a look comes when the first of them ends. */
const PROVEN_MS = 800;
/** Longer than a lease lasts: what was read before a connection was lost is answered from memory until then. */
const LISTENING_MS = 1200;
/** Ten thousand open sockets must not ask the database all at once. */
const MAX_LOOKS_AT_ONCE = 8;

type IsSure = (provenMs: number, listeningMs: number) => boolean;

interface Watcher {
  look: () => Promise<void>;
  /** Asked to look while it was looking: what it read may be older than the change. */
  again: boolean;
  busy: boolean;
}

/** Those who act on behalf of somebody for longer than one call, and must hear when that ends. */
export function createWatchers(log: Logger) {
  const watchers = new Set<Watcher>();
  const watchersOf = new Map<string, Set<Watcher>>();
  const limit = pLimit(MAX_LOOKS_AT_ONCE);
  let timer: NodeJS.Timeout | undefined;
  let lookedAt = 0;

  async function look(watcher: Watcher): Promise<void> {
    watcher.again = watcher.busy;
    if (watcher.busy) return;
    watcher.busy = true;
    try {
      do {
        watcher.again = false;
        await limit(watcher.look);
      } while (watcher.again && watchers.has(watcher));
    } catch (error) {
      log.error({ err: error }, 'a watcher failed');
    } finally {
      watcher.busy = false;
    }
  }

  function tick(isSure: IsSure): void {
    const now = performance.now();
    if (isSure(PROVEN_MS, LISTENING_MS) && now - lookedAt < LOOK_EVERY_MS) return;
    lookedAt = now;
    for (const watcher of watchers) void look(watcher);
  }

  function stopTimer(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(invalidationKeys: readonly string[], lookAgain: () => Promise<void>, isSure: IsSure): () => void {
      const watcher: Watcher = { look: lookAgain, again: false, busy: false };
      watchers.add(watcher);
      for (const invalidationKey of invalidationKeys)
        watchersOf.set(invalidationKey, (watchersOf.get(invalidationKey) ?? new Set()).add(watcher));
      timer ??= setInterval(() => tick(isSure), DOUBT_EVERY_MS);
      return () => {
        watchers.delete(watcher);
        for (const invalidationKey of invalidationKeys) {
          const ours = watchersOf.get(invalidationKey);
          ours?.delete(watcher);
          if (ours?.size === 0) watchersOf.delete(invalidationKey);
        }
        if (watchers.size === 0) stopTimer();
      };
    },
    changed(invalidationKey: string): void {
      for (const watcher of watchersOf.get(invalidationKey) ?? []) void look(watcher);
    },
    close(): void {
      stopTimer();
      watchers.clear();
      watchersOf.clear();
    },
  };
}
