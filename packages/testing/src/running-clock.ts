const TICK_MS = 10;

/**
 * A clock that stops while the machine is too busy to run this thread: a promise such as "within a second" can then be
 * tested on a machine that does other work as well. The thread's own work counts, so a product that blocks it is late.
 */
export function startRunningClock(): () => number {
  let seenAt = performance.now();
  let cpuMs = readCpuMs();
  let runningMs = 0;

  function now(): number {
    const wallMs = performance.now() - seenAt;
    const workMs = readCpuMs() - cpuMs;
    seenAt += wallMs;
    cpuMs += workMs;
    // Between two ticks a thread waits for one of them, works, or is not run; a tick may be a little late by itself.
    runningMs += wallMs > 2 * TICK_MS ? Math.min(wallMs, workMs + TICK_MS) : wallMs;
    return runningMs;
  }
  setInterval(now, TICK_MS).unref();
  return now;
}

/** Node 22 knows only the whole process's, which is at least as much: more then counts. */
function readCpuMs(): number {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage)();
  return (user + system) / 1000;
}
