/** Waits before an open connection is refused; returns at once when the connection ends first. */
/** What the delay uses of a `WebSocket`. */
interface Closable {
  readonly OPEN: number;
  readonly readyState: number;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

export type RefusalDelay = (socket: Closable) => Promise<void>;

const MIN_MS = 1000;
const JITTER_MS = 4000;
/** A waiting connection costs some kilobytes. Beyond this number they are refused at once. */
const MAX_WAITING = 1000;

/**
 * An open connection counts as a success for many clients: refused at once they connect again at once, hundreds of
 * times a second. The delay is random, so that many do not return together.
 */
export function createRefusalDelay({
  delayMs = () => MIN_MS + Math.random() * JITTER_MS,
  maxWaiting = MAX_WAITING,
}: {
  delayMs?: () => number;
  maxWaiting?: number;
} = {}): RefusalDelay {
  let waiting = 0;
  return async (socket) => {
    if (waiting >= maxWaiting || socket.readyState !== socket.OPEN) return;
    waiting++;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, delayMs());
      socket.once('close', done);
      function done(): void {
        clearTimeout(timer);
        socket.off('close', done);
        resolve();
      }
    });
    waiting--;
  };
}
