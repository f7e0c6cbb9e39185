import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  invalid_credentials: {
    status: 401,
    title: 'Wrong e-mail address or password',
    fix: 'Check both, capitals included; register if the address has no account yet.',
  },
  invalid_refresh_token: {
    status: 401,
    title: 'Invalid refresh token',
    fix: 'Log in again: this refresh token was used, has expired, or was revoked.',
  },
  email_not_verified: {
    status: 403,
    title: 'E-mail address not verified',
    fix: 'Open the link in the verification mail, or ask for a new one.',
  },
} as const satisfies ErrorRows;
