const SAME_SIGNAL_MS = 1000;

/**
 * Resolves at the first signal that asks for a stop. One that follows within a second is the same: a terminal's Ctrl-C and a
 * supervisor's SIGTERM come together. A later one ends the process at once.
 */
export function untilStopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
      resolve();
    });
  }
  return promise;
}
