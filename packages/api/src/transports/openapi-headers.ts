import type { ErrorCode } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { ERRORS } from '../slices/errors.ts';
import { needsCredential } from './implied-errors.ts';

type Json = Record<string, unknown>;

const text = (description: string, example: string, rest: Json = {}): Json => ({
  description,
  schema: { type: 'string', ...rest },
  example,
});

/** Request headers that operations read. Those with a credential are the security schemes. */
export const HEADER_PARAMETERS: Record<string, Json> = {
  OrganizationId: {
    name: 'X-Organization-Id',
    in: 'header',
    ...text(
      'The organization to act in, where it is not your default one. `X-Tenant-ID` means the same.',
      'org_4d1k5r8x2m7q9w3t6v0z1b5c8f',
    ),
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    ...text('The `ETag` you have read: refused with 412 if the resource was changed since.', '"3"'),
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    ...text('The `ETag` you have read: answered with 304 and no body if the resource is still the same.', '"3"'),
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    ...text(
      'Any text that you choose, for example a UUID: a repeat with the same key within 24 hours gets the first answer.',
      '7f0c2d7e-5a1b-4f2e-9c1d-2b8e4a6f0d13',
      { minLength: 1, maxLength: 255 },
    ),
  },
};

export function headerParameters(meta: ProcedureMeta, isIdempotent: boolean): Json[] {
  const names = [
    // An organization in the path needs no header: it could only repeat the path.
    needsCredential(meta) && !meta.openapi.path.includes('{orgId}') && 'OrganizationId',
    meta.errors?.includes('version_mismatch') && 'IfMatch',
    hasNotModified(meta) && 'IfNoneMatch',
    isIdempotent && 'IdempotencyKey',
  ];
  return names.filter((name) => typeof name === 'string').map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

export const RESPONSE_HEADERS: Record<string, Json> = {
  'X-Request-Id': text('Names this request in logs: yours where you sent one, else a new one.', 'my-request-1'),
  RateLimit: text(
    'What is left of the tightest limit, and the seconds until it is full again. Also as `X-RateLimit-Remaining` and, in Unix time, `X-RateLimit-Reset`.',
    '"user";r=599;t=1',
  ),
  'RateLimit-Policy': text(
    'That limit: its name, quota and window in seconds. The quota is also `X-RateLimit-Limit`.',
    '"user";q=600;w=60',
  ),
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' }, example: 2 },
  ETag: text('The version of the resource: send it as `If-Match` to change only what you have read.', '"3"'),
  'Idempotency-Replayed': text('`true` where this is the answer to an earlier request with the same key.', 'true'),
};

export function successHeaders(meta: ProcedureMeta, { isIdempotent }: { isIdempotent: boolean }): Json {
  const limits = meta.probe ? [] : ['RateLimit', 'RateLimit-Policy'];
  return refer([
    'X-Request-Id',
    ...limits,
    ...(meta.versioned ? ['ETag'] : []),
    ...(isIdempotent ? ['Idempotency-Replayed'] : []),
  ]);
}

export function errorHeaders(codes: readonly ErrorCode[]): Json {
  const waits = codes.some((code) => [429, 503].includes(ERRORS[code].status) || code === 'idempotency_in_progress');
  return refer(['X-Request-Id', ...(waits ? ['Retry-After'] : [])]);
}

/** Whether the operation reads a resource with a version: see `isNotModified`. */
export const hasNotModified = ({ versioned, openapi }: ProcedureMeta): boolean =>
  versioned === true && openapi.method === 'GET';

export function refer(names: string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
