/**
 * Token buckets: `size` tokens, refilled evenly over `windowMs`. One call decides over all buckets of a request
 * together: either every bucket pays or none does, so that a refused request costs nothing.
 */
export interface Bucket {
  /** Names the policy in headers: `user`, `source`, `auth`, `key-hour`. */
  name: string;
  /** The owner's bucket: unique per policy and owner. The keys of one call share a `{hash tag}` where they can. */
  key: string;
  /** May change from call to call: what was taken stays taken, and the difference counts at once. */
  size: number;
  windowMs: number;
  /** Tokens this request takes; 1 by default. A cost of more than `size` takes a full bucket. */
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
  /**
   * How long until the same request would pass; 0 when it passed. Waiting this long succeeds if no other request comes.
   */
  retryAfterMs: number;
  /** The bucket that refused, or the one with the smallest share left. */
  strictest: BucketState;
}

/**
 * While the shared buckets cannot be read: `local` (the default) counts in this process alone, so that the product
 * continues; `refuse` throws `LimiterUnavailableError`, for limits that keep secrets from being guessed.
 */
export type DuringOutage = 'local' | 'refuse';

export interface Limiter {
  /** `buckets` is not empty. */
  take(buckets: readonly Bucket[], duringOutage?: DuringOutage): Decision | Promise<Decision>;
  close(): Promise<void>;
}

export class LimiterUnavailableError extends Error {
  override name = 'LimiterUnavailableError';
}

/** The part of a bucket that is left. */
export const shareLeft = ({ bucket, remaining }: BucketState): number => remaining / bucket.size;

/** Rounding of a refill must neither refuse the token that was waited for nor count as one. */
export const TOKEN_EPSILON = 1e-6;

export function costOf(bucket: Bucket): number {
  return Math.min(bucket.cost ?? 1, bucket.size);
}

interface Level {
  tokens: number;
  size: number;
  atMs: number;
  fullAtMs: number;
}

const MAX_BUCKETS = 200_000;
/** How much room is made at once, so that one search serves many buckets. */
const FREED_SHARE = 0.1;

interface MemoryLimiterOptions {
  /** Never goes back. */
  nowMs?: () => number;
  maxBuckets?: number;
}

/** Buckets in this process's memory: exact for one process. */
export function createMemoryLimiter({
  nowMs = () => performance.now(),
  maxBuckets = MAX_BUCKETS,
}: MemoryLimiterOptions = {}): Limiter {
  const levels = new Map<string, Level>();

  function level(bucket: Bucket, now: number): Level {
    const known = levels.get(bucket.key);
    if (!known) {
      const fresh = { tokens: bucket.size, size: bucket.size, atMs: now, fullAtMs: now };
      levels.set(bucket.key, fresh);
      return fresh;
    }
    const left = Math.max(0, known.tokens + bucket.size - known.size);
    known.tokens = Math.min(bucket.size, left + ((now - known.atMs) * bucket.size) / bucket.windowMs);
    known.size = bucket.size;
    known.atMs = now;
    return known;
  }

  /**
   * Full buckets go first: forgetting them changes nothing. If that is not enough, the longest unused ones go, so that
   * an active client cannot have its empty bucket forgotten; those of the current call stay. Moving each used bucket to
   * the end of the map would cost 400 ns a call at 20,000 buckets; this is one scan for each tenth.
   */
  function makeRoom(now: number): void {
    for (const [key, { atMs, fullAtMs }] of levels) if (atMs < now && fullAtMs <= now) levels.delete(key);
    const excess = levels.size - Math.floor(maxBuckets * (1 - FREED_SHARE));
    if (excess <= 0) return;
    const lastUses = Float64Array.from(levels.values(), ({ atMs }) => atMs).sort();
    const newest = lastUses[excess - 1]!;
    for (const [key, { atMs }] of levels) if (atMs < now && atMs <= newest) levels.delete(key);
  }

  return {
    take(buckets) {
      const now = nowMs();
      const found = buckets.map((bucket) => level(bucket, now));
      if (levels.size > maxBuckets) makeRoom(now);
      let retryAfterMs = 0;
      let refusing: BucketState | undefined;
      for (let at = 0; at < buckets.length; at++) {
        const bucket = buckets[at]!;
        const { tokens } = found[at]!;
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
      for (let at = 0; at < buckets.length; at++) {
        const bucket = buckets[at]!;
        const known = found[at]!;
        known.tokens -= costOf(bucket);
        known.fullAtMs = now + ((bucket.size - known.tokens) * bucket.windowMs) / bucket.size;
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
