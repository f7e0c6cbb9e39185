import type { KnownErrorCode } from './generated/resources.gen.ts';

/** A code of the catalogue (`/docs/errors/<code>`), or one that a newer server has added. */
export type ErrorCode = KnownErrorCode | (string & {});

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
  override readonly name: string;
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

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code ?? 'unknown_error';
    this.status = details.status;
    this.requestId = details.requestId ?? null;
    this.problem = details.problem ?? null;
    this.errors = details.problem?.errors ?? [];
    this.headers = details.headers ?? null;
    this.retryAfter = details.retryAfter ?? null;
  }
}

export interface ErrorDetails {
  code?: ErrorCode;
  status?: number;
  requestId?: string | null;
  problem?: ProblemBody | null;
  headers?: Headers | null;
  retryAfter?: number | null;
  cause?: unknown;
}

/** 400: the request is malformed; `errors` lists the fields. */
export class BadRequestError extends RentApiError {}
/** 401: no credential, or one that is not valid any more. */
export class AuthenticationError extends RentApiError {}
/** 403: known, but not allowed. */
export class PermissionDeniedError extends RentApiError {}
/** 404: nothing with this id in an organization you can see. */
export class NotFoundError extends RentApiError {}
/** 409: the state of the resource does not allow it. */
export class ConflictError extends RentApiError {}
/** 412: changed meanwhile; read again and repeat with the new `ETag`. */
export class PreconditionFailedError extends RentApiError {}
/** 422: understood, but cannot be done. */
export class UnprocessableError extends RentApiError {}
/** 429: `retryAfter` says how many seconds to wait. */
export class RateLimitError extends RentApiError {}
/** 5xx: the server failed. */
export class ServerError extends RentApiError {}
/** No answer arrived: the network, DNS or TLS failed, or the answer broke off. */
export class ConnectionError extends RentApiError {}
/** No answer arrived in time. */
export class TimeoutError extends ConnectionError {}

const CLASS_OF_STATUS: Record<number, typeof RentApiError> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  412: PreconditionFailedError,
  422: UnprocessableError,
  429: RateLimitError,
};

/** The error for an answer outside 2xx. Proxies answer with HTML: then the code is `http_<status>`. */
export function errorOfResponse(response: Response, bodyText: string, retryAfter: number | null): RentApiError {
  const problem = parseProblem(bodyText);
  const ErrorClass = CLASS_OF_STATUS[response.status] ?? (response.status >= 500 ? ServerError : RentApiError);
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
  });
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
