/** A tab that the browser has frozen may hold a lock for hours: after this wait the work is done without it. */
const MAX_WAIT_MS = 10_000;

/** Runs `work` in one tab at a time where the runtime has Web Locks, and at once where it has none. */
export async function withLock<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const locks: LockManager | undefined = globalThis.navigator?.locks;
  if (!locks) return work();
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), MAX_WAIT_MS);
  let started = false;
  try {
    return await locks.request(name, { signal: waiting.signal }, () => {
      started = true;
      clearTimeout(timer);
      return work();
    });
  } catch (error) {
    if (started) throw error;
    // Waited too long, or the page may not use locks, as in a sandboxed frame.
    return work();
  } finally {
    clearTimeout(timer);
  }
}
