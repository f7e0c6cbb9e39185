import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  oauth_provider_unknown: {
    status: 404,
    title: 'Unknown provider',
    meaning: 'Logins with this provider are not set up on this server.',
    fix: 'Use one of those that GET /api/v1/oauth/providers lists.',
    retry: 'no',
  },
  oauth_provider_unavailable: {
    status: 503,
    title: 'The provider does not answer',
    meaning: 'The provider of the login could not be reached, or failed.',
    fix: 'Wait for the seconds in `Retry-After`, then begin the login again.',
    retry: 'after',
  },
  redirect_not_allowed: {
    status: 400,
    title: 'Redirect not allowed',
    meaning: 'A login may lead back to pages of known origins only: otherwise its code would go to a stranger.',
    fix: 'Send a whole address whose origin is that of PUBLIC_URL or CONSOLE_URL, or one that CORS_ORIGINS names.',
    retry: 'no',
  },
  oauth_state_invalid: {
    status: 400,
    title: 'This login was not begun here',
    meaning: 'The answer of the provider belongs to no login that this browser has begun within the last ten minutes.',
    fix: 'Begin the login again, in the browser in which it is to end, with cookies allowed.',
    retry: 'no',
  },
  oauth_denied: {
    status: 403,
    title: 'The provider refused',
    meaning: 'The provider answered that the login was cancelled or refused.',
    fix: 'Begin the login again, and agree at the provider.',
    retry: 'no',
  },
  oauth_answer_invalid: {
    status: 400,
    title: "The provider's answer is not valid",
    meaning:
      'The code was used before, or the ID token is of another login, issuer or client, or is not signed by the issuer.',
    fix: 'Begin the login again. If it fails again, the provider is not set up for this server.',
    retry: 'no',
  },
  oauth_email_unverified: {
    status: 403,
    title: 'No verified address',
    meaning:
      'The provider names no e-mail address of the person that it has verified, so no account can be found or made.',
    fix: 'Verify the address at the provider, or log in another way and link the provider in your account.',
    retry: 'no',
  },
  oauth_not_fresh: {
    status: 403,
    title: 'No recent login at the provider',
    meaning: 'A fresh login was requested, and the provider did not say that the person has just authenticated.',
    fix: 'Begin the login again, or confirm who you are with POST /api/v1/auth/reauthenticate.',
    retry: 'no',
  },
  oauth_code_invalid: {
    status: 400,
    title: 'Invalid or used code',
    meaning: 'The code was used, is older than 60 seconds, or the `codeVerifier` does not belong to it.',
    fix: 'Begin the login again: each code works once, for the page that began.',
    retry: 'no',
  },
  identity_taken: {
    status: 409,
    title: 'Linked to another account',
    meaning: 'This login at the provider opens another account.',
    fix: 'Log in to that account and unlink it there, or use another login at the provider.',
    retry: 'no',
  },
  identity_exists: {
    status: 409,
    title: 'Another login is linked',
    meaning: 'The account has a login at this provider already, and it is another one.',
    fix: 'Log in with that one, or unlink it first.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  user_identities_subject_unique: 'identity_taken',
  user_identities_provider_unique: 'identity_exists',
} as const satisfies UniqueConstraints<typeof errors>;
