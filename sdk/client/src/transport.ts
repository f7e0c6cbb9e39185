import { ApiPromise, type ApiResult, type Page, PagePromise, RawMode } from './api-promise.ts';
import { bodyBytes, type EncodedParams, encodeParams } from './encode.ts';
import type { RequestInput } from './encode-request.ts';
import { RentApiError } from './errors.ts';
import { fetchOnce } from './fetch-once.ts';
import { COOKIE_OPERATIONS, type Cookies } from './generated/cookies.gen.ts';
import { type CallAttempt, Observer } from './observer.ts';
import type { Operation, RequestOptions } from './operation.ts';
import { baseUrlOf, type Credential, credentialOf, type HeadersInput, type RentApiOptions } from './options.ts';
import { retryDelayMs, sleep } from './retry.ts';
import { sdkHeader } from './runtime.ts';
import { Session } from './session.ts';
import { IN_COOKIE, isTokens, memoryStore, type SessionStore } from './tokens.ts';
import { uuid } from './uuid.ts';

const MAX_RETRIES = 2;
const TIMEOUT_MS = 60_000;
const CREDENTIAL_HEADERS = ['authorization', 'x-api-key'];
const NATURALLY_IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
/** What an ended session is refused with: for a logout, that is success. */
const SESSION_OVER = new Set(['session_revoked', 'invalid_refresh_token']);
/** Without a cookie there is no session to end. */
const COOKIE_OVER = 'credentials_required';
const REFRESH: Operation = {
  id: 'auth.refresh',
  method: 'POST',
  path: '/api/v1/auth/refresh',
  public: true,
  body: 'json',
};

type HeaderFields = Record<string, string>;

/** What signs a call; null: its own headers do. */
type Signer = Session | 'key' | null;

interface Sending {
  operation: Operation;
  encode: () => EncodedParams | Promise<EncodedParams>;
  options: RequestOptions;
  /** Default: the client's; null: none. */
  session?: Session | null;
  raw?: RawMode;
}

/** Sends operations: credentials, repeats, errors. The generated methods are one call of `call` or `list` each. */
export class Transport {
  readonly session: Session;
  readonly credential: Credential;
  readonly observer: Observer;
  readonly baseUrl: string;
  readonly #options: RentApiOptions;

  constructor(options: RentApiOptions, credential: Credential = credentialOf(options)) {
    this.#options = options;
    this.baseUrl = baseUrlOf(options);
    this.observer = new Observer(options);
    this.credential = credential;
    this.session = this.#sessionIn(credential.store);
  }

  url(path: string): string {
    return this.baseUrl + path;
  }

  call<Data>(operation: Operation, params: object = {}, options: RequestOptions = {}): ApiPromise<Data> {
    const raw = new RawMode(operation.stream);
    const given = this.cookiesOf(operation.id) === 'asks' ? { cookie: true, ...params } : params;
    const sending = { operation, encode: () => encodeParams(operation, given), options, raw };
    return new ApiPromise(
      operation.id === 'auth.logout' ? this.#logout<Data>(sending) : this.#send<Data>(sending),
      raw,
    );
  }

  list<P extends Page>(operation: Operation, params: object = {}, options: RequestOptions = {}): PagePromise<P> {
    const raw = new RawMode();
    const page = (mode: RawMode, more: object = {}) =>
      this.#send<P>({ operation, encode: () => encodeParams(operation, { ...params, ...more }), options, raw: mode });
    return new PagePromise(page(raw), raw, async (cursor) => (await page(new RawMode(), { cursor })).data);
  }

  /** The request is made when the first value is asked for; leaving the loop ends the answer. */
  async *lines<Value>(
    operation: Operation,
    params: object = {},
    options: RequestOptions = {},
  ): AsyncGenerator<Value, void, undefined> {
    const sending = { operation, encode: () => encodeParams(operation, params), options, raw: new RawMode(true) };
    const { readLines } = await import('./lines.ts');
    yield* readLines<Value>((await this.#send<Response>(sending)).data, options.signal);
  }

  request<Data>(method: string, path: string, input: RequestInput, options: RequestOptions): ApiPromise<Data> {
    const raw = new RawMode();
    const name = method.toUpperCase();
    const keyed = name !== 'GET' && name !== 'HEAD';
    const operation = { id: 'request', method: name, path, keyed, accept: input.accept, empty: true };
    const encode = async () => (await import('./encode-request.ts')).encodeRequest(path, input);
    return new ApiPromise(this.#send<Data>({ operation, encode, options, raw }), raw);
  }

  /** What a call would send but for its body. */
  async requestHeaders(change: boolean): Promise<HeaderFields> {
    const operation = { id: '', method: '', path: '', keyed: change };
    const { accept: _, ...headers } = this.#headers(operation, undefined, {});
    await this.#sign(headers, operation, this.#signerOf(headers));
    return headers;
  }

  /** After a 401 to a request with these headers: whether it may succeed with new ones. */
  async recover(headers: HeaderFields, code: string): Promise<boolean> {
    const token = headers.authorization?.replace('Bearer ', '');
    return token !== undefined && !this.credential.apiKey && this.session.recover(token, code);
  }

  async #send<Data>({ operation, encode, options, raw, session }: Sending): Promise<ApiResult<Data>> {
    const { method, id: operationId, accept, empty: mayBeEmpty = false } = operation;
    const { path, body, contentType } = await encode();
    const { fetch = globalThis.fetch, fetchOptions, credentials } = this.#options;
    const headers = this.#headers(operation, contentType, options);
    const signer = this.#signerOf(headers, session);
    const request = {
      url: this.url(path),
      method,
      headers,
      body,
      signal: options.signal,
      isRaw: () => raw?.decide() ?? false,
      accept,
      mayBeEmpty,
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS,
      fetch,
      init: {
        ...(credentials && { credentials }),
        ...fetchOptions,
        // Across origins the server allows cookies to these operations only.
        ...(this.cookiesOf(operationId) && { credentials: 'include' }),
      },
    };
    const maxRetries = options.maxRetries ?? this.#options.maxRetries ?? MAX_RETRIES;
    const startMs = Date.now();
    let attempt: CallAttempt = { operationId, method, url: request.url, attempt: 0 };

    let recovered = false;
    try {
      for (let retries = 0; ; ) {
        attempt = { ...attempt, attempt: attempt.attempt + 1 };
        const token = await this.#sign(headers, operation, signer);
        try {
          const result = await this.#observed(attempt, () => fetchOnce<Data>(request));
          if (signer instanceof Session && operationId in COOKIE_OPERATIONS) await this.#adopt(signer, result.data);
          return result;
        } catch (error) {
          if (!(error instanceof RentApiError)) throw error;
          if (error.status === 401 && signer instanceof Session && token !== null && !recovered) {
            recovered = true;
            if (await signer.recover(token, error.code)) {
              this.observer.retry(attempt, error, 0);
              continue;
            }
          }
          const repeatable =
            operation.repeatable || NATURALLY_IDEMPOTENT.has(method) || headers['idempotency-key'] !== undefined;
          const delayMs = repeatable && retries < maxRetries ? retryDelayMs(error, retries, bodyBytes(body)) : null;
          if (delayMs === null) throw error;
          retries++;
          this.observer.retry(attempt, error, delayMs);
          await sleep(delayMs, options.signal);
        }
      }
    } catch (error) {
      this.observer.error(attempt, error, Date.now() - startMs);
      throw error;
    }
  }

  /** A login through the client is the login of the client. */
  async #adopt(session: Session, data: unknown): Promise<void> {
    if (!isTokens(data)) return;
    this.credential.fallbackKey = undefined;
    await session.start(data);
  }

  cookiesOf(operationId: string): Cookies | null {
    const cookies = COOKIE_OPERATIONS[operationId] ?? null;
    return this.credential.cookie || cookies === 'always' ? cookies : null;
  }

  /** For calls that are not sent by the client. */
  async adopt(data: unknown): Promise<void> {
    if (!this.credential.apiKey) await this.#adopt(this.session, data);
  }

  async #observed<Data>(attempt: CallAttempt, send: () => Promise<ApiResult<Data>>): Promise<ApiResult<Data>> {
    const startMs = Date.now();
    this.observer.request(attempt);
    try {
      const result = await send();
      this.observer.response(attempt, result.status, result.requestId, Date.now() - startMs);
      return result;
    } catch (error) {
      if (error instanceof RentApiError && error.status !== undefined)
        this.observer.response(attempt, error.status, error.requestId, Date.now() - startMs);
      throw error;
    }
  }

  #headers(operation: Operation, contentType: string | undefined, options: RequestOptions): HeaderFields {
    const { accept = 'application/json' } = operation;
    const headers: HeaderFields = { accept: `${accept}, application/problem+json, */*;q=0.1`, ...sdkHeader() };
    if (contentType !== undefined) headers['content-type'] = contentType;
    // A path that names an organization decides: the client's own in a header would contradict it.
    const ownOrganizationId = /\{orgId\}|\/org_/.test(operation.path) ? undefined : this.#options.organizationId;
    const organizationId = options.organizationId ?? ownOrganizationId;
    if (organizationId !== undefined) headers['x-organization-id'] = organizationId;
    addHeaders(headers, this.#options.headers);
    if (operation.public) for (const name of CREDENTIAL_HEADERS) delete headers[name];
    if (typeof options.ifMatch === 'string') headers['if-match'] = options.ifMatch;
    addHeaders(headers, options.headers);
    if (options.idempotencyKey !== undefined) headers['idempotency-key'] = options.idempotencyKey;
    return headers;
  }

  #signerOf(headers: HeaderFields, session: Session | null = this.session): Signer {
    if (hasCredential(headers)) return null;
    return this.credential.apiKey ? 'key' : session;
  }

  /** Adds the credential of this try, and one Idempotency-Key for all. Returns the session's token where that signs. */
  async #sign(headers: HeaderFields, operation: Operation, signer: Signer): Promise<string | null> {
    const { apiKey, fallbackKey } = this.credential;
    let token: string | null = null;
    if (signer !== null && !operation.public) {
      if (signer !== 'key') token = await signer.accessToken();
      const key = signer === 'key' ? await apiKey?.() : fallbackKey;
      const bearer = token ?? key;
      // A bearer, for keys too: on a redirect to another origin fetch drops `Authorization`, and keeps `X-API-Key`.
      if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`;
    }
    if (operation.keyed && hasCredential(headers)) headers['idempotency-key'] ??= uuid();
    return token;
  }

  #sessionIn(store: SessionStore): Session {
    return new Session(store, async (refreshToken) => {
      const params = refreshToken === null ? {} : { refreshToken };
      const encode = () => encodeParams(REFRESH, params);
      const { data } = await this.#send<unknown>({ operation: REFRESH, encode, options: {}, session: null });
      if (isTokens(data)) return data;
      throw new RentApiError('The server answered a refresh without tokens.', { code: 'invalid_response' });
    });
  }

  /** The store is cleared first: without a network, too, the user is logged out here. */
  async #logout<Data>(sending: Sending): Promise<ApiResult<Data>> {
    if (!(this.#signerOf(this.#headers(sending.operation, undefined, sending.options)) instanceof Session))
      return this.#send<Data>(sending);
    const { cookie } = this.credential;
    // After a logout without a network, the cookie is still there.
    const ending = this.#sessionIn(memoryStore((await this.session.take()) ?? (cookie ? IN_COOKIE : null)));
    try {
      return await this.#send<Data>({ ...sending, session: ending });
    } catch (error) {
      if (!(error instanceof RentApiError)) throw error;
      const { code, status, headers, requestId } = error;
      if (!SESSION_OVER.has(code) && !(cookie && code === COOKIE_OVER)) throw error;
      // The guarantee: the document declares no data for this operation.
      return { data: undefined as Data, status: status ?? 0, headers: headers ?? new Headers(), requestId };
    }
  }
}

function addHeaders(headers: HeaderFields, more: HeadersInput | undefined): void {
  for (const [name, value] of Object.entries(more ?? {})) {
    if (value === null) delete headers[name.toLowerCase()];
    else if (value !== undefined) headers[name.toLowerCase()] = value;
  }
}

function hasCredential(headers: HeaderFields): boolean {
  return CREDENTIAL_HEADERS.some((name) => name in headers);
}
