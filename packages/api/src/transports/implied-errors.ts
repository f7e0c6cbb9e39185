import type { ErrorCode } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { isOrganizationPermission, platformPermissionOf } from '../contract/permissions.ts';

/** The errors that a call can end with before its service runs. They follow from access, method and idempotency. */
export function impliedErrors(meta: ProcedureMeta, isIdempotent: boolean): ErrorCode[] {
  const { method, path } = meta.openapi;
  const codes: ErrorCode[] = ['invalid_input', 'invalid_text', 'internal_error', 'unavailable'];
  if (meta.upload) codes.push('malformed_multipart', 'body_too_large', 'unsupported_media_type');
  else if (meta.access === 'proof:signature') codes.push('malformed_json', 'body_too_large');
  else if (method !== 'GET' && method !== 'DELETE')
    codes.push('malformed_json', 'json_too_deep', 'body_too_large', 'unsupported_media_type');
  if (!meta.probe) codes.push('rate_limited');
  if (needsCredential(meta)) codes.push(...credentialErrors(meta), 'organization_mismatch', 'not_found');
  if (meta.cost) codes.push('insufficient_credits', 'overloaded');
  if (meta.cookie) codes.push('origin_not_allowed');
  if (meta.cookie && meta.cookie !== 'reads') codes.push('cookies_unavailable');
  if (path.includes('{')) codes.push('not_found');
  if (isIdempotent) codes.push('invalid_idempotency_key', 'idempotency_in_progress', 'idempotency_key_reused');
  return codes;
}

/** Every error that a call can end with, each once. */
export function errorsOf(meta: ProcedureMeta, type: string): ErrorCode[] {
  return [...new Set([...impliedErrors(meta, isIdempotent(meta, type)), ...(meta.errors ?? [])])];
}

export function needsCredential({ access }: ProcedureMeta): boolean {
  return access !== 'public' && !access.startsWith('proof:');
}

/** `fresh` requires a login, which a key does not have. */
export function acceptsApiKeys({ access, fresh }: ProcedureMeta): boolean {
  return !fresh && (access === 'userOrKey' || isOrganizationPermission(access));
}

/** Whether a repeat gets the stored answer: see `procedure.ts`. */
export function isIdempotent(meta: ProcedureMeta, type: string): boolean {
  return type === 'mutation' && meta.idempotency !== false && needsCredential(meta);
}

/** What a call needs, as a sentence. */
export function describeAccess({ access, fresh }: Pick<ProcedureMeta, 'access' | 'fresh'>): string {
  const login = fresh ? ' and a login within the last ten minutes' : '';
  switch (access) {
    case 'public':
      return 'Needs no credential.';
    case 'proof:refresh':
      return 'Needs a refresh token, in the body or as a cookie, and no other credential.';
    case 'proof:challenge':
      return 'Needs the challenge token of a sign-in, and no other credential.';
    case 'proof:passkey':
      return 'Needs what a passkey signed, and no other credential.';
    case 'proof:mailed':
      return 'Needs the token of a mailed link, and no other credential.';
    case 'proof:signature':
      return 'Needs the signature of the sender in the headers, and no other credential.';
    case 'user':
      return `Needs a signed-in user${login}; API keys cannot call it.`;
    case 'userOrKey':
      return `Needs a signed-in user${login}${fresh ? '.' : ', or an API key of any scope.'}`;
    default:
      if (isOrganizationPermission(access))
        return `Needs \`${access}\`${login}${fresh ? '; API keys cannot call it.' : '.'}`;
      if (access.startsWith('self:'))
        return `Needs to be the user, or \`${platformPermissionOf(access)}\` on the platform${fresh ? ';' : ''}${login.replace(' and', ' in both cases')}.`;
      return `Needs \`${access}\` on the platform${login}.`;
  }
}

/** A credential of either kind is read, and may be refused, before access is checked. */
const CREDENTIAL_ERRORS: readonly ErrorCode[] = [
  'ambiguous_credentials',
  'credentials_required',
  'account_inactive',
  'invalid_access_token',
  'access_token_expired',
  'session_revoked',
  'invalid_api_key',
  'api_key_revoked',
  'api_key_rotated',
  'api_key_disabled',
  'api_key_expired',
  'included_calls_used_up',
  'address_not_allowed',
  'origin_not_allowed',
];

function credentialErrors({ access, fresh }: ProcedureMeta): ErrorCode[] {
  const codes: ErrorCode[] = [...CREDENTIAL_ERRORS];
  if (access === 'user' || fresh) codes.push('user_required');
  if (access !== 'user' && access !== 'userOrKey') codes.push('permission_denied', 'two_factor_required');
  if (fresh) codes.push('reauthentication_required');
  return codes;
}
