import type { Logger } from '@rentapi/platform/logger';
import pLimit from 'p-limit';

/** While all notifications arrive, the check each second finds what none reports: that a moment has passed. */
const CHECK_EVERY_MS = 1000;
/**
 * While notifications may be missed, watchers check often: answers still come from memory as long as they are proven.
 */
const UNPROVEN_CHECK_EVERY_MS = 100;
/** Less than MAX_STALE_MS, so that a check comes when the first entry is no longer proven. */
const PROVEN_MS = 800;
/** More than MAX_STALE_MS: entries read before the connection was lost are answered from memory until then. */
const LISTENING_MS = 1200;
/** Ten thousand open sockets must not query the database all at once. */
const MAX_CONCURRENT_CHECKS = 8;

type IsSure = (provenMs: number, listeningMs: number) => boolean;

interface Watcher {
  check: () => Promise<void>;
  /** Set when a change comes during a check, which may have read the row before the change. */
  again: boolean;
  busy: boolean;
}

/** Watches the callers of sockets and subscriptions, which must learn when access ends. */
export function createWatchers(log: Logger) {
  const watchers = new Set<Watcher>();
  const watchersOf = new Map<string, Set<Watcher>>();
  const limit = pLimit(MAX_CONCURRENT_CHECKS);
  let timer: NodeJS.Timeout | undefined;
  let checkedAt = 0;

  async function check(watcher: Watcher): Promise<void> {
    watcher.again = watcher.busy;
    if (watcher.busy) return;
    watcher.busy = true;
    try {
      do {
        watcher.again = false;
        await limit(watcher.check);
      } while (watcher.again && watchers.has(watcher));
    } catch (error) {
      log.error({ err: error }, 'a watcher failed');
    } finally {
      watcher.busy = false;
    }
  }

  function tick(isSure: IsSure): void {
    const now = performance.now();
    if (isSure(PROVEN_MS, LISTENING_MS) && now - checkedAt < CHECK_EVERY_MS) return;
    checkedAt = now;
    for (const watcher of watchers) void check(watcher);
  }

  function stopTimer(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(invalidationKeys: readonly string[], check: () => Promise<void>, isSure: IsSure): () => void {
      const watcher: Watcher = { check, again: false, busy: false };
      watchers.add(watcher);
      for (const invalidationKey of invalidationKeys)
        watchersOf.set(invalidationKey, (watchersOf.get(invalidationKey) ?? new Set()).add(watcher));
      timer ??= setInterval(() => tick(isSure), UNPROVEN_CHECK_EVERY_MS);
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
      for (const watcher of watchersOf.get(invalidationKey) ?? []) void check(watcher);
    },
    close(): void {
      stopTimer();
      watchers.clear();
      watchersOf.clear();
    },
  };
}
