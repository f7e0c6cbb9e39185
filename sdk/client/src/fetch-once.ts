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
  /** Whether the data is the `Response` itself; asked when the answer has come. */
  isRaw: () => boolean;
  /** The type of the answers, where it is not JSON. */
  accept: string | undefined;
  mayBeEmpty: boolean;
  fetch: typeof globalThis.fetch;
  /** What `fetch` takes besides. */
  init: object | undefined;
}

const MAX_EXCERPT = 200;

/** Sends a request once. Throws a `RentApiError` with the reason where there is no answer, or a refusal. */
export async function fetchOnce<Data>(request: FetchOnceOptions): Promise<ApiResult<Data>> {
  const { url, method, headers, body, signal, timeoutMs, fetch } = request;
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
  let raw = false;
  try {
    const response = await fetch(url, { ...request.init, method, headers, body, signal: controller.signal });
    answered = response;
    if (!response.ok) throw refusal(response, url, await response.text());
    raw = request.isRaw();
    const data = raw ? response : await decodeBody(response, request);
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
    if (answered && !answered.ok) throw refusal(answered, url, '');
    if (timedOut) throw new TimeoutError(`${method} ${url}: no answer within ${timeoutMs} ms.`, { code: 'timeout' });
    throw new ConnectionError(`${method} ${url}: ${reason(error)}`, { code: 'connection_failed', cause: error });
  } finally {
    clearTimeout(timer);
    // A stream goes on after this, and still ends with the caller's signal.
    if (!raw) signal?.removeEventListener('abort', onAbort);
  }
}

function refusal(response: Response, url: string, bodyText: string): RentApiError {
  return errorOfResponse(response, url, bodyText, parseRetryAfter(response.headers.get('retry-after')));
}

async function decodeBody(response: Response, { accept, mayBeEmpty, method, url }: FetchOnceOptions): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  const isJson = /[/+]json\b/.test(type);
  const accepted = accept?.split(', ');
  if (!isJson && accepted?.some((each) => type.startsWith(each)))
    return accepted.length === 1 && type.startsWith('text/') ? response.text() : response.blob();
  const text = await response.text();
  if (text === '' && mayBeEmpty) return undefined;
  try {
    if (isJson) return JSON.parse(text);
  } catch {
    // Refused below, with the text.
  }
  // A proxy, a sign-in page of the network or a wrong `baseUrl` may answer 200 with a page.
  const excerpt = text === '' ? 'nothing' : JSON.stringify(text.slice(0, MAX_EXCERPT));
  const found = `${type || 'no content type'}, and ${excerpt}`;
  throw new RentApiError(`${method} ${url}: ${response.status}, but no answer of the API: ${found}.`, {
    code: 'invalid_response',
    status: response.status,
    requestId: response.headers.get('x-request-id'),
    headers: response.headers,
  });
}

/** Node's fetch gives only "fetch failed"; the reason is in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message || error.cause.name}` : error.message;
}
