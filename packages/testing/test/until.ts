import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries again every 5 ms. The limit is for what never comes: a busy machine may take long.
 */
export async function until(look: () => boolean | Promise<boolean>, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(5);
  }
}

/** A timer that fires a moment early must not count as having waited. */
export async function waitFully(ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; ) await sleep(Math.max(1, end - performance.now()));
}
