import type { ProviderName } from './payment-provider.ts';

/**
 * `refused`: the provider said no, nothing moved, and the same again is refused again. `unavailable`: nothing moved,
 * later may work. `unknown`: money may have moved, so read the object before anything else.
 */
export type ProviderOutcome = 'refused' | 'unknown' | 'unavailable';

const CODE = /^[\w.:-]{1,80}$/;

/** The only error of a provider. It carries no request, answer or cause: those contain credentials. */
export class ProviderError extends Error {
  override name = 'ProviderError';
  readonly outcome: ProviderOutcome;
  readonly code: string;
  readonly retryAfterMs: number | null;

  constructor(
    provider: ProviderName,
    outcome: ProviderOutcome,
    code: string | null | undefined,
    retryAfterMs: number | null = null,
  ) {
    const known = code && CODE.test(code) ? code : 'unrecognized';
    super(`${provider}: ${outcome} (${known})`);
    this.outcome = outcome;
    this.code = known;
    this.retryAfterMs = retryAfterMs;
  }
}

/** An event that its provider did not sign, or not for us, or not now. */
export class ForgedEventError extends Error {
  override name = 'ForgedEventError';
}

const MAX_RETRY_AFTER_S = 3600;

/** `Retry-After` in seconds, as both providers send it; at most an hour. */
export function retryAfterMs(header: string | null | undefined): number | null {
  return header && /^\d{1,9}$/.test(header) ? Math.min(Number(header), MAX_RETRY_AFTER_S) * 1000 : null;
}

/** What a call reads; null where the provider has no such object. */
export async function orNull<Result>(call: () => Promise<Result>): Promise<Result | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'not_found') return null;
    throw error;
  }
}
