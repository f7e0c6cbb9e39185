import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  invalid_api_key: {
    status: 401,
    title: 'Invalid API key',
    fix: 'Check that the key was copied whole; a lost key cannot be shown again, only replaced.',
    refusesCredential: true,
  },
  api_key_revoked: {
    status: 401,
    title: 'API key revoked',
    fix: 'Create a new key: this one was revoked.',
    refusesCredential: true,
  },
  api_key_expired: {
    status: 401,
    title: 'API key expired',
    fix: 'Create a new key: this one has expired.',
    refusesCredential: true,
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
} as const satisfies ErrorRows;
