import { TRPCError } from '@trpc/server';

/**
 * Every error the product answers with, in one place: its HTTP status, its name, and the sentence that tells the fix.
 * A `detail` given where it is thrown replaces the sentence. Each code has a page at `/docs/errors/<code>`.
 */
export const ERRORS = {
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
    fix: 'Send either `Authorization` or `X-API-Key`, not both.',
  },
  organization_mismatch: {
    status: 400,
    title: 'Two organizations named',
    fix: 'Name one organization: the header must agree with the path and with the API key.',
  },
  invalid_idempotency_key: {
    status: 400,
    title: 'Invalid idempotency key',
    fix: 'Send an `Idempotency-Key` of 1 to 255 printable ASCII characters.',
  },
  idempotency_key_in_batch: {
    status: 400,
    title: 'Idempotency key on a batch',
    fix: 'Send the call by itself: one `Idempotency-Key` cannot stand for several calls.',
  },
  batch_too_large: { status: 400, title: 'Batch too large', fix: 'Send at most 20 calls in one batch.' },
  invalid_token: {
    status: 400,
    title: 'Invalid or expired token',
    fix: 'Ask for a new link: this one was used, has expired, or was changed.',
  },
  name_reserved: {
    status: 400,
    title: 'Reserved name',
    fix: 'Choose another name: this one, or one that looks like it, is kept for the service itself.',
  },
  credentials_required: {
    status: 401,
    title: 'Not signed in',
    fix: 'Send `Authorization: Bearer <access token>` or `X-API-Key: <key>`.',
  },
  invalid_credentials: {
    status: 401,
    title: 'Wrong e-mail address or password',
    fix: 'Check both, capitals included; register if the address has no account yet.',
  },
  invalid_access_token: {
    status: 401,
    title: 'Invalid access token',
    fix: 'Log in again: this access token was not issued by this server, or was changed.',
  },
  access_token_expired: {
    status: 401,
    title: 'Access token expired',
    fix: 'Exchange the refresh token at POST /api/v1/auth/refresh.',
  },
  session_revoked: {
    status: 401,
    title: 'Session ended',
    fix: 'Log in again: this session was logged out or revoked.',
  },
  invalid_refresh_token: {
    status: 401,
    title: 'Invalid refresh token',
    fix: 'Log in again: this refresh token was used, has expired, or was revoked.',
  },
  invalid_api_key: {
    status: 401,
    title: 'Invalid API key',
    fix: 'Check that the key was copied whole; a lost key cannot be shown again, only replaced.',
  },
  api_key_revoked: { status: 401, title: 'API key revoked', fix: 'Create a new key: this one was revoked.' },
  api_key_expired: { status: 401, title: 'API key expired', fix: 'Create a new key: this one has expired.' },
  invalid_ticket: {
    status: 401,
    title: 'Invalid ticket',
    fix: 'Get a new ticket from POST /api/v1/ws/ticket; each works once, for 30 seconds.',
  },
  email_not_verified: {
    status: 403,
    title: 'E-mail address not verified',
    fix: 'Open the link in the verification mail, or ask for a new one.',
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
  permission_not_held: {
    status: 403,
    title: 'Permission not held',
    fix: 'Grant only permissions that you hold yourself in this organization.',
  },
  target_has_more_permissions: {
    status: 403,
    title: 'Member has more permissions',
    fix: 'Ask somebody who holds at least the permissions of that member: you cannot change who may do more than you.',
  },
  invitation_for_another: {
    status: 403,
    title: 'Invitation for another address',
    fix: 'Sign in with the e-mail address that was invited, or ask for an invitation to yours.',
  },
  user_required: {
    status: 403,
    title: 'Only for signed-in users',
    fix: 'Call this with an access token: API keys cannot.',
  },
  key_without_user: {
    status: 403,
    title: 'Key without a user',
    fix: 'The person who created this key is no longer a member; call this with an access token.',
  },
  scope_not_held: {
    status: 403,
    title: 'Scope not held',
    fix: 'Ask only for scopes that you hold yourself in this organization.',
  },
  address_not_allowed: {
    status: 403,
    title: 'Address not allowed',
    fix: "Call from an address in the key's `ipAllowList`.",
  },
  origin_not_allowed: {
    status: 403,
    title: 'Origin not allowed',
    fix: "Call from a web origin in the key's `allowedOrigins`.",
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
  username_taken: { status: 409, title: 'Username taken', fix: 'Choose another username.' },
  slug_taken: {
    status: 409,
    title: 'Slug taken',
    fix: 'Choose another slug: this one, or one that looks like it, is in use.',
  },
  subdomain_taken: {
    status: 409,
    title: 'Subdomain taken',
    fix: 'Choose another subdomain: this one, or one that looks like it, is in use.',
  },
  personal_organization: {
    status: 409,
    title: 'Personal organization',
    fix: 'Use another organization: a personal one stays with its person as long as the account exists.',
  },
  deletion_protected: {
    status: 409,
    title: 'Protected from deletion',
    fix: 'Set `deletionProtection` of the organization to false first.',
  },
  restore_window_over: {
    status: 409,
    title: 'Too late to restore',
    fix: 'Create a new organization: a deleted one can be restored for 30 days only.',
  },
  last_owner: {
    status: 409,
    title: 'Last owner',
    fix: 'Make another member OWNER first, or transfer ownership: an organization always has one.',
  },
  already_member: { status: 409, title: 'Already a member', fix: 'Change the role of the member instead.' },
  invitation_pending: {
    status: 409,
    title: 'Already invited',
    fix: 'Resend or revoke the pending invitation to this address.',
  },
  invitation_not_pending: {
    status: 409,
    title: 'Invitation not pending',
    fix: 'Create a new invitation: this one was accepted, declined or revoked.',
  },
  invitation_no_longer_valid: {
    status: 409,
    title: 'Invitation no longer valid',
    fix: 'Ask for a new invitation: whoever sent this one may no longer grant its role.',
  },
  role_name_taken: { status: 409, title: 'Role name taken', fix: 'Choose another name for the role.' },
  role_cycle: {
    status: 409,
    title: 'Role would inherit from itself',
    fix: 'Choose a parent that does not inherit from this role.',
  },
  role_too_deep: {
    status: 409,
    title: 'Roles nested too deeply',
    fix: 'Choose a parent nearer to the top: a role has at most 5 generations above and including it.',
  },
  role_has_children: {
    status: 409,
    title: 'Role has children',
    fix: 'Give the roles that inherit from this one another parent first.',
  },
  system_role: {
    status: 409,
    title: 'System role',
    fix: 'Use a role of your own here: OWNER, ADMIN, MEMBER and VIEWER are given by PATCH …/members/{userId} and cannot be changed.',
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
  upgrade_required: {
    status: 426,
    title: 'WebSocket required',
    fix: 'Open this address as a WebSocket, with `Upgrade: websocket`; if you do, a proxy on the way drops that header.',
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
} as const satisfies Record<string, { status: number; title: string; fix: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing wrong with the input: where (`scopes.0`) and what. */
export interface FieldError {
  path: string;
  message: string;
}

interface Details {
  /** Replaces the catalogue's sentence. Never holds anything a stranger may not know. */
  detail?: string;
  errors?: FieldError[];
  retryAfterS?: number;
  cause?: unknown;
}

/** tRPC's own word for each status. */
export const TRPC_CODES = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  409: 'CONFLICT',
  412: 'PRECONDITION_FAILED',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'UNPROCESSABLE_CONTENT',
  426: 'BAD_REQUEST', // tRPC has no word for it, and never answers it
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
} as const;

/** What services throw: `throw new ApiError('not_found')`. HTTP and tRPC each render it once, from the catalogue. */
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
}
