import { printLine } from './print-line.ts';

const SAME_SIGNAL_MS = 1000;
/** Supervisors kill what is still there after 30 s: before that, whatever waits for a peer that does not answer is left. */
const STOP_WITHIN_MS = 29_000;

/**
 * Resolves at the first signal that asks for a stop, after which the process ends within 30 s, come what may. A signal that
 * follows within a second is the same: a terminal's Ctrl-C and a supervisor's SIGTERM come together. A later one ends the
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

/** Each signal that asks for a stop, instead of ending the process. */
export function onStopSignal(listener: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, listener);
}

function giveUp(): void {
  printLine('Something does not answer, and is left: its connections end with this process.');
  process.exit(0);
}
