import type { ErrorCode, TRPC_CODES } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { ERRORS } from '../slices/errors.ts';
import type { RawAnswer } from '../wire/raw-route.ts';
import { EXAMPLE_ORIGIN } from './code-samples.ts';
import { isIdempotent } from './implied-errors.ts';
import type { DocumentedOperation, Json } from './openapi.ts';
import { errorHeaders, hasNotModified, refer, successHeaders } from './openapi-headers.ts';
import type { Operation } from './rest-routes.ts';

type Status = keyof typeof TRPC_CODES;

/** The answers with a problem, one for each status: the codes of one operation are in its own `x-error-codes`. */
const ERROR_NAMES: Partial<Record<Status, [name: string, description: string, example: ErrorCode]>> = {
  400: [
    'BadRequest',
    'The request is wrong as it is; `errors` lists the fields, where it is a field.',
    'invalid_input',
  ],
  401: ['Unauthorized', 'No credential, or one that is not valid.', 'credentials_required'],
  403: ['Forbidden', 'The caller is known, and may not do this.', 'permission_denied'],
  404: ['NotFound', 'Nothing that the caller can see.', 'not_found'],
  409: ['Conflict', 'The state of the resource does not allow it.', 'limit_reached'],
  412: ['PreconditionFailed', 'The resource was changed since its `ETag` was read.', 'version_mismatch'],
  413: ['ContentTooLarge', 'The body is too large.', 'body_too_large'],
  415: ['UnsupportedMediaType', 'The body is not JSON.', 'unsupported_media_type'],
  422: ['UnprocessableContent', 'The request contradicts an earlier one.', 'idempotency_key_reused'],
  429: ['TooManyRequests', 'Too many requests: wait for the seconds in `Retry-After`.', 'rate_limited'],
  500: ['InternalServerError', 'The server failed.', 'internal_error'],
  503: ['ServiceUnavailable', 'The server cannot answer now: wait for the seconds in `Retry-After`.', 'unavailable'],
};

export const ERROR_RESPONSES: Record<string, Json> = Object.fromEntries(
  Object.entries(ERROR_NAMES).map(([status, [name, description, code]]) => [
    name,
    {
      description,
      'x-error-codes': codesOf(Number(status)),
      headers: errorHeaders(Number(status)),
      content: {
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example: exampleProblem(code) },
      },
    },
  ]),
);

function codesOf(status: number): string[] {
  return Object.entries(ERRORS)
    .filter(([, row]) => row.status === status)
    .map(([code]) => code);
}

function exampleProblem(code: ErrorCode): Json {
  const { status, title, fix } = ERRORS[code];
  return {
    type: `${EXAMPLE_ORIGIN}/docs/errors/${code}`,
    title,
    status,
    detail: fix,
    code,
    requestId: '3f9d2c1e-5b7a-4e0c-9d38-1a2b3c4d5e6f',
    ...(code === 'invalid_input' && { errors: [{ path: 'name', message: 'is required' }] }),
  };
}

const SUCCESS = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No content' } as const;

export function responsesOf(
  translated: DocumentedOperation,
  operation: Operation,
  codes: readonly ErrorCode[],
): DocumentedOperation['responses'] {
  const { meta, type } = operation;
  const status = meta.rest?.status ?? 200;
  const content = contentOf(translated, operation);
  const success = {
    description: SUCCESS[status],
    headers: successHeaders(meta, { isIdempotent: isIdempotent(meta, type) }),
    ...(content && { content }),
  };
  return {
    [status]: success,
    ...(operation.raw?.answer.redirects && { 302: redirectTo(operation.raw.answer.redirects, meta) }),
    ...(hasNotModified(meta) && { 304: NOT_MODIFIED }),
    ...Object.fromEntries([...new Set(codes.map((code) => ERRORS[code].status))].sort(ascending).map(referTo)),
  };
}

const ascending = (a: number, b: number): number => a - b;

function referTo(status: Status): [string, Json] {
  const [name] = ERROR_NAMES[status] ?? [];
  if (name === undefined) throw new Error(`${status} has no shared answer yet: name it in ERROR_NAMES.`);
  return [String(status), { $ref: `#/components/responses/${name}` }];
}

function redirectTo(description: string, meta: ProcedureMeta): Json {
  const location = { description: 'Where to go.', schema: { type: 'string', format: 'uri' } };
  return { description, headers: { ...successHeaders(meta, { isIdempotent: false }), Location: location } };
}

const NOT_MODIFIED: Json = {
  description: 'Not modified',
  headers: refer(['X-Request-Id', 'RateLimit', 'RateLimit-Policy', 'ETag']),
};

/**
 * Where a body is JSON values one a line, generators must not read it as one value: it is text, and each line has a
 * schema. OpenAPI 3.2 calls that `itemSchema`, which generators do not read and validators refuse as yet.
 */
function contentOf(translated: DocumentedOperation, { meta, raw }: Operation): Json | undefined {
  const json = (translated.responses['200'] as { content?: { 'application/json'?: Json } }).content?.[
    'application/json'
  ];
  if (raw?.answer.type === 'application/x-ndjson') {
    const schema = { type: 'string', description: 'One JSON value a line, each as `x-item-schema` says.' };
    return { [raw.answer.type]: { schema, 'x-item-schema': json?.['schema'] } };
  }
  if (raw) return Object.fromEntries(typesOf(raw.answer).map((type) => [type, json]));
  if (!hasBody(meta) || !json) return undefined;
  const { output } = meta.example;
  return { 'application/json': { ...json, ...(output !== undefined && { example: output }) } };
}

const typesOf = ({ type, alternatives = [] }: RawAnswer): string[] => [type, ...alternatives];

/** What is accepted for later may answer nothing yet. */
function hasBody({ rest, example }: ProcedureMeta): boolean {
  return rest?.status === 202 ? example.output !== undefined : rest?.status !== 204;
}
