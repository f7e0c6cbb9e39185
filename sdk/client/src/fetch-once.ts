import type { ApiResult } from './api-promise.ts';
import { ConnectionError, errorOfResponse, RentApiError, TimeoutError } from './errors.ts';
import { abortReason, parseRetryAfter } from './retry.ts';

export interface FetchOnceOptions {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: BodyInit | undefined;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** The data is the `Response` itself. */
  stream: boolean;
  fetch: typeof globalThis.fetch;
  credentials: RequestCredentials | undefined;
}

/** Sends a request once. Throws a `RentApiError` with the reason where there is no answer, or a refusal. */
export async function fetchOnce<Data>(request: FetchOnceOptions): Promise<ApiResult<Data>> {
  const { url, method, headers, body, signal, timeoutMs, fetch, credentials } = request;
  if (signal?.aborted) throw abortReason(signal);
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  let answered: Response | undefined;
  try {
    const response = await fetch(url, { method, headers, body, signal: controller.signal, credentials });
    answered = response;
    if (!response.ok) throw refusal(response, await response.text());
    const data = request.stream ? response : await decodeBody(response);
    // The guarantee: the document declares this type for this operation, and the server checks its answers against it.
    return {
      data: data as Data,
      status: response.status,
      headers: response.headers,
      requestId: response.headers.get('x-request-id'),
    };
  } catch (error) {
    if (error instanceof RentApiError) throw error;
    if (signal?.aborted) throw abortReason(signal);
    // A server that refuses a body early may close the connection. The status that arrived is the better reason.
    if (answered && !answered.ok) throw refusal(answered, '');
    if (timedOut) throw new TimeoutError(`${method} ${url}: no answer within ${timeoutMs} ms.`, { code: 'timeout' });
    throw new ConnectionError(`${method} ${url}: ${reason(error)}`, { code: 'connection_failed', cause: error });
  } finally {
    clearTimeout(timer);
    // A stream goes on after this, and still ends with the caller's signal.
    if (!request.stream) signal?.removeEventListener('abort', onAbort);
  }
}

function refusal(response: Response, bodyText: string): RentApiError {
  return errorOfResponse(response, bodyText, parseRetryAfter(response.headers.get('retry-after')));
}

async function decodeBody(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (/[/+]json\b/.test(type)) return response.json();
  if (type.startsWith('text/')) return response.text();
  const body = await response.blob();
  return body.size === 0 ? undefined : body;
}

/** Node's fetch gives only "fetch failed"; the reason is in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message || error.cause.name}` : error.message;
}
