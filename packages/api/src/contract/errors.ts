import { TRPCError } from '@trpc/server';
import { ERRORS } from '../slices/errors.ts';
import type { ErrorRows } from './error-rows.ts';

export type ErrorCode = keyof typeof ERRORS;

/** One thing wrong with the input: where (`scopes.0`) and what. */
export interface FieldError {
  path: string;
  message: string;
}

interface Details {
  /** Replaces the sentence of the catalogue. It must contain nothing that the caller may not know. */
  detail?: string;
  errors?: FieldError[];
  retryAfterS?: number;
  cause?: unknown;
}

/** tRPC's own code for each status. */
export const TRPC_CODES = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  402: 'PAYMENT_REQUIRED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  408: 'TIMEOUT',
  409: 'CONFLICT',
  412: 'PRECONDITION_FAILED',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'UNPROCESSABLE_CONTENT',
  426: 'BAD_REQUEST', // tRPC has no code for it, and never answers it
  429: 'TOO_MANY_REQUESTS',
  431: 'BAD_REQUEST', // as 426
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
} as const;

/** The error that services throw: `throw new ApiError('not_found')`. HTTP and tRPC render it from the catalogue. */
export class ApiError extends TRPCError {
  readonly errorCode: ErrorCode;
  readonly detail: string;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterS: number | undefined;

  constructor(errorCode: ErrorCode, details: Details = {}) {
    const row = ERRORS[errorCode];
    super({ code: TRPC_CODES[row.status], message: details.detail ?? row.fix, cause: details.cause });
    this.errorCode = errorCode;
    this.detail = details.detail ?? row.fix;
    this.errors = details.errors;
    this.retryAfterS = details.retryAfterS;
  }

  get status(): keyof typeof TRPC_CODES {
    return ERRORS[this.errorCode].status;
  }

  get refusesCredential(): boolean {
    const row: ErrorRows[string] = ERRORS[this.errorCode];
    return row.refusesCredential === true;
  }
}
