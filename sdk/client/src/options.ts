import type { ObserverOptions } from './observer.ts';
import type { WebSocketConstructor } from './realtime-connection.ts';
import { isBrowser, readEnv } from './runtime.ts';
import { IN_COOKIE, memoryStore, type SessionStore, type TokensInput, toSessionTokens } from './tokens.ts';

export interface RentApiOptions extends ObserverOptions {
  /**
   * Where the server is, e.g. `https://api.example.com`; `''` in a web page is the page's own origin. Default: the
   * environment's `RENTAPI_BASE_URL`.
   */
  baseUrl?: string | undefined;
  /**
   * For a program: an API key, or a function that returns one and is asked before each try. Default, where there is no
   * `session` and no `tokens`: the environment's `RENTAPI_API_KEY`, until a login; `null` for none.
   */
  apiKey?: string | (() => string | Promise<string>) | null | undefined;
  /** A key in a web page can be read by everyone who opens the page, so it is refused there without this. */
  allowApiKeyInBrowser?: boolean | undefined;
  /**
   * For a user: where the tokens are kept, so that a login outlasts the client and is shared between tabs. `'cookie'`
   * for a web page on the server's origin, or one that CORS_ORIGINS names: the refresh token is an HttpOnly cookie, and
   * nothing else is kept.
   */
  session?: SessionStore | 'cookie' | undefined;
  /** For a user, instead of `session`: tokens to start with. They and their successors are kept in memory only. */
  tokens?: TokensInput | undefined;
  /** The organization of all calls whose path names none; default: the key's or the user's own. */
  organizationId?: string | undefined;
  /** Sent with every call. */
  headers?: HeadersInput | undefined;
  /** Repeats of a failed call that may be repeated. Default 2. */
  maxRetries?: number | undefined;
  /** For each try. Default 60,000. */
  timeoutMs?: number | undefined;
  /** Instead of the runtime's, e.g. one that goes through a proxy or counts. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Passed to `fetch` with every call, e.g. `{ dispatcher }` for a proxy in Node. */
  fetchOptions?: FetchOptions | undefined;
  /** How a browser treats cookies of others across origins: passed to `fetch`. `session: 'cookie'` needs none. */
  credentials?: 'omit' | 'same-origin' | 'include' | undefined;
  /** Where the runtime has none (Node before 22): `import { WebSocket } from 'ws'`. */
  WebSocket?: WebSocketConstructor | undefined;
}

/** `null` takes away a header that would be sent otherwise. */
export type HeadersInput = Record<string, string | null | undefined>;

/** What `fetch` takes besides what a call decides. */
export interface FetchOptions {
  [name: string]: unknown;
  method?: never;
  headers?: never;
  body?: never;
  signal?: never;
}

/** What signs the calls of a client, and of those that `withOptions` made of it. */
export interface Credential {
  apiKey: (() => string | Promise<string>) | undefined;
  store: SessionStore;
  /** Whether the refresh token is a cookie. */
  cookie: boolean;
  /** From the environment: for calls without a session, until a login. */
  fallbackKey: string | undefined;
}

// A record, so that the compiler misses an option that is not listed.
const NAMES: Record<keyof RentApiOptions, true> = {
  baseUrl: true,
  apiKey: true,
  allowApiKeyInBrowser: true,
  session: true,
  tokens: true,
  organizationId: true,
  headers: true,
  maxRetries: true,
  timeoutMs: true,
  fetch: true,
  fetchOptions: true,
  credentials: true,
  WebSocket: true,
  logger: true,
  logLevel: true,
  hooks: true,
};
const CREDENTIALS = ['apiKey', 'session', 'tokens'] as const;

/** A misspelled option would be ignored without a word. */
export function assertKnownOptions(options: object): void {
  const unknown = Object.keys(options).find((name) => !(name in NAMES));
  if (unknown !== undefined)
    throw new TypeError(`RentApi has no option \`${unknown}\`. It has: ${Object.keys(NAMES).join(', ')}.`);
}

/** Of a client that differs in some options: a new credential replaces the old one, whatever kind it is. */
export function mergeOptions(options: RentApiOptions, changes: RentApiOptions): RentApiOptions {
  const rest = { ...options };
  if (namesCredential(changes)) for (const name of CREDENTIALS) delete rest[name];
  return { ...rest, ...changes, headers: { ...options.headers, ...changes.headers } };
}

export function namesCredential(options: RentApiOptions): boolean {
  return CREDENTIALS.some((name) => name in options);
}

export function credentialOf(options: RentApiOptions): Credential {
  const given = CREDENTIALS.filter((name) => options[name] !== undefined && options[name] !== null);
  if (given.length > 1) throw new TypeError(`Give one of \`${given.join('` and `')}\`, not both.`);
  const { session, tokens, apiKey } = options;
  // A variable of the environment under another name is the usual reason.
  if ('apiKey' in options && apiKey === undefined && given.length === 0) checkKey(apiKey);
  const own = apiKey ?? undefined;
  const fallbackKey = 'apiKey' in options || given.length > 0 ? undefined : readEnv('RENTAPI_API_KEY');
  if ((own ?? fallbackKey) !== undefined && isBrowser() && !options.allowApiKeyInBrowser)
    throw new TypeError(
      'Everyone who opens a web page can read an API key in it: log a user in instead, or set `allowApiKeyInBrowser`.',
    );
  const key = own === undefined || typeof own === 'function' ? undefined : checkKey(own);
  const cookie = session === 'cookie';
  return {
    cookie,
    apiKey: typeof own === 'function' ? async () => checkKey(await own()) : key === undefined ? undefined : () => key,
    store: cookie ? memoryStore(IN_COOKIE) : (session ?? memoryStore(tokens ? toSessionTokens(tokens) : null)),
    fallbackKey,
  };
}

/** A key that was read from a file ends with a newline, which is no character of a header. */
function checkKey(key: unknown): string {
  const text = typeof key === 'string' ? key.trim() : '';
  if (text !== '') return text;
  const found = typeof key === 'string' ? 'empty' : typeof key;
  throw new TypeError(`\`apiKey\` is ${found}. Is RENTAPI_API_KEY set? For a client without a key, pass null.`);
}

/** `localhost:8000` looks like an address, and would fail at the first call in words of the runtime's. */
export function baseUrlOf(options: RentApiOptions): string {
  const baseUrl = options.baseUrl ?? readEnv('RENTAPI_BASE_URL');
  if (baseUrl === '' ? isWebPage() : isHttpUrl(baseUrl)) return `${baseUrl}`.trim().replace(/\/+$/, '');
  const given =
    baseUrl === undefined
      ? 'it is missing, and RENTAPI_BASE_URL is not set'
      : baseUrl === ''
        ? "it is '', which means the page's own origin, and this is no web page"
        : `it is ${JSON.stringify(baseUrl)}`;
  throw new TypeError(`\`baseUrl\` must be a whole address such as https://api.example.com; ${given}.`);
}

function isWebPage(): boolean {
  return /^https?:$/.test(globalThis.location?.protocol ?? '');
}

function isHttpUrl(text: unknown): boolean {
  try {
    return typeof text === 'string' && /^\s*https?:\/\//i.test(text) && new URL(text) !== null;
  } catch {
    return false;
  }
}
