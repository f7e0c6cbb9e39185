// Written by scripts/generate.ts from docs/openapi.json; do not edit.

export type Cookies = 'asks' | 'carries' | 'always';

/**
 * Operations that set or read cookies: `asks` where `cookie: true` in the input asks for one, `always` where
 * nothing works without.
 */
export const COOKIE_OPERATIONS: Readonly<Record<string, Cookies>> = {
  'auth.login': 'asks',
  'auth.logout': 'carries',
  'auth.passkeys.login': 'asks',
  'auth.reauthenticate': 'asks',
  'auth.refresh': 'carries',
  'auth.twoFactor.login': 'carries',
  'oauth.callback': 'carries',
  'oauth.exchange': 'asks',
  'oauth.identities.link': 'always',
  'oauth.initiate': 'always',
  'sessions.revoke': 'carries',
  'sessions.revokeAll': 'carries',
};
