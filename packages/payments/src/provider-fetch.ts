/** The bytes of an answer that are read at most. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** How a request is sent: `fetch`, or a function that a fake in the same process has in its place. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** There is no answer. `wasSent: false` is certain that the provider never saw the request. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
  readonly wasSent: boolean;
  readonly reason: 'timeout' | 'connection_failed' | 'answer_too_large';

  constructor(reason: NoAnswerError['reason'], wasSent: boolean) {
    super(reason);
    this.reason = reason;
    this.wasSent = wasSent;
  }
}

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH']);

/**
 * Calls a provider, at an address that the operator has set. The time limit covers the whole answer; no redirect is
 * followed, because it would be sent the credentials as well.
 */
export async function fetchProvider(
  url: string,
  init: RequestInit,
  { timeoutMs, send = (url, init) => fetch(url, init) }: { timeoutMs: number; send?: Send | undefined },
): Promise<Response> {
  const signals = [AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])];
  try {
    const response = await send(url, { ...init, redirect: 'error', signal: AbortSignal.any(signals) });
    const bytes = await readBounded(response);
    const body = response.status === 204 ? null : bytes; // a Response of that status takes no body
    return new Response(body, { status: response.status, headers: response.headers });
  } catch (error) {
    throw error instanceof NoAnswerError ? error : noAnswer(error);
  }
}

async function readBounded(response: Response): Promise<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new NoAnswerError('answer_too_large', true);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes.buffer;
}

function noAnswer(error: unknown): NoAnswerError {
  const { name, cause } = error instanceof Error ? error : {};
  if (name === 'TimeoutError' || name === 'AbortError') return new NoAnswerError('timeout', true);
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  return new NoAnswerError('connection_failed', !NEVER_SENT.has(code));
}

/** An address of a provider that an operator has set. Plain HTTP is for this machine only: requests carry secrets. */
export function assertProviderBase(base: string): URL {
  const url = new URL(base);
  const isLoopback = /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new Error(`the address of a payment provider must begin with https://, and ${url.origin} does not`);
  }
  return url;
}
