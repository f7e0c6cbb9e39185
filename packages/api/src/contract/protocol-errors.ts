import type { ErrorRows } from './error-rows.ts';

/** Errors of the protocol, common to all operations. The other codes are in `slices/<slice>/errors.ts`. */
export const PROTOCOL_ERRORS = {
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    fix: 'Send a request as HTTP/1.1 defines it: something in its first line, its headers or its framing cannot be read.',
  },
  invalid_input: {
    status: 400,
    title: 'Invalid input',
    fix: 'Correct the fields listed in `errors` and send the request again.',
  },
  malformed_json: { status: 400, title: 'Malformed JSON', fix: 'Send a body that is one valid JSON value in UTF-8.' },
  json_too_deep: { status: 400, title: 'JSON nested too deeply', fix: 'Send JSON nested at most 32 levels deep.' },
  invalid_text: {
    status: 400,
    title: 'Text that cannot be stored',
    fix: 'Remove NUL characters and unpaired surrogates from all strings.',
  },
  invalid_cursor: {
    status: 400,
    title: 'Invalid cursor',
    fix: 'Use `nextCursor` of the previous page unchanged and with the same filters, or leave it out to start again.',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'Two credentials',
    fix: 'Send one credential: `Authorization` and `X-API-Key` hold different ones.',
  },
  organization_mismatch: {
    status: 400,
    title: 'Two organizations named',
    fix: 'Name one organization: `X-Organization-Id`, `X-Tenant-ID`, the path and the API key must agree.',
  },
  invalid_idempotency_key: {
    status: 400,
    title: 'Invalid idempotency key',
    fix: 'Send an `Idempotency-Key` of 1 to 255 printable ASCII characters.',
  },
  idempotency_key_in_batch: {
    status: 400,
    title: 'Idempotency key on a batch',
    fix: 'Send the call by itself: one `Idempotency-Key` cannot cover several calls.',
  },
  batch_too_large: { status: 400, title: 'Batch too large', fix: 'Send at most 20 calls in one batch.' },
  invalid_token: {
    status: 400,
    title: 'Invalid or expired token',
    fix: 'Ask for a new link: this one was used, has expired, or was changed.',
  },
  credentials_required: {
    status: 401,
    title: 'Not signed in',
    fix: 'Send `Authorization: Bearer <access token>` or `X-API-Key: <key>`.',
  },
  invalid_access_token: {
    status: 401,
    title: 'Invalid access token',
    fix: 'Log in again: this access token was not issued by this server, or was changed.',
    refusesCredential: true,
  },
  access_token_expired: {
    status: 401,
    title: 'Access token expired',
    fix: 'Exchange the refresh token at POST /api/v1/auth/refresh.',
    refusesCredential: true,
  },
  session_revoked: {
    status: 401,
    title: 'Session ended',
    fix: 'Log in again: this session was logged out or revoked.',
    refusesCredential: true,
  },
  account_inactive: { status: 403, title: 'Account not active', fix: 'Ask an administrator to activate the account.' },
  permission_denied: {
    status: 403,
    title: 'Permission denied',
    fix: 'Ask an administrator of the organization for the permission, or use a key whose scopes include it.',
  },
  reauthentication_required: {
    status: 403,
    title: 'Recent login required',
    fix: 'Confirm your password at POST /api/v1/auth/reauthenticate and repeat the request within ten minutes.',
  },
  user_required: {
    status: 403,
    title: 'Only for signed-in users',
    fix: 'Call this with an access token: API keys cannot.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    fix: 'Check the id: nothing with it exists in an organization you can see.',
  },
  operation_not_found: {
    status: 404,
    title: 'No such operation',
    fix: 'Check the path against /openapi.json or /docs.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    fix: 'Use one of the methods in the `Allow` header.',
  },
  request_timeout: {
    status: 408,
    title: 'Request too slow',
    fix: 'Send the headers within 10 seconds and the whole request within a minute.',
  },
  idempotency_in_progress: {
    status: 409,
    title: 'Request in progress',
    fix: 'The first request with this `Idempotency-Key` is still running: wait and repeat it.',
  },
  limit_reached: {
    status: 409,
    title: 'Limit reached',
    fix: 'Remove something first: the organization holds as many as it may.',
  },
  version_mismatch: {
    status: 412,
    title: 'Version mismatch',
    fix: 'Read the resource again and repeat the change with its new `ETag` in `If-Match`.',
  },
  body_too_large: { status: 413, title: 'Body too large', fix: 'Send a smaller body.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    fix: 'Send the body as `Content-Type: application/json`.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    fix: 'Use a new `Idempotency-Key`: this one was used with a different request.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    fix: 'Send at most 16 kB of headers, the address and cookies included.',
  },
  rate_limited: { status: 429, title: 'Too many requests', fix: 'Wait as many seconds as `Retry-After` says.' },
  internal_error: {
    status: 500,
    title: 'Internal error',
    fix: 'Repeat the request; if it fails again, report its `requestId`.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    fix: 'Wait as many seconds as `Retry-After` says and repeat the request.',
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    fix: 'Wait as many seconds as `Retry-After` says and repeat the request.',
  },
} as const satisfies ErrorRows;
