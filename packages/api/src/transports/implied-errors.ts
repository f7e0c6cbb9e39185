import type { ErrorCode } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { isOrganizationPermission } from '../contract/permissions.ts';

/** The errors that a call can end with before its service runs. They follow from access, method and idempotency. */
export function impliedErrors(meta: ProcedureMeta, isIdempotent: boolean): ErrorCode[] {
  const { method, path } = meta.openapi;
  const codes: ErrorCode[] = ['invalid_input', 'invalid_text', 'internal_error', 'unavailable'];
  if (method !== 'GET' && method !== 'DELETE')
    codes.push('malformed_json', 'json_too_deep', 'body_too_large', 'unsupported_media_type');
  if (!meta.probe) codes.push('rate_limited');
  if (needsCredential(meta)) codes.push(...credentialErrors(meta), 'organization_mismatch', 'not_found');
  if (path.includes('{')) codes.push('not_found');
  if (isIdempotent) codes.push('invalid_idempotency_key', 'idempotency_in_progress', 'idempotency_key_reused');
  return codes;
}

export function needsCredential({ access }: ProcedureMeta): boolean {
  return access !== 'public' && !access.startsWith('proof:');
}

/** `fresh` requires a login, which a key does not have. */
export function acceptsApiKeys({ access, fresh }: ProcedureMeta): boolean {
  return !fresh && (access === 'userOrKey' || isOrganizationPermission(access));
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
  'api_key_expired',
  'address_not_allowed',
  'origin_not_allowed',
];

function credentialErrors({ access, fresh }: ProcedureMeta): ErrorCode[] {
  const codes: ErrorCode[] = [...CREDENTIAL_ERRORS];
  if (access === 'user' || fresh) codes.push('user_required');
  if (access !== 'user' && access !== 'userOrKey') codes.push('permission_denied');
  if (fresh) codes.push('reauthentication_required');
  return codes;
}
