import type { Logger } from './logger.ts';

export interface Loop {
  /** There may be work: run now instead of at the next tick. */
  wake(): void;
  /** Resolves when the current round has ended. */
  stop(): Promise<void>;
}

const PAUSE_AFTER_FAILURE_MS = 1000;

/**
 * Runs `round` repeatedly, never twice at once: at once while it returns true (there was more than one batch), else
 * when woken or after `everyMs`. A round that throws is logged and repeated a second later.
 */
export function startLoop(options: {
  name: string;
  everyMs: number;
  log: Logger;
  round: () => Promise<boolean>;
}): Loop {
  const { name, everyMs, log, round } = options;
  let stopped = false;
  let woken = false;
  let interrupt = () => {};

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const running = (async () => {
    while (!stopped) {
      woken = false;
      try {
        if (await round()) continue;
        if (!woken && !stopped) await pause(everyMs);
      } catch (error) {
        if (stopped) break;
        log.warn({ err: error, loop: name }, 'round failed');
        await pause(PAUSE_AFTER_FAILURE_MS);
      }
    }
  })();

  return {
    wake() {
      woken = true;
      interrupt();
    },
    async stop() {
      stopped = true;
      interrupt();
      await running;
    },
  };
}
