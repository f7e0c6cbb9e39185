import type { ApiPromise } from './api-promise.ts';
import type { RequestInput } from './encode-request.ts';
import type { Cookies } from './generated/cookies.gen.ts';
import type { RequestOptions } from './operation.ts';
import { assertKnownOptions, type Credential, mergeOptions, namesCredential, type RentApiOptions } from './options.ts';
import { Realtime } from './realtime.ts';
import { Resource } from './resource.ts';
import type { SessionTokens } from './tokens.ts';
import { Transport } from './transport.ts';

/** The credentials that `withOptions` passes on. */
const inherited = new WeakMap<RentApiOptions, Credential>();

/** What every client has, whichever groups of operations it carries. */
export class Client extends Resource {
  /** Events over a WebSocket, as they happen. */
  readonly realtime: Realtime;
  readonly #options: RentApiOptions;

  constructor(options: RentApiOptions = {}) {
    assertKnownOptions(options);
    const transport = new Transport(options, inherited.get(options));
    super(transport);
    this.#options = options;
    this.realtime = new Realtime(transport, options.WebSocket);
  }

  get baseUrl(): string {
    return this.transport.baseUrl;
  }

  /** The options of `withOptions`. */
  protected changedOptions(changes: RentApiOptions): RentApiOptions {
    const options = mergeOptions(this.#options, changes);
    if (!namesCredential(changes)) inherited.set(options, this.transport.credential);
    return options;
  }

  /**
   * A call of an operation that this version has no method for, with the same credential, repeats and errors.
   * `path` begins with a slash, e.g. `/api/v1/users/me`.
   */
  request<Data = unknown>(
    method: string,
    path: string,
    input: RequestInput = {},
    options: RequestOptions = {},
  ): ApiPromise<Data> {
    return this.transport.request<Data>(method, path, input, options);
  }

  /** The user's tokens, read from the session's store; null with an API key or without a login. */
  tokens(): Promise<SessionTokens | null> {
    return this.transport.session.tokens();
  }

  /** The user's access token, renewed first if it is about to end; null with an API key or without a login. */
  accessToken(): Promise<string | null> {
    return this.transport.session.accessToken();
  }

  /**
   * The headers that a call of this client would send now, for requests that are not made by it. `change` adds an
   * `Idempotency-Key`.
   */
  requestHeaders({ change = false }: { change?: boolean } = {}): Promise<Record<string, string>> {
    return this.transport.requestHeaders(change);
  }

  /**
   * How a call of an operation is sent that is not made by this client: `asks` with cookies and `cookie: true` in its
   * input, `carries` with cookies, both with `session: 'cookie'` only; `always` with cookies; null without.
   */
  cookiesOf(operationId: string): Cookies | null {
    return this.transport.cookiesOf(operationId);
  }

  /** Begins the session of tokens that were answered to such a call, as a login through this client does. */
  adopt(data: unknown): Promise<void> {
    return this.transport.adopt(data);
  }

  /** Empties the session's store, as the logout does before it is sent. */
  async forget(): Promise<void> {
    await this.transport.session.take();
  }

  /**
   * After a 401 with `code` to a request with these headers: renews the session where that helps. Whether to make the
   * request again, with new headers.
   */
  recover(headers: Record<string, string>, code: string): Promise<boolean> {
    return this.transport.recover(headers, code);
  }
}
