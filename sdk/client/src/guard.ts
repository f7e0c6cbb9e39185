import type { VerifiedKey, VerifyApiKey } from './generated/types.gen.ts';
import type { Logger } from './observer.ts';

/** The part of a client that a guard uses: a `RentApi`, or a client of `ApiKeysResource`. */
export interface GuardClient {
  apiKeys: {
    verify(params: VerifyApiKey, options: { timeoutMs: number; maxRetries: number }): PromiseLike<VerifiedKey>;
  };
}

export type { VerifiedKey };

/** The same for every request, or decided for each; undefined leaves it out. */
type Decided<Request, Value> = Value | ((request: Request) => Value | undefined);

export interface GuardOptions<Request> {
  /** Its key needs the scope `api_keys:verify`. */
  client: GuardClient;
  /** What a request needs, e.g. `documents.read AND (team.alpha OR team.beta)`. */
  permissions?: Decided<Request, string> | undefined;
  /** The credits that it costs. Default 1. */
  cost?: Decided<Request, number> | undefined;
  /** The limits of the key that it counts against. Default: all, once each. */
  rateLimits?: Decided<Request, NonNullable<VerifyApiKey['rateLimits']>> | undefined;
  /** The caller's address, for keys with an `ipAllowList`. Default: Express's `req.ip`; elsewhere none. */
  ip?: ((request: Request) => string | undefined) | undefined;
  /** Where the key is. Default: `Authorization: Bearer` or `X-API-Key`. */
  key?: ((request: Request) => string | undefined) | undefined;
  /**
   * While keys cannot be verified: `refuse` answers 503; `allow` lets every request with a key pass, without a
   * `VerifiedKey`. A mistake in these options or in the client's own key refuses in either case. Default `refuse`.
   */
  duringOutage?: 'refuse' | 'allow' | undefined;
  /** How long an answer is waited for. Default 3,000. */
  timeoutMs?: number | undefined;
  /** Hears why a key could not be verified. Default: `console.error`. */
  onError?: ((error: unknown) => void) | undefined;
}

/** A decision about a request. `key` is null where the request passes during an outage. */
type Decision =
  | { passes: true; key: VerifiedKey | null; headers: Record<string, string> }
  | { passes: false; status: number; body: string; headers: Record<string, string> };

interface Adapter<Request> {
  header(request: Request, name: string): string | undefined;
  ip(request: Request): string | undefined;
}

const TIMEOUT_MS = 3000;
/** Longer text is no key, and is not sent. */
const MAX_KEY = 500;
const OUTAGE_RETRY_S = 2;

type Refusal = [status: number, code: string, title: string, detail: string];

const MISSING: Refusal = [
  401,
  'api_key_required',
  'API key required',
  'Send your API key as `Authorization: Bearer <key>` or `X-API-Key: <key>`.',
];
const UNVERIFIED: Refusal = [
  503,
  'api_key_not_verified',
  'API key not verified',
  'API keys cannot be verified for a moment: wait and repeat the request.',
];
const INVALID: Refusal = [401, 'invalid_api_key', 'Invalid API key', 'Check that the API key was copied whole.'];
const REFUSALS: Record<string, Refusal> = {
  NOT_FOUND: INVALID,
  DISABLED: [401, 'api_key_disabled', 'API key disabled', 'This API key is revoked or switched off: use another.'],
  EXPIRED: [401, 'api_key_expired', 'API key expired', 'This API key has expired: use a new one.'],
  FORBIDDEN: [403, 'address_not_allowed', 'Address not allowed', 'This API key does not work from this address.'],
  INSUFFICIENT_PERMISSIONS: [
    403,
    'insufficient_permissions',
    'Insufficient permissions',
    'This API key may not do that: ask for a key with more permissions.',
  ],
  USAGE_EXCEEDED: [429, 'usage_exceeded', 'Usage exceeded', 'The credits of this API key are used up.'],
  RATE_LIMITED: [
    429,
    'rate_limited',
    'Rate limited',
    'This API key has been used too often: wait and repeat the request.',
  ],
};

/** Nothing is kept between requests: a revoked key is refused as soon as the server refuses it. */
async function decide<Request>(
  options: GuardOptions<Request>,
  request: Request,
  adapter: Adapter<Request>,
): Promise<Decision> {
  try {
    const key = options.key ? options.key(request) : sentKey((name) => adapter.header(request, name));
    if (!key) return refuse(MISSING, { 'WWW-Authenticate': 'Bearer' });
    if (key.length > MAX_KEY) return refuse(INVALID, { 'WWW-Authenticate': 'Bearer error="invalid_token"' });
    const { client, timeoutMs = TIMEOUT_MS } = options;
    // A repeat could spend twice.
    const verified = await client.apiKeys.verify(asked(options, request, key, adapter), { timeoutMs, maxRetries: 0 });
    return judge(verified);
  } catch (error) {
    report(options, error);
    if (options.duringOutage === 'allow' && isOutage(error)) return { passes: true, key: null, headers: {} };
    return refuse(UNVERIFIED, { 'Retry-After': String(OUTAGE_RETRY_S) });
  }
}

function asked<Request>(
  options: GuardOptions<Request>,
  request: Request,
  key: string,
  adapter: Adapter<Request>,
): VerifyApiKey {
  const [permissions, cost, rateLimits] = [
    decided(options.permissions, request),
    decided(options.cost, request),
    decided(options.rateLimits, request),
  ];
  const ip = options.ip ? options.ip(request) : adapter.ip(request);
  return {
    key,
    ...(permissions !== undefined && { permissions }),
    ...(cost !== undefined && { cost }),
    ...(rateLimits !== undefined && { rateLimits }),
    ...(ip !== undefined && { ip }),
  };
}

function decided<Request, Value extends string | number | object>(
  value: Decided<Request, Value> | undefined,
  request: Request,
): Value | undefined {
  return typeof value === 'function' ? value(request) : value;
}

function sentKey(header: (name: string) => string | undefined): string | undefined {
  const authorization = header('authorization');
  return authorization === undefined ? header('x-api-key') : /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}

function judge(verified: VerifiedKey): Decision {
  const headers = rateLimitHeader(verified);
  if (verified.valid) return { passes: true, key: verified, headers };
  // A later version of the server may have reasons of its own.
  const refusal = REFUSALS[verified.code] ?? INVALID;
  if (refusal[0] === 401) headers['WWW-Authenticate'] = 'Bearer error="invalid_token"';
  if (typeof verified.retryAfter === 'number') headers['Retry-After'] = String(verified.retryAfter);
  return refuse(refusal, headers);
}

/** `RateLimit` (draft-ietf-httpapi-ratelimit-headers): each limit, what is left of it, and when it is full again. */
function rateLimitHeader({ rateLimits }: VerifiedKey): Record<string, string> {
  if (!rateLimits || rateLimits.length === 0) return {};
  const seconds = (resetAt: string) => Math.max(0, Math.ceil((Date.parse(resetAt) - Date.now()) / 1000));
  const each = rateLimits.map(({ name, remaining, resetAt }) => `"${name}";r=${remaining};t=${seconds(resetAt)}`);
  return { RateLimit: each.join(', ') };
}

function refuse([status, code, title, detail]: Refusal, headers: Record<string, string>): Decision {
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code });
  return {
    passes: false,
    status,
    body,
    headers: { ...headers, 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' },
  };
}

/** No answer, or one that says to come again. Another 4xx is a mistake of this program. */
function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('status' in error)) return false;
  const { status } = error;
  return status === null || status === undefined || (typeof status === 'number' && (status >= 500 || status === 429));
}

function report<Request>({ onError }: GuardOptions<Request>, error: unknown): void {
  const log: Pick<Logger, 'error'> = console;
  if (onError) onError(error);
  else log.error('RentAPI could not verify an API key:', error);
}

/** What a guard reads of Express's request, and writes to its response. */
export interface ExpressRequest {
  headers: Record<string, string | string[] | undefined>;
  ip?: string | undefined;
}
export interface ExpressResponse {
  locals: object;
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/**
 * A middleware of Express, which puts the `VerifiedKey` into `res.locals.apiKey`. Behind a proxy, `req.ip` is the
 * caller's address only with Express's setting `trust proxy`.
 */
export function expressGuard<Req extends ExpressRequest>(options: GuardOptions<Req>) {
  const adapter: Adapter<Req> = {
    header: ({ headers }, name) => first(headers[name]),
    ip: ({ ip }) => ip,
  };
  return async (req: Req, res: ExpressResponse, next: () => void): Promise<void> => {
    const decision = await decide(options, req, adapter);
    for (const [name, value] of Object.entries(decision.headers)) res.setHeader(name, value);
    if (decision.passes) {
      Object.assign(res.locals, { apiKey: decision.key });
      next();
    } else {
      res.statusCode = decision.status;
      res.end(decision.body);
    }
  };
}

/** What a guard uses of Hono's context. */
export interface HonoContext {
  req: { header(name: string): string | undefined };
  set(name: 'apiKey', value: VerifiedKey | null): void;
  header(name: string, value: string): void;
}

/** A middleware of Hono, which sets the variable `apiKey` to the `VerifiedKey`. */
export function honoGuard<Context extends HonoContext>(options: GuardOptions<Context>) {
  const adapter: Adapter<Context> = { header: ({ req }, name) => req.header(name), ip: () => undefined };
  return async (context: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const decision = await decide(options, context, adapter);
    if (!decision.passes) return new Response(decision.body, { status: decision.status, headers: decision.headers });
    context.set('apiKey', decision.key);
    for (const [name, value] of Object.entries(decision.headers)) context.header(name, value);
    await next();
    return undefined;
  };
}

/** A handler of Fetch's requests behind the guard; it also gets the `VerifiedKey`, and what else the runtime passes. */
export function fetchGuard<Rest extends unknown[]>(
  options: GuardOptions<Request>,
  handler: (request: Request, key: VerifiedKey | null, ...rest: Rest) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const adapter: Adapter<Request> = {
    header: ({ headers }, name) => headers.get(name) ?? undefined,
    ip: () => undefined,
  };
  return async (request, ...rest) => {
    const decision = await decide(options, request, adapter);
    const { headers } = decision;
    if (!decision.passes) return new Response(decision.body, { status: decision.status, headers });
    const answer = await handler(request, decision.key, ...rest);
    return withHeaders(answer, headers);
  };
}

function withHeaders(answer: Response, headers: Record<string, string>): Response {
  const set = (to: Response) => {
    for (const [name, value] of Object.entries(headers)) to.headers.set(name, value);
    return to;
  };
  try {
    return set(answer);
  } catch {
    return set(new Response(answer.body, answer)); // one that came from `fetch` cannot be changed
  }
}
