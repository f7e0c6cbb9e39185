import { isUnavailable, violatedConstraint } from '@rentapi/platform/database';
import { describeIssue } from '@rentapi/platform/describe-issue';
import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { ERRORS, UNIQUE_CONSTRAINTS } from '../slices/errors.ts';
import { ApiError, type ErrorCode, type FieldError, type TRPC_CODES } from './errors.ts';

const MAX_LISTED = 20;
const MAX_PATH = 200;

/** RFC 9457, with a `code` to branch on and the request's id. */
export const Problem = z
  .object({
    type: z
      .string()
      .meta({ description: 'Where this code is explained.', example: 'https://api.example.com/docs/errors/not_found' }),
    title: z.string().meta({ description: 'The code in words.', example: 'Not found' }),
    status: z.int().meta({ description: 'The HTTP status.', example: 404 }),
    detail: z.string().meta({ description: 'What to do about it.' }),
    code: z
      .enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])
      .meta({ description: 'What went wrong, for programs: it never changes its meaning.', example: 'not_found' }),
    requestId: z.string().meta({ description: 'Names this request in logs; quote it when you ask for help.' }),
    errors: z
      .array(
        z.object({
          path: z.string().meta({ description: 'Where in the input.', example: 'scopes.0' }),
          message: z.string().meta({ description: 'What is wrong there.', example: 'is required' }),
        }),
      )
      .optional()
      .meta({
        description: `For invalid input: each field that is wrong, at most ${MAX_LISTED}; \`detail\` says how many more.`,
      }),
  })
  .meta({ id: 'Problem', description: 'Every error (RFC 9457).' });

export interface ProblemBody {
  type: string;
  title: string;
  status: keyof typeof TRPC_CODES;
  detail: string;
  code: ErrorCode;
  requestId: string;
  errors?: FieldError[];
}

const RETRY_AFTER_S = 2;

/** Any failure as an error of the catalogue. An unknown one shows nothing but its request id. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof z.core.$ZodError) return invalidInput(error);
  const conflict = UNIQUE_CONSTRAINTS[violatedConstraint(error) ?? ''];
  if (conflict) return new ApiError(conflict);
  if (isUnavailable(error)) return new ApiError('unavailable', { retryAfterS: RETRY_AFTER_S, cause: error });
  if (error instanceof TRPCError) return fromTrpc(error);
  return new ApiError('internal_error', { cause: error });
}

/** Errors that tRPC raises before a procedure is called: always a fault of the request. */
const REFUSED_BY_TRPC: Partial<Record<TRPCError['code'], ErrorCode>> = {
  BAD_REQUEST: 'invalid_input',
  UNPROCESSABLE_CONTENT: 'invalid_input',
  PARSE_ERROR: 'malformed_json',
  NOT_FOUND: 'operation_not_found',
  METHOD_NOT_SUPPORTED: 'method_not_allowed',
  PAYLOAD_TOO_LARGE: 'body_too_large',
  UNSUPPORTED_MEDIA_TYPE: 'unsupported_media_type',
};

function fromTrpc(error: TRPCError): ApiError {
  // An output that does not parse is a fault of the server.
  const isOutput = error.code === 'INTERNAL_SERVER_ERROR' && error.cause instanceof z.core.$ZodError;
  const cause = error.cause && !isOutput ? toApiError(error.cause) : new ApiError('internal_error', { cause: error });
  if (cause.errorCode !== 'internal_error') return cause;
  const refused = REFUSED_BY_TRPC[error.code];
  return refused ? new ApiError(refused) : cause;
}

/** Of which request, and the address of this server, where each code is explained. */
export interface ProblemSource {
  requestId: string;
  publicUrl: string;
}

export function toProblem(error: unknown, { requestId, publicUrl }: ProblemSource): ProblemBody {
  const known = toApiError(error);
  const { status, title } = ERRORS[known.errorCode];
  return {
    type: `${publicUrl}/docs/errors/${known.errorCode}`,
    title,
    status,
    detail: known.detail,
    code: known.errorCode,
    requestId,
    ...(known.errors && { errors: known.errors.map(shortened) }),
  };
}

/** The first errors, and how many more there are: the size of an answer must not depend on the input. */
function invalidInput({ issues }: z.core.$ZodError): ApiError {
  const errors: FieldError[] = [];
  let total = 0;
  for (const issue of issues) {
    if (errors.length < MAX_LISTED) errors.push(...fieldErrors(issue, MAX_LISTED - errors.length));
    total += issue.code === 'unrecognized_keys' ? issue.keys.length : 1;
  }
  const rest = total - errors.length;
  return new ApiError('invalid_input', {
    errors,
    ...(rest > 0 && { detail: `${ERRORS.invalid_input.fix} ${rest} more are not listed.` }),
  });
}

function fieldErrors(issue: z.core.$ZodIssue, atMost: number): FieldError[] {
  const at = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path: at, message: describeIssue(issue) }];
  const keys = issue.keys.slice(0, atMost);
  return keys.map((key) => ({ path: at ? `${at}.${key}` : key, message: 'is not a field of this request' }));
}

/** Shortens a path: it repeats names from the request, which may be as long as the body. */
function shortened({ path, message }: FieldError): FieldError {
  return { path: path.length > MAX_PATH ? `${path.slice(0, MAX_PATH).toWellFormed()}…` : path, message };
}
