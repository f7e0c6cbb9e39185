import { ApiPromise, type ApiResult, type Page, PagePromise } from './api-promise.ts';
import { AuthenticationError, ConnectionError, errorOfResponse, RentApiError, TimeoutError } from './errors.ts';
import { readLines } from './lines.ts';
import { parseRetryAfter, retryDelayMs, sleep } from './retry.ts';
import { Session, type SessionTokens, type TokensInput } from './session.ts';

/** What the document says about one operation; the generated methods carry these. */
export interface Operation {
  id: string;
  method: string;
  /** `/api/v1/api-keys/{keyId}` */
  path: string;
  /** Called without a credential. */
  public?: boolean;
  /** The server remembers its answer by `Idempotency-Key`. */
  keyed?: boolean;
  /** Parameters that go into the query string; all of them where there is no body. */
  query?: readonly string[];
  body?: 'json' | 'form' | 'raw';
  /** Of a raw body. */
  contentType?: string;
  /** Resolves to the `Response` itself: a stream of events or lines. */
  stream?: boolean;
}

/** The second argument of every call. */
export interface RequestOptions {
  /** Repeating a call with the same key has its effect once. By default each change gets a fresh one. */
  idempotencyKey?: string | undefined;
  /** The `ETag` you read: the change is refused with `PreconditionFailedError` if someone else was faster. */
  ifMatch?: string | undefined;
  /** The organization this call is about, instead of the client's. */
  organizationId?: string | undefined;
  headers?: Record<string, string> | undefined;
  signal?: AbortSignal | undefined;
  /** For each try, body included. */
  timeoutMs?: number | undefined;
  maxRetries?: number | undefined;
}

export interface TransportOptions {
  /** Where the server is, e.g. `https://api.example.com`; `''` in a browser is the page's own origin. */
  baseUrl: string;
  /** For a program: an API key. */
  apiKey?: string | undefined;
  /** For a person: the tokens of a login, kept from before. `auth.login` sets them by itself. */
  tokens?: TokensInput | undefined;
  /** Called with every new pair of tokens, to be kept; with null when the session is over. */
  onTokens?: ((tokens: SessionTokens | null) => void | Promise<void>) | undefined;
  /** The organization of all calls whose path names none; default: the key's or the user's own. */
  organizationId?: string | undefined;
  /** Repeats of a failed call that may be repeated. Default 2. */
  maxRetries?: number | undefined;
  /** For each try. Default 60,000. */
  timeoutMs?: number | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /** How a browser treats cookies across origins, for `auth.login({ cookie: true })`. */
  credentials?: RequestCredentials | undefined;
}

type Parameters = Record<string, unknown>;

interface Attempt {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: BodyInit | undefined;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  stream: boolean;
}

const MAX_RETRIES = 2;
const TIMEOUT_MS = 60_000;
const NATURALLY_IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
/** The server gives the same pair to a repeated refresh for 10 s; after that a repeat looks like theft and ends the session. */
const REFRESH_REPEAT_MS = 5_000;
const REFRESH: Operation = {
  id: 'auth.refresh',
  method: 'POST',
  path: '/api/v1/auth/refresh',
  public: true,
  body: 'json',
};

/** Sends operations: credentials, repeats, errors. The generated methods are one call of `call` or `list` each. */
export class Transport {
  readonly session: Session;
  readonly #options: TransportOptions;
  readonly #baseUrl: string;

  constructor(options: TransportOptions) {
    if (options.apiKey !== undefined && options.tokens !== undefined)
      throw new TypeError('Give either `apiKey` or `tokens`, not both.');
    this.#options = options;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.session = new Session({
      tokens: options.tokens,
      onTokens: options.onTokens,
      exchange: (refreshToken) => this.#exchange(refreshToken),
      isOver: (error) => error instanceof AuthenticationError,
    });
  }

  url(path: string): string {
    return this.#baseUrl + path;
  }

  call<Data>(operation: Operation, params: object = {}, options: RequestOptions = {}): ApiPromise<Data> {
    return new ApiPromise(this.#send<Data>(operation, { ...params }, options));
  }

  list<P extends Page>(operation: Operation, params: object = {}, options: RequestOptions = {}): PagePromise<P> {
    const page = (cursor?: string) =>
      this.#send<P>(operation, cursor === undefined ? { ...params } : { ...params, cursor }, options);
    return new PagePromise(page(), async (cursor) => (await page(cursor)).data);
  }

  /** The request is made when the first value is asked for; leaving the loop ends the answer. */
  async *lines<Value>(
    operation: Operation,
    params: object = {},
    options: RequestOptions = {},
  ): AsyncGenerator<Value, void, undefined> {
    const { data } = await this.#send<Response>(operation, { ...params }, options);
    yield* readLines<Value>(data, options.signal);
  }

  async #send<Data>(operation: Operation, params: Parameters, options: RequestOptions): Promise<ApiResult<Data>> {
    const headers = this.#headers(operation, options);
    const attempt: Attempt = {
      ...this.#request(operation, params, headers),
      headers,
      signal: options.signal,
      stream: operation.stream ?? false,
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS,
      method: operation.method,
    };
    const repeatable = NATURALLY_IDEMPOTENT.has(operation.method) || headers['idempotency-key'] !== undefined;
    const maxRetries = repeatable ? (options.maxRetries ?? this.#options.maxRetries ?? MAX_RETRIES) : 0;

    const ownCredential = headers.authorization !== undefined || headers['x-api-key'] !== undefined;
    let renewed = false;
    for (let retries = 0; ; ) {
      const token = operation.public ? null : (this.#options.apiKey ?? (await this.session.accessToken()));
      // A bearer, for keys too: fetch drops `Authorization` when it follows a redirect to another origin, and keeps `X-API-Key`.
      if (token !== null && !ownCredential) headers.authorization = `Bearer ${token}`;
      try {
        const result = await this.#attempt<Data>(attempt);
        await this.#observe(operation, result.data);
        return result;
      } catch (error) {
        if (!(error instanceof RentApiError)) throw error;
        if (operation.id === 'auth.logout' && error.code === 'session_revoked') return this.#loggedOut(error);
        if (error.code === 'access_token_expired' && token !== null && !renewed) {
          renewed = true;
          if (await this.session.renew(token)) continue;
        }
        const delayMs = retries < maxRetries ? retryDelayMs(error, retries) : null;
        if (delayMs === null) throw error;
        retries++;
        await sleep(delayMs, options.signal);
      }
    }
  }

  #headers(operation: Operation, options: RequestOptions): Record<string, string> {
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json, */*;q=0.1' };
    // A path that names an organization says which: the client's own beside it would be a contradiction.
    const ownOrganizationId = operation.path.includes('{orgId}') ? undefined : this.#options.organizationId;
    const organizationId = options.organizationId ?? ownOrganizationId;
    if (organizationId !== undefined) headers['x-organization-id'] = organizationId;
    if (options.ifMatch !== undefined) headers['if-match'] = options.ifMatch;
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
    const signedIn = this.#options.apiKey !== undefined || this.session.tokens !== null;
    if (options.idempotencyKey !== undefined) headers['idempotency-key'] = options.idempotencyKey;
    else if (operation.keyed && signedIn) headers['idempotency-key'] ??= uuid();
    return headers;
  }

  #request(
    operation: Operation,
    params: Parameters,
    headers: Record<string, string>,
  ): { url: string; body: BodyInit | undefined } {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = String(params[name] ?? '');
      delete params[name];
      // An empty or dotted segment would make the URL of another operation.
      if (value === '' || value === '.' || value === '..')
        throw new TypeError(`${operation.id}: \`${name}\` must be an id, not '${value}'.`);
      return encodeURIComponent(value);
    });
    const query = new URLSearchParams();
    for (const name of operation.body ? (operation.query ?? []) : Object.keys(params)) {
      for (const value of [params[name]].flat())
        if (value !== undefined && value !== null) query.append(name, text(value));
      delete params[name];
    }
    const search = query.size > 0 ? `?${query}` : '';
    return { url: this.url(path + search), body: encodeBody(operation, params, headers) };
  }

  async #attempt<Data>(request: Attempt): Promise<ApiResult<Data>> {
    const { url, method, headers, body, signal, timeoutMs } = request;
    signal?.throwIfAborted();
    const controller = new AbortController();
    const onAbort = () => controller.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      controller.abort();
    }, timeoutMs);
    try {
      const fetch = this.#options.fetch ?? globalThis.fetch;
      const response = await fetch(url, {
        method,
        headers,
        body,
        signal: controller.signal,
        credentials: this.#options.credentials,
      });
      if (!response.ok)
        throw errorOfResponse(response, await response.text(), parseRetryAfter(response.headers.get('retry-after')));
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
      signal?.throwIfAborted();
      if (timedOut) throw new TimeoutError(`${method} ${url}: no answer within ${timeoutMs} ms.`, { code: 'timeout' });
      throw new ConnectionError(`${method} ${url}: ${reason(error)}`, { code: 'connection_failed', cause: error });
    } finally {
      clearTimeout(timer);
      if (!request.stream) signal?.removeEventListener('abort', onAbort);
    }
  }

  /** There is no session any more, which is what was asked for: the answer to an earlier try was lost on its way. */
  async #loggedOut<Data>({ status, headers, requestId }: RentApiError): Promise<ApiResult<Data>> {
    await this.session.end();
    // The guarantee: the document declares no data for this operation.
    return { data: undefined as Data, status: status ?? 0, headers: headers ?? new Headers(), requestId };
  }

  /** Logging in and out through the client changes whom it speaks for. */
  async #observe(operation: Operation, data: unknown): Promise<void> {
    if (this.#options.apiKey !== undefined || !operation.id.startsWith('auth.')) return;
    if (operation.id.startsWith('auth.logout')) await this.session.end();
    else if (isTokens(data) && operation !== REFRESH) await this.session.adopt(data);
  }

  async #exchange(refreshToken: string | null): Promise<TokensInput> {
    const startMs = Date.now();
    for (let retries = 0; ; retries++) {
      try {
        const { data } = await this.#send<unknown>(REFRESH, refreshToken === null ? {} : { refreshToken }, {});
        if (!isTokens(data))
          throw new RentApiError('The server answered a refresh without tokens.', { code: 'invalid_response' });
        return data;
      } catch (error) {
        const delayMs = error instanceof RentApiError ? retryDelayMs(error, retries) : null;
        if (delayMs === null || Date.now() + delayMs - startMs > REFRESH_REPEAT_MS) throw error;
        await sleep(delayMs);
      }
    }
  }
}

/** What the generated resources build on. */
export class Resource {
  protected readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }
}

function encodeBody(operation: Operation, params: Parameters, headers: Record<string, string>): BodyInit | undefined {
  if (operation.body === 'json') {
    headers['content-type'] = 'application/json';
    return JSON.stringify(params);
  }
  if (operation.body === 'form') {
    const form = new FormData();
    for (const [name, value] of Object.entries(params)) {
      for (const item of [value].flat())
        if (item !== undefined && item !== null) form.append(name, item instanceof Blob ? item : text(item));
    }
    return form;
  }
  if (operation.body === 'raw') {
    headers['content-type'] ??= operation.contentType ?? 'application/octet-stream';
    return params.body instanceof Blob ? params.body : text(params.body ?? '');
  }
  return undefined;
}

async function decodeBody(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (/[/+]json\b/.test(type)) return response.json();
  if (type.startsWith('text/')) return response.text();
  const body = await response.blob();
  return body.size === 0 ? undefined : body;
}

function text(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isTokens(data: unknown): data is TokensInput {
  return typeof data === 'object' && data !== null && 'accessToken' in data && typeof data.accessToken === 'string';
}

/** Node's fetch says only "fetch failed"; why is in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message || error.cause.name}` : error.message;
}

/** `crypto.randomUUID` exists only on https pages and localhost. */
function uuid(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
