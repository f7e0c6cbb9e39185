import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  invalid_api_key: {
    status: 401,
    title: 'Invalid API key',
    meaning: 'The text is not an API key of this server: it is incomplete, changed, or from another server.',
    fix: 'Check that the key was copied whole; a lost key cannot be shown again, only replaced.',
    retry: 'no',
    refusesCredential: true,
  },
  api_key_revoked: {
    status: 401,
    title: 'API key revoked',
    meaning: 'The API key existed and was revoked, which is final.',
    fix: 'Create a new key: this one was revoked.',
    retry: 'no',
    refusesCredential: true,
  },
  api_key_expired: {
    status: 401,
    title: 'API key expired',
    meaning: 'The `expiresAt` of the API key has passed.',
    fix: 'Create a new key: this one has expired.',
    retry: 'no',
    refusesCredential: true,
  },
  api_key_disabled: {
    status: 401,
    title: 'API key disabled',
    meaning: 'The API key was switched off, and can be switched on again.',
    fix: 'Use another key, or ask an administrator of the organization to set `enabled` of this one to true.',
    retry: 'no',
    refusesCredential: true,
  },
  api_key_is_revoked: {
    status: 409,
    title: 'API key is revoked',
    meaning: 'The API key that was to be changed is revoked, which is final.',
    fix: 'Create a new key: a revoked one cannot be changed.',
    retry: 'no',
  },
  key_without_user: {
    status: 403,
    title: 'Key without a user',
    meaning: 'The operation acts for the user who created the API key, who is no longer a member of its organization.',
    fix: 'Call this with an access token: the user who created this key is no longer a member.',
    retry: 'no',
  },
  scope_not_held: {
    status: 403,
    title: 'Scope not held',
    meaning: 'A key can have only the permissions of its creator, and one of these scopes includes more.',
    fix: 'Request only scopes whose permissions you have in this organization.',
    retry: 'no',
  },
  address_not_allowed: {
    status: 403,
    title: 'Address not allowed',
    meaning: 'The API key works from some addresses only, and the request came from another.',
    fix: "Call from an address in the key's `ipAllowList`.",
    retry: 'no',
  },
  origin_not_allowed: {
    status: 403,
    title: 'Origin not allowed',
    meaning:
      'The credential, an API key or the cookie of a browser session, works from some web origins only, and the request came from another or named none.',
    fix: "Call from a web origin in the key's `allowedOrigins`, or, with a cookie, from one that `CORS_ORIGINS` names.",
    retry: 'no',
  },
} as const satisfies ErrorRows;
