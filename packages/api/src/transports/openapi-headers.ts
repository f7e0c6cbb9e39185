import type { ErrorRow } from '../contract/error-rows.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { ERRORS } from '../slices/errors.ts';
import { needsCredential } from './implied-errors.ts';

type Json = Record<string, unknown>;

const text = (description: string, example: string): Json => ({ description, schema: { type: 'string' }, example });

/** Optional, so without an example: tools fill it in, and a call with an organization of another server fails. */
const header = (name: string, description: string, schema: Json = {}): Json => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string', ...schema },
});

/** Request headers that operations read. Those with a credential are the security schemes. */
export const HEADER_PARAMETERS: Record<string, Json> = {
  OrganizationId: header(
    'X-Organization-Id',
    'The organization to act in, where it is not your default one. `X-Tenant-ID` means the same.',
  ),
  IfMatch: header('If-Match', 'The `ETag` you have read: refused with 412 if the resource was changed since.'),
  IfNoneMatch: header(
    'If-None-Match',
    'The `ETag` you have read: answered with 304 and no body if the resource is still the same.',
  ),
  IdempotencyKey: header(
    'Idempotency-Key',
    'Any text that you choose, for example a UUID: a repeat with the same key within 24 hours gets the first answer.',
    { minLength: 1, maxLength: 255 },
  ),
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
  'Set-Cookie': text(
    'The refresh token in cookie mode, or what binds a login at a provider to this browser: `__Host-`, HttpOnly, Secure. A logout makes it expire.',
    '__Host-rentapi_refresh=…; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Strict',
  ),
  'Idempotency-Replayed': text('`true` where this is the answer to an earlier request with the same key.', 'true'),
};

export function successHeaders(meta: ProcedureMeta, { isIdempotent }: { isIdempotent: boolean }): Json {
  const limits = meta.probe ? [] : ['RateLimit', 'RateLimit-Policy'];
  return refer([
    'X-Request-Id',
    ...limits,
    ...(meta.versioned ? ['ETag'] : []),
    ...(isIdempotent ? ['Idempotency-Replayed'] : []),
    ...(meta.cookie ? ['Set-Cookie'] : []),
  ]);
}

export function errorHeaders(status: number): Json {
  const rows: ErrorRow[] = Object.values(ERRORS);
  const waits = rows.some((row) => row.status === status && row.retry === 'after');
  const limits = status < 500 ? ['RateLimit', 'RateLimit-Policy'] : [];
  return refer(['X-Request-Id', ...limits, ...(waits ? ['Retry-After'] : [])]);
}

/** Whether the operation reads a resource with a version: see `isNotModified`. */
export const hasNotModified = ({ versioned, openapi }: ProcedureMeta): boolean =>
  versioned === true && openapi.method === 'GET';

export function refer(names: string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
