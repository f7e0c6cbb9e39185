// Written by scripts/generate.ts from docs/openapi.json; do not edit.

/** Operations that set or read cookies; `asks` where `cookie: true` in the input asks for one. */
export const COOKIE_OPERATIONS: Readonly<Record<string, 'asks' | 'carries'>> = {
  'auth.login': 'asks',
  'auth.logout': 'carries',
  'auth.refresh': 'carries',
  'auth.twoFactor.login': 'carries',
};
