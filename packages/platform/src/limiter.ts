/**
 * Token buckets: `size` tokens, refilled evenly over `windowMs`. One call judges all buckets of a request together —
 * either every bucket pays or none does, so that a refused request costs nothing anywhere.
 */
export interface Bucket {
  /** Names the policy in headers: `user`, `source`, `auth`, `key-hour`. */
  name: string;
  /** Whose bucket: unique per policy and owner. The keys of one call share a `{hash tag}`. */
  key: string;
  size: number;
  windowMs: number;
  /** Tokens this request takes; 1 unless told. What costs more than `size` takes a full bucket. */
  cost?: number;
}

export interface BucketState {
  bucket: Bucket;
  /** Whole tokens left after this request. */
  remaining: number;
  /** Until the bucket is full again. */
  resetMs: number;
}

export interface Decision {
  allowed: boolean;
  /** How long until the same request would pass; 0 when it passed. Waiting this long always succeeds if nobody else asks. */
  retryAfterMs: number;
  /** The bucket that refused, or the one with the smallest share left. */
  strictest: BucketState;
}

/**
 * While the shared buckets cannot be asked: `local` (the default) counts in this process alone, so that the product goes on; `refuse`
 * throws `LimiterUnavailableError`, for limits whose absence would let somebody guess.
 */
export type DuringOutage = 'local' | 'refuse';

export interface Limiter {
  /** `buckets` holds at least one. */
  take(buckets: readonly Bucket[], duringOutage?: DuringOutage): Decision | Promise<Decision>;
  close(): Promise<void>;
}

export class LimiterUnavailableError extends Error {
  override name = 'LimiterUnavailableError';
}

/** Rounding of a refill must neither refuse the token that was waited for nor count as one. */
export const TOKEN_EPSILON = 1e-6;

export function costOf(bucket: Bucket): number {
  return Math.min(bucket.cost ?? 1, bucket.size);
}

interface Level {
  tokens: number;
  atMs: number;
}

const MAX_BUCKETS = 200_000;
const DAY_MS = 86_400_000;

/** Buckets in this process's memory: exact for one process. `nowMs` never goes back. */
export function createMemoryLimiter(nowMs: () => number = () => performance.now()): Limiter {
  const levels = new Map<string, Level>();

  function level(bucket: Bucket, now: number): Level {
    const known = levels.get(bucket.key);
    if (!known) {
      if (levels.size >= MAX_BUCKETS) forgetFull(now);
      const fresh = { tokens: bucket.size, atMs: now };
      levels.set(bucket.key, fresh);
      return fresh;
    }
    known.tokens = Math.min(bucket.size, known.tokens + ((now - known.atMs) * bucket.size) / bucket.windowMs);
    known.atMs = now;
    return known;
  }

  /** A bucket not asked for a day is full again whatever its window; where that frees nothing, the oldest tenth goes. */
  function forgetFull(now: number): void {
    for (const [key, known] of levels) if (now - known.atMs > DAY_MS) levels.delete(key);
    if (levels.size < MAX_BUCKETS) return;
    let excess = MAX_BUCKETS / 10;
    for (const key of levels.keys()) {
      if (excess-- <= 0) return;
      levels.delete(key);
    }
  }

  return {
    take(buckets) {
      const now = nowMs();
      let retryAfterMs = 0;
      let refusing: BucketState | undefined;
      for (const bucket of buckets) {
        const { tokens } = level(bucket, now);
        const missing = costOf(bucket) - tokens;
        if (missing <= TOKEN_EPSILON) continue;
        const wait = Math.floor((missing * bucket.windowMs) / bucket.size) + 1;
        if (wait >= retryAfterMs) {
          retryAfterMs = wait;
          refusing = state(bucket, tokens);
        }
      }
      if (refusing) return { allowed: false, retryAfterMs, strictest: refusing };
      let strictest = buckets[0]!;
      let strictestTokens = Number.POSITIVE_INFINITY;
      for (const bucket of buckets) {
        const known = levels.get(bucket.key)!;
        known.tokens -= costOf(bucket);
        if (known.tokens / bucket.size >= strictestTokens / strictest.size) continue;
        strictest = bucket;
        strictestTokens = known.tokens;
      }
      return { allowed: true, retryAfterMs: 0, strictest: state(strictest, strictestTokens) };
    },
    async close() {
      levels.clear();
    },
  };
}

function state(bucket: Bucket, tokens: number): BucketState {
  return {
    bucket,
    remaining: Math.max(0, Math.floor(tokens + TOKEN_EPSILON)),
    resetMs: Math.ceil(((bucket.size - tokens) * bucket.windowMs) / bucket.size),
  };
}
