import { printLine } from './print-line.ts';

const SAME_SIGNAL_MS = 1000;
/** Supervisors kill a process after 30 s; this one ends before that, even if a peer does not answer. */
const STOP_WITHIN_MS = 27_000;

/**
 * Resolves at the first stop signal; the process then ends within 30 s in any case. A second signal within a second
 * counts as the same, because a terminal's Ctrl-C and a supervisor's SIGTERM come together. A later one ends the
 * process at once.
 */
export function untilStopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  onStopSignal(() => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
    setTimeout(giveUp, STOP_WITHIN_MS).unref();
    resolve();
  });
  return promise;
}

/** Calls back at each stop signal, which then does not end the process. */
export function onStopSignal(listener: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener);
}

function giveUp(): void {
  printLine('Stopping takes too long: ending now, with the connections that are still open.');
  process.exit(0);
}
