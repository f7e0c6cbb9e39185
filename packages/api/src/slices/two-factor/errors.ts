import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  invalid_code: {
    status: 401,
    title: 'Wrong code',
    meaning: 'The code is neither the current one of the authenticator app nor an unused backup code.',
    fix: 'Enter the code that the app shows now; each works once. If the clock of the device is wrong, correct it.',
    retry: 'no',
  },
  invalid_challenge: {
    status: 401,
    title: 'Invalid challenge',
    meaning:
      'The challenge token is not valid: it lives 5 minutes, for one sign-in and 5 tries, and ends when the password changes.',
    fix: 'Begin the sign-in again.',
    retry: 'no',
  },
  too_many_codes: {
    status: 429,
    title: 'Too many wrong codes',
    meaning: 'Ten wrong codes were sent for this account within an hour, to any sign-in: no further code is compared.',
    fix: 'Wait as long as `Retry-After` says, or sign in with a passkey.',
    retry: 'after',
  },
  two_factor_enabled: {
    status: 409,
    title: 'An authenticator app is set up already',
    meaning: 'The account has an authenticator app, and can have one only.',
    fix: 'Remove it first, with `POST /auth/2fa/disable`.',
    retry: 'no',
  },
  two_factor_not_enabled: {
    status: 409,
    title: 'No second factor',
    meaning: 'The account has none of what this operation changes.',
    fix: 'Set one up first, with `POST /auth/2fa/enable` and `POST /auth/2fa/verify`.',
    retry: 'no',
  },
  invalid_passkey: {
    status: 401,
    title: 'Passkey refused',
    meaning: 'The passkey is unknown here, or its signature does not prove this challenge, this site and its owner.',
    fix: 'Request new options and sign once more, with a passkey of this account; or sign in in another way.',
    retry: 'no',
  },
  passkey_taken: {
    status: 409,
    title: 'Passkey registered already',
    meaning: 'This passkey belongs to an account already, perhaps to this one.',
    fix: 'Create another passkey.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  passkeys_credential_unique: 'passkey_taken',
} as const satisfies UniqueConstraints<typeof errors>;
