import type { CodesByStatus, KnownErrorCode } from './generated/resources.gen.ts';

/** Codes of failures that no answer of the server names. */
export type ClientErrorCode =
  | 'closed'
  | 'connection_failed'
  | 'cursor_loop'
  | 'invalid_response'
  | 'reader_too_slow'
  | 'timeout'
  | 'unknown_error';

/** A code of the catalogue (`/docs/errors/<code>`), one of this package, or one that a newer server has added. */
export type ErrorCode = KnownErrorCode | ClientErrorCode | (string & {});

/** The codes of one status, and those that a newer server has added. */
type CodeOf<Status extends keyof CodesByStatus> = CodesByStatus[Status] | (string & {});

/** The same in each copy of this package that a program has loaded, e.g. the ESM and the CommonJS one. */
const BRAND = Symbol.for('@rentapi/sdk RentApiError');

/** One thing wrong with the input: where (`scopes.0`) and what. */
export interface FieldError {
  path: string;
  message: string;
}

/** The `application/problem+json` body of a failed call (RFC 9457). */
export interface ProblemBody {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  requestId?: string;
  errors?: FieldError[];
}

/** What every failed call throws. The class gives the kind of error, `code` the exact one. */
export class RentApiError extends Error {
  declare readonly name: string;
  readonly code: ErrorCode;
  /** The HTTP status; undefined where no answer arrived. */
  readonly status: number | undefined;
  /** Quote it when you report a problem. */
  readonly requestId: string | null;
  /** The fields at fault, for invalid input. */
  readonly errors: FieldError[];
  /** The answer's body, where it was problem+json. */
  readonly problem: ProblemBody | null;
  readonly headers: Headers | null;
  /** Seconds that the server asks you to wait, where it does. */
  readonly retryAfter: number | null;
  /** Where the code is explained, on the server that answered. */
  readonly docsUrl: string | null;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code ?? 'unknown_error';
    this.status = details.status;
    this.requestId = details.requestId ?? null;
    this.problem = details.problem ?? null;
    this.errors = details.problem?.errors ?? [];
    this.headers = details.headers ?? null;
    this.retryAfter = details.retryAfter ?? null;
    this.docsUrl = details.docsUrl ?? null;
  }
}

export interface ErrorDetails {
  code?: ErrorCode;
  status?: number;
  requestId?: string | null;
  problem?: ProblemBody | null;
  headers?: Headers | null;
  retryAfter?: number | null;
  docsUrl?: string | null;
  cause?: unknown;
}

/** 400: the request is malformed; `errors` lists the fields. */
export class BadRequestError extends RentApiError {
  declare readonly name: 'BadRequestError';
  declare readonly code: CodeOf<400>;
}
/** 401: no credential, or one that is not valid any more. */
export class AuthenticationError extends RentApiError {
  declare readonly name: 'AuthenticationError';
  declare readonly code: CodeOf<401>;
}
/** 402: it costs more credits than there are. */
export class PaymentRequiredError extends RentApiError {
  declare readonly name: 'PaymentRequiredError';
  declare readonly code: 'insufficient_credits' | (string & {});
}
/** 403: known, but not allowed. */
export class PermissionDeniedError extends RentApiError {
  declare readonly name: 'PermissionDeniedError';
  declare readonly code: CodeOf<403>;
}
/** 404: nothing with this id in an organization you can see. */
export class NotFoundError extends RentApiError {
  declare readonly name: 'NotFoundError';
  declare readonly code: CodeOf<404>;
}
/** 409: the state of the resource does not allow it. */
export class ConflictError extends RentApiError {
  declare readonly name: 'ConflictError';
  declare readonly code: CodeOf<409>;
}
/** 412: changed meanwhile; read again and repeat with the new `ETag`. */
export class PreconditionFailedError extends RentApiError {
  declare readonly name: 'PreconditionFailedError';
  declare readonly code: CodeOf<412>;
}
/** 422: understood, but cannot be done. */
export class UnprocessableError extends RentApiError {
  declare readonly name: 'UnprocessableError';
  declare readonly code: CodeOf<422>;
}
/** 429: `retryAfter` says how many seconds to wait. */
export class RateLimitError extends RentApiError {
  declare readonly name: 'RateLimitError';
  declare readonly code: CodeOf<429>;
}
/** 5xx: the server failed. */
export class ServerError extends RentApiError {
  declare readonly name: 'ServerError';
}
/** No answer arrived: the network, DNS or TLS failed, or the answer broke off. */
export class ConnectionError extends RentApiError {
  declare readonly name: 'ConnectionError' | 'TimeoutError';
}
/** No answer arrived in time. */
export class TimeoutError extends ConnectionError {
  declare readonly name: 'TimeoutError';
}

// Written out, because minifiers rename classes; on the prototype, so that the stack begins with it.
const CLASSES = {
  RentApiError,
  BadRequestError,
  AuthenticationError,
  PaymentRequiredError,
  PermissionDeniedError,
  NotFoundError,
  ConflictError,
  PreconditionFailedError,
  UnprocessableError,
  RateLimitError,
  ServerError,
  ConnectionError,
  TimeoutError,
};
for (const [name, { prototype }] of Object.entries(CLASSES))
  Object.defineProperty(prototype, 'name', { value: name, writable: true, configurable: true });
Object.defineProperty(RentApiError.prototype, BRAND, { value: true });
Object.defineProperty(RentApiError, Symbol.hasInstance, { value: isInstance });

/** `instanceof`: an error of another copy of this package counts too, because each class is known by its name. */
function isInstance(this: typeof RentApiError, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const name = BRAND in value ? ownName(this.prototype) : undefined;
  for (let level = Object.getPrototypeOf(value); level !== null; level = Object.getPrototypeOf(level))
    if (level === this.prototype || (name !== undefined && ownName(level) === name)) return true;
  return false;
}

function ownName(prototype: object): unknown {
  return Object.getOwnPropertyDescriptor(prototype, 'name')?.value;
}

const CLASS_OF_STATUS: Record<number, typeof RentApiError> = {
  400: BadRequestError,
  401: AuthenticationError,
  402: PaymentRequiredError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  412: PreconditionFailedError,
  422: UnprocessableError,
  429: RateLimitError,
};

export function classOfStatus(status: number): typeof RentApiError {
  return CLASS_OF_STATUS[status] ?? (status >= 500 ? ServerError : RentApiError);
}

/** The error for an answer outside 2xx. Proxies answer with HTML: then the code is `http_<status>`. */
export function errorOfResponse(
  response: Response,
  url: string,
  bodyText: string,
  retryAfter: number | null,
): RentApiError {
  const problem = parseProblem(bodyText);
  const ErrorClass = classOfStatus(response.status);
  const code = problem?.code ?? `http_${response.status}`;
  const sentence =
    fieldsAtFault(problem) ??
    problem?.detail ??
    problem?.title ??
    (response.statusText || 'The server answered without a reason.');
  return new ErrorClass(`${response.status} ${code}: ${sentence}`, {
    code,
    status: response.status,
    requestId: problem?.requestId ?? response.headers.get('x-request-id'),
    problem,
    headers: response.headers,
    retryAfter,
    docsUrl: docsUrl(problem, response.url || url),
  });
}

/** A server behind a proxy may not know its own address, and gives only the path. */
function docsUrl(problem: ProblemBody | null, url: string): string | null {
  try {
    const docs = new URL(problem?.type ?? '', new URL(url, globalThis.location?.href));
    return problem?.type && /^https?:$/.test(docs.protocol) ? docs.href : null;
  } catch {
    return null;
  }
}

const MAX_FIELDS = 5;

/** A log shows the message alone: the fields at fault belong in it. */
function fieldsAtFault(problem: ProblemBody | null): string | undefined {
  const errors = problem?.errors ?? [];
  if (errors.length === 0) return undefined;
  const fields = errors.slice(0, MAX_FIELDS).map(({ path, message }) => (path ? `${path} ${message}` : message));
  if (errors.length > MAX_FIELDS) fields.push(`and ${errors.length - MAX_FIELDS} more`);
  return `${fields.join('; ')}.`;
}

function parseProblem(bodyText: string): ProblemBody | null {
  try {
    const body: unknown = JSON.parse(bodyText);
    return isProblem(body) ? body : null;
  } catch {
    return null;
  }
}

/** The guarantee: the server writes every problem with a `code`, and no other body has one. */
function isProblem(body: unknown): body is ProblemBody {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';
}
