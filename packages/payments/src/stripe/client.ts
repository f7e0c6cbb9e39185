import type { Stripe } from 'stripe';
import { ProviderError, type ProviderOutcome, retryAfterMs } from '../provider-error.ts';
import { assertProviderBase, fetchProvider, NoAnswerError, type Send } from '../provider-fetch.ts';

export interface StripeConfig {
  secretKey: string;
  /** Several while a secret is being replaced: an event is genuine under any of them. */
  webhookSecrets: readonly string[];
  /** In place of https://api.stripe.com. */
  apiBase?: string | undefined;
  timeoutMs?: number;
  /** In place of `fetch`. */
  send?: Send | undefined;
  /** Before each request: a program that makes many of them waits here. */
  pace?: () => Promise<void>;
}

const TIMEOUT_MS = 10_000;

/** The types admit this literal only, so that an upgrade of the library fails to compile until it has been read. */
const API_VERSION = '2026-10-28.endive';

export async function openStripe(config: StripeConfig): Promise<Stripe> {
  const { secretKey, apiBase, timeoutMs = TIMEOUT_MS, pace, send } = config;
  const { default: Client } = await import('stripe');
  const base = apiBase === undefined ? null : assertProviderBase(apiBase);
  return new Client(secretKey, {
    ...(base && { host: base.hostname, protocol: base.protocol === 'http:' ? 'http' : 'https' }),
    ...(base?.port && { port: base.port }),
    apiVersion: API_VERSION,
    httpClient: Client.createFetchHttpClient(async (url, init) => {
      await pace?.();
      return fetchProvider(String(url), init ?? {}, { timeoutMs, send });
    }),
    timeout: timeoutMs + 1000, // ours is first
    maxNetworkRetries: 0, // a retry is a job's, after a look at the object
    telemetry: false,
  });
}

/** What its errors have in common, whatever their class. */
interface Failure {
  type?: unknown;
  statusCode?: unknown;
  code?: unknown;
  decline_code?: unknown;
  headers?: unknown;
  detail?: unknown;
}

/** Runs a call of the library. Reading moves nothing, so a failed read is never `unknown`. */
export async function callStripe<Result>(kind: 'read' | 'write', call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof ProviderError ? error : toProviderError(kind, error);
  }
}

function toProviderError(kind: 'read' | 'write', error: unknown): ProviderError {
  const lost: ProviderOutcome = kind === 'read' ? 'unavailable' : 'unknown';
  const failure: Failure = typeof error === 'object' && error !== null ? error : {};
  const { statusCode: status } = failure;
  const code = textOf(failure.decline_code) ?? textOf(failure.code);
  if (typeof status !== 'number') {
    const { detail } = failure;
    if (!(detail instanceof NoAnswerError)) return new ProviderError('stripe', lost, 'answer_not_readable');
    return new ProviderError('stripe', detail.wasSent ? lost : 'unavailable', detail.reason);
  }
  if (status >= 500) return new ProviderError('stripe', lost, code ?? `http_${status}`);
  if (status === 429)
    return new ProviderError('stripe', 'unavailable', code ?? 'rate_limited', waitOf(failure.headers));
  // Another request with this key is under way: its outcome is ours.
  if (status === 409) return new ProviderError('stripe', lost, code ?? 'conflict');
  // The operator's to repair, and nothing has moved.
  if (status === 401 || status === 403) return new ProviderError('stripe', 'unavailable', code ?? `http_${status}`);
  if (failure.type === 'StripeIdempotencyError') return new ProviderError('stripe', 'refused', 'key_reused');
  if (status === 404) return new ProviderError('stripe', 'refused', 'not_found');
  return new ProviderError('stripe', 'refused', code ?? `http_${status}`);
}

function waitOf(headers: unknown): number | null {
  const known = typeof headers === 'object' && headers !== null && 'retry-after' in headers ? headers : null;
  return known ? retryAfterMs(String(known['retry-after'])) : null;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
