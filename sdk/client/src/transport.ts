import { ApiPromise, type ApiResult, type Page, PagePromise } from './api-promise.ts';
import { bodyBytes, encodeParams } from './encode.ts';
import { RentApiError } from './errors.ts';
import { fetchOnce } from './fetch-once.ts';
import { readLines } from './lines.ts';
import type { Operation, RequestOptions } from './operation.ts';
import { retryDelayMs, sleep } from './retry.ts';
import { Session } from './session.ts';
import { isTokens, memoryStore, type SessionStore, type TokensInput, toSessionTokens } from './tokens.ts';
import { uuid } from './uuid.ts';

export interface TransportOptions {
  /** Where the server is, e.g. `https://api.example.com`; `''` in a web page is the page's own origin. */
  baseUrl: string;
  /** For a program: an API key. */
  apiKey?: string | undefined;
  /** For a user: where the tokens are kept, so that a login outlasts the client and is shared between tabs. */
  session?: SessionStore | undefined;
  /** For a user, instead of `session`: tokens to start with. They and their successors are kept in memory only. */
  tokens?: TokensInput | undefined;
  /** The organization of all calls whose path names none; default: the key's or the user's own. */
  organizationId?: string | undefined;
  /** Repeats of a failed call that may be repeated. Default 2. */
  maxRetries?: number | undefined;
  /** For each try. Default 60,000. */
  timeoutMs?: number | undefined;
  fetch?: typeof globalThis.fetch | undefined;
  /** How a browser treats cookies across origins: passed to `fetch`. */
  credentials?: RequestCredentials | undefined;
}

const MAX_RETRIES = 2;
const TIMEOUT_MS = 60_000;
const CREDENTIAL_HEADERS = new Set(['authorization', 'x-api-key']);
const NATURALLY_IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
/** What an ended session is refused with: for a logout, that is success. */
const SESSION_OVER = new Set(['session_revoked', 'invalid_refresh_token']);
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
    const credentials = (['apiKey', 'session', 'tokens'] as const).filter((name) => options[name] !== undefined);
    if (credentials.length > 1) throw new TypeError(`Give one of \`${credentials.join('` and `')}\`, not both.`);
    this.#options = options;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.session = this.#sessionIn(
      options.session ?? memoryStore(options.tokens ? toSessionTokens(options.tokens) : null),
    );
  }

  url(path: string): string {
    return this.#baseUrl + path;
  }

  call<Data>(operation: Operation, params: object = {}, options: RequestOptions = {}): ApiPromise<Data> {
    const session = this.#sessionFor(options);
    return new ApiPromise(
      session && operation.id === 'auth.logout'
        ? this.#logout<Data>(operation, params, options, session)
        : this.#send<Data>(operation, params, options, session),
    );
  }

  list<P extends Page>(operation: Operation, params: object = {}, options: RequestOptions = {}): PagePromise<P> {
    const page = (cursor?: string) =>
      this.#send<P>(operation, cursor === undefined ? params : { ...params, cursor }, options);
    return new PagePromise(page(), async (cursor) => (await page(cursor)).data);
  }

  /** The request is made when the first value is asked for; leaving the loop ends the answer. */
  async *lines<Value>(
    operation: Operation,
    params: object = {},
    options: RequestOptions = {},
  ): AsyncGenerator<Value, void, undefined> {
    const { data } = await this.#send<Response>(operation, params, options);
    yield* readLines<Value>(data, options.signal);
  }

  async #send<Data>(
    operation: Operation,
    params: object,
    options: RequestOptions,
    session: Session | null = this.#sessionFor(options),
  ): Promise<ApiResult<Data>> {
    const { path, body, contentType } = encodeParams(operation, params);
    const headers = this.#headers(operation, contentType, options);
    const request = {
      url: this.url(path),
      method: operation.method,
      headers,
      body,
      signal: options.signal,
      stream: operation.stream ?? false,
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS,
      fetch: this.#options.fetch ?? globalThis.fetch,
      credentials: this.#options.credentials,
    };
    const maxRetries = options.maxRetries ?? this.#options.maxRetries ?? MAX_RETRIES;

    let recovered = false;
    for (let retries = 0; ; ) {
      const token = operation.public ? null : ((await session?.accessToken()) ?? null);
      if (token !== null) headers.authorization = `Bearer ${token}`;
      if (operation.keyed && hasCredential(headers)) headers['idempotency-key'] ??= uuid();
      try {
        const result = await fetchOnce<Data>(request);
        // A login through the client is the login of the client.
        if (session && operation.id.startsWith('auth.') && isTokens(result.data)) await session.start(result.data);
        return result;
      } catch (error) {
        if (!(error instanceof RentApiError)) throw error;
        if (error.status === 401 && session && token !== null && !recovered) {
          recovered = true;
          if (await session.recover(token, error)) continue;
        }
        const repeatable = NATURALLY_IDEMPOTENT.has(operation.method) || headers['idempotency-key'] !== undefined;
        const delayMs = repeatable && retries < maxRetries ? retryDelayMs(error, retries, bodyBytes(body)) : null;
        if (delayMs === null) throw error;
        retries++;
        await sleep(delayMs, options.signal);
      }
    }
  }

  #headers(operation: Operation, contentType: string | undefined, options: RequestOptions): Record<string, string> {
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json, */*;q=0.1' };
    if (contentType !== undefined) headers['content-type'] = contentType;
    // A path that names an organization decides: the client's own in a header would contradict it.
    const ownOrganizationId = operation.path.includes('{orgId}') ? undefined : this.#options.organizationId;
    const organizationId = options.organizationId ?? ownOrganizationId;
    if (organizationId !== undefined) headers['x-organization-id'] = organizationId;
    if (options.ifMatch !== undefined) headers['if-match'] = options.ifMatch;
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
    if (options.idempotencyKey !== undefined) headers['idempotency-key'] = options.idempotencyKey;
    const { apiKey } = this.#options;
    // A bearer, for keys too: on a redirect to another origin fetch drops `Authorization`, and keeps `X-API-Key`.
    if (apiKey !== undefined && !operation.public && !hasCredential(headers))
      headers.authorization = `Bearer ${apiKey}`;
    return headers;
  }

  /** The session that signs a call; null where an API key or the call's own headers do. */
  #sessionFor({ headers = {} }: RequestOptions): Session | null {
    return this.#options.apiKey !== undefined || hasCredential(headers) ? null : this.session;
  }

  #sessionIn(store: SessionStore): Session {
    return new Session(store, async (refreshToken) => {
      const { data } = await this.#send<unknown>(REFRESH, refreshToken === null ? {} : { refreshToken }, {}, null);
      if (isTokens(data)) return data;
      throw new RentApiError('The server answered a refresh without tokens.', { code: 'invalid_response' });
    });
  }

  /** The store is cleared first: without a network, too, the user is logged out here. */
  async #logout<Data>(
    operation: Operation,
    params: object,
    options: RequestOptions,
    session: Session,
  ): Promise<ApiResult<Data>> {
    const ending = this.#sessionIn(memoryStore(await session.take()));
    try {
      return await this.#send<Data>(operation, params, options, ending);
    } catch (error) {
      if (!(error instanceof RentApiError && SESSION_OVER.has(error.code))) throw error;
      const { status, headers, requestId } = error;
      // The guarantee: the document declares no data for this operation.
      return { data: undefined as Data, status: status ?? 0, headers: headers ?? new Headers(), requestId };
    }
  }
}

function hasCredential(headers: Record<string, string>): boolean {
  return Object.keys(headers).some((name) => CREDENTIAL_HEADERS.has(name.toLowerCase()));
}
