import type { Clock } from '@rentapi/platform/clock';
import { z } from 'zod';
import { ProviderError, retryAfterMs } from '../provider-error.ts';
import { assertProviderBase, fetchProvider, type Send } from '../provider-fetch.ts';

export interface PayPalConfig {
  clientId: string;
  clientSecret: string;
  webhookId: string;
  apiBase: string;
  clock: Clock;
  timeoutMs?: number;
  /** In place of `fetch`. */
  send?: Send | undefined;
  /** In place of Node's: those who may have signed the certificates of events. */
  trustedRoots?: readonly string[];
}

/** Sends a request to PayPal, with a token that is valid. Throws `NoAnswerError`, or `unavailable` without a token. */
export type SendPayPal = (path: string, init: RequestInit) => Promise<Response>;

const TIMEOUT_MS = 10_000;
const EARLY_MS = 60_000;

const Token = z.object({ access_token: z.string().min(1).max(4096), expires_in: z.number().positive() });

/**
 * The library's own handling of tokens is left out: one failed request for a token makes its client useless until a
 * restart, a revoked one is never replaced, and its errors contain the secret.
 */
export function createPayPalTransport({
  clientId,
  clientSecret,
  apiBase,
  clock,
  timeoutMs = TIMEOUT_MS,
  send: sendBy,
}: PayPalConfig): SendPayPal {
  const base = assertProviderBase(apiBase).origin;
  let token: { value: string; expiresAtMs: number } | null = null;
  let pending: Promise<string> | null = null;

  /** One request for all who wait for it. */
  function accessToken(stale: string | null): Promise<string> {
    if (token && token.value !== stale && token.expiresAtMs > clock.now().getTime()) {
      return Promise.resolve(token.value);
    }
    pending ??= requestToken().finally(() => {
      pending = null;
    });
    return pending;
  }

  async function requestToken(): Promise<string> {
    const init = {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    };
    let answer: Response;
    try {
      answer = await fetchProvider(`${base}/v1/oauth2/token`, init, { timeoutMs, send: sendBy });
    } catch {
      throw new ProviderError('paypal', 'unavailable', 'no_token'); // a token moves no money
    }
    const wait = retryAfterMs(answer.headers.get('retry-after'));
    const { success, data } = Token.safeParse(await answer.json().catch(() => null));
    if (!answer.ok || !success) throw new ProviderError('paypal', 'unavailable', 'no_token', wait);
    token = {
      value: data.access_token,
      expiresAtMs: clock.now().getTime() + data.expires_in * 1000 - EARLY_MS,
    };
    return token.value;
  }

  return async (path, init) => {
    const send = (value: string): Promise<Response> => {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${value}`);
      return fetchProvider(base + path, { ...init, headers }, { timeoutMs, send: sendBy });
    };
    const value = await accessToken(null);
    const answer = await send(value);
    return answer.status === 401 ? send(await accessToken(value)) : answer;
  };
}
