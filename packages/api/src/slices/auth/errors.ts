import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  invalid_credentials: {
    status: 401,
    title: 'Wrong e-mail address or password',
    meaning:
      'No account has this e-mail address with this password. The answer does not show which of the two is wrong.',
    fix: 'Check both, capitals included; register if the address has no account yet.',
    retry: 'no',
  },
  invalid_refresh_token: {
    status: 401,
    title: 'Invalid refresh token',
    meaning: 'The refresh token is not valid: each works once, within 7 days.',
    fix: 'Log in again: this refresh token was used, has expired, or was revoked.',
    retry: 'no',
  },
  email_not_verified: {
    status: 403,
    title: 'E-mail address not verified',
    meaning: 'The password is right, but the link of the verification mail was not opened yet.',
    fix: 'Open the link in the verification mail, or request a new one.',
    retry: 'no',
  },
  last_way_in: {
    status: 409,
    title: 'The last way in',
    meaning: 'The account has no password, no other passkey and no other login at a provider: nothing would open it.',
    fix: 'Set a password with the link of POST /api/v1/auth/password-reset/request, or add another way, then remove this one.',
    retry: 'no',
  },
  cookies_unavailable: {
    status: 400,
    title: 'No cookie can be set here',
    meaning: 'A cookie was requested over a WebSocket, or in a batch whose answers are streamed: neither can set one.',
    fix: 'Send the call over HTTP with an answer of its own: REST, `httpLink` or `httpBatchLink`.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
