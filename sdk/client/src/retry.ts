import { ConnectionError, type RentApiError } from './errors.ts';

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 8_000;
/** Longer waits are the caller's decision: the error is thrown with `retryAfter`. */
export const MAX_RETRY_AFTER_S = 60;
/**
 * Without an answer, a larger body is not sent again: a server or proxy that refuses its size may just close the
 * connection, and would do so each time.
 */
const MAX_RESENT_BYTES = 1_000_000;
const RETRIED_STATUSES = new Set([429, 502, 503, 504]);

/** Exponential backoff with full jitter, so that clients who failed together do not return together. */
export function backoffMs(attempt: number, maxMs: number = MAX_BACKOFF_MS): number {
  return Math.random() * Math.min(maxMs, FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 20));
}

/** `Retry-After` in seconds: a number or an HTTP date; null where absent or unreadable. */
export function parseRetryAfter(header: string | null, nowMs: number = Date.now()): number | null {
  if (header === null || header.trim() === '') return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds : null;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? null : Math.max(0, (dateMs - nowMs) / 1000);
}

/** How long to wait before repeating a request that may be repeated; null: do not. */
export function retryDelayMs(error: RentApiError, attempt: number, bodyBytes = 0): number | null {
  if (error instanceof ConnectionError && bodyBytes > MAX_RESENT_BYTES) return null;
  const worthRepeating =
    error instanceof ConnectionError ||
    (error.status !== undefined && RETRIED_STATUSES.has(error.status)) ||
    // The first try with this Idempotency-Key is still running: the repeat gets its answer.
    error.code === 'idempotency_in_progress';
  if (!worthRepeating) return null;
  if (error.retryAfter === null) return backoffMs(attempt);
  if (error.retryAfter > MAX_RETRY_AFTER_S) return null;
  // Never earlier than asked; a little later, so that clients do not return in step.
  return error.retryAfter * 1000 + Math.random() * 100;
}

/** Waits; rejects with the signal's reason when it aborts. */
export function sleep(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal));
    const onAbort = () => {
      clearTimeout(timer);
      if (signal) reject(abortReason(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Why the signal was aborted; Safari before 15.4 and React Native keep no reason. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? Object.assign(new Error('The call was aborted.'), { name: 'AbortError' });
}
