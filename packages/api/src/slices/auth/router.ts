import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import { signInLimit } from '../../contract/sign-in-limit.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleUser } from '../users/schemas.ts';
import {
  ChangePassword,
  ConfirmPasswordReset,
  EmailInput,
  EmailTokenInput,
  exampleTokens,
  Login,
  Reauthenticate,
  Refresh,
  Register,
  RegistrationResult,
  SignInAnswer,
  Tokens,
  UnlockUser,
} from './schemas.ts';
import { changePassword } from './service/change-password.ts';
import { unlockByLink, unlockUser } from './service/lockout.ts';
import { login } from './service/login.ts';
import { logout } from './service/logout.ts';
import { reauthenticate } from './service/reauthenticate.ts';
import { refresh } from './service/refresh.ts';
import { register } from './service/register.ts';
import { confirmPasswordReset, requestPasswordReset } from './service/reset-password.ts';
import { listSessions, MAX_SESSIONS, revokeAllSessions, revokeSession } from './service/sessions.ts';
import { resendVerification, verifyEmail } from './service/verify-email.ts';
import { exampleSession, ListSessions, RevokeAllSessions, RevokeSession, SessionPage } from './session-schemas.ts';

const tags: [Tag] = ['Authentication'];

const mailedToken = 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg';
const credentials = { email: 'ada@example.com', password: 'SecurePass123!' };

/** `auth.*`, without what other slices add. */
export const auth = {
  register: procedure({
    access: 'public',
    openapi: {
      method: 'POST',
      path: '/auth/register',
      tags,
      summary: 'Create an account',
      description:
        'Mails a link that verifies the address. The answer is the same for an address that already has an account; its owner gets a mail instead. If the address was registered more than once, the link verifies the address, and a second mail asks for a new password.',
    },
    rest: { status: 201 },
    errors: ['username_taken', 'overloaded'],
    limit: signInLimit,
    idempotency: false,
    example: {
      input: { ...credentials, username: 'ada', fullName: 'Ada Lovelace' },
      output: { email: credentials.email, username: 'ada', fullName: 'Ada Lovelace', verificationRequired: true },
    },
  })
    .input(Register)
    .output(RegistrationResult)
    .mutation(({ ctx, input }) => register(ctx, input)),

  login: procedure({
    access: 'public',
    openapi: {
      method: 'POST',
      path: '/auth/login',
      tags,
      summary: 'Log in with e-mail address and password',
      description:
        'Starts a session: an access token for some minutes, and a refresh token that renews it. With `cookie: true`, for web pages, the refresh token is an HttpOnly cookie. For an account with a second factor the answer is a challenge instead, with `mfaRequired: true`.',
    },
    cookie: 'sets',
    countRefusals: true,
    errors: ['invalid_credentials', 'email_not_verified', 'account_inactive', 'overloaded'],
    limit: signInLimit,
    idempotency: false,
    example: { input: credentials, output: exampleTokens },
  })
    .input(Login)
    .output(SignInAnswer)
    .mutation(({ ctx, input }) => login(ctx, input)),

  refresh: procedure({
    access: 'proof:refresh',
    openapi: {
      method: 'POST',
      path: '/auth/refresh',
      tags,
      summary: 'Exchange a refresh token for a new pair',
      description:
        'Each refresh token works once. A used one that comes back after 10 seconds ends the session. A token that came in a cookie is exchanged for the next in a cookie.',
    },
    cookie: 'reads',
    errors: ['invalid_refresh_token'],
    idempotency: false,
    audit: { none: 'a session that continues is no event' },
    example: { input: { refreshToken: exampleTokens.refreshToken }, output: exampleTokens },
  })
    .input(Refresh)
    .output(Tokens)
    .mutation(({ ctx, input }) => refresh(ctx, input)),

  logout: procedure({
    access: 'user',
    openapi: {
      method: 'POST',
      path: '/auth/logout',
      tags,
      summary: 'End the current session',
      description:
        'Its access and refresh tokens are refused from then on. Other sessions go on. Where the refresh token is a cookie, the browser deletes it, and what it has cached of the API.',
    },
    cookie: 'reads',
    rest: { status: 204 },
    example: {},
  })
    .input(NoInput)
    .output(NoContent)
    .mutation(({ ctx }) => logout(ctx)),

  reauthenticate: procedure({
    access: 'user',
    openapi: {
      method: 'POST',
      path: '/auth/reauthenticate',
      tags,
      summary: 'Prove once more who you are',
      description:
        'With the password, with `code`, or with a passkey: `challengeToken` and `credential`, for which `POST /auth/passkeys/login/options` gives the options. Answers the tokens of a new session, which for ten minutes can call operations that require a recent login. The old session ends, and with it every copy of its tokens.',
    },
    cookie: 'sets',
    countRefusals: true,
    errors: [
      'invalid_credentials',
      'invalid_code',
      'too_many_codes',
      'invalid_challenge',
      'invalid_passkey',
      'overloaded',
    ],
    limit: { ...signInLimit, by: 'caller' },
    idempotency: false,
    example: { input: { password: credentials.password }, output: exampleTokens },
  })
    .input(Reauthenticate)
    .output(Tokens)
    .mutation(({ ctx, input }) => reauthenticate(ctx, input)),

  unlock: procedure({
    access: 'proof:mailed',
    openapi: {
      method: 'POST',
      path: '/auth/unlock',
      tags,
      summary: 'End a lockout with the mailed token',
      description:
        'The mail about too many wrong passwords contains a link for its owner: passwords are compared again at once, from every network.',
    },
    rest: { status: 204 },
    errors: ['invalid_token'],
    limit: signInLimit,
    idempotency: false,
    example: { input: { token: mailedToken } },
  })
    .input(EmailTokenInput)
    .output(NoContent)
    .mutation(({ ctx, input }) => unlockByLink(ctx, input.token)),

  email: router({
    verify: procedure({
      access: 'proof:mailed',
      openapi: {
        method: 'POST',
        path: '/auth/verify-email',
        tags,
        summary: 'Verify an e-mail address with the mailed token',
        description:
          'Claims the username, unless another account has claimed it first. If the address was registered more than once, no password is kept: a second mail contains a link to set one.',
      },
      rest: { status: 204 },
      errors: ['invalid_token'],
      limit: signInLimit,
      idempotency: false,
      example: { input: { token: mailedToken } },
    })
      .input(EmailTokenInput)
      .output(NoContent)
      .mutation(({ ctx, input }) => verifyEmail(ctx, input.token)),

    resendVerification: procedure({
      access: 'public',
      openapi: {
        method: 'POST',
        path: '/auth/resend-verification',
        tags,
        summary: 'Mail the verification link again',
        description:
          'The answer is the same whether or not the address has an account. The number of mails to one mailbox is limited.',
      },
      rest: { status: 202 },
      limit: signInLimit,
      idempotency: false,
      example: { input: { email: credentials.email } },
    })
      .input(EmailInput)
      .output(NoContent)
      .mutation(({ ctx, input }) => resendVerification(ctx, input.email)),
  }),

  password: router({
    change: procedure({
      access: 'user',
      fresh: true,
      openapi: {
        method: 'POST',
        path: '/auth/password/change',
        tags,
        summary: 'Change your password',
        description:
          'Ends every other session of the account, and every open link to reset the password or to change the address. The owner is mailed. An account without a password gets one through a mailed link.',
      },
      rest: { status: 204 },
      errors: ['invalid_credentials', 'overloaded'],
      limit: { ...signInLimit, by: 'caller' },
      idempotency: false,
      example: { input: { currentPassword: credentials.password, newPassword: 'three quiet green lamps' } },
    })
      .input(ChangePassword)
      .output(NoContent)
      .mutation(({ ctx, input }) => changePassword(ctx, input)),
  }),

  passwordReset: router({
    request: procedure({
      access: 'public',
      openapi: {
        method: 'POST',
        path: '/auth/password-reset/request',
        tags,
        summary: 'Mail a link to set a new password',
        description:
          'The answer is the same whether or not the address has an account. The number of mails to one mailbox is limited.',
      },
      rest: { status: 202, aliases: [{ path: '/auth/forgot-password' }] },
      limit: signInLimit,
      idempotency: false,
      example: { input: { email: credentials.email } },
    })
      .input(EmailInput)
      .output(NoContent)
      .mutation(({ ctx, input }) => requestPasswordReset(ctx, input.email)),

    confirm: procedure({
      access: 'proof:mailed',
      openapi: {
        method: 'POST',
        path: '/auth/password-reset/confirm',
        tags,
        summary: 'Set a new password with the mailed token',
        description:
          'The token works once, within an hour. Ends every session of the account and every other mailed link.',
      },
      rest: { status: 204, aliases: [{ path: '/auth/reset-password' }] },
      errors: ['invalid_token', 'overloaded'],
      limit: signInLimit,
      idempotency: false,
      example: { input: { token: mailedToken, password: credentials.password } },
    })
      .input(ConfirmPasswordReset)
      .output(NoContent)
      .mutation(({ ctx, input }) => confirmPasswordReset(ctx, input)),
  }),
};

/** `sessions.*` */
export const sessions = router({
  list: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/auth/sessions',
      tags,
      summary: 'List your sessions',
      description: `Where you are logged in, the latest login first. A person has at most ${MAX_SESSIONS}: one more ends the oldest.`,
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleSession], nextCursor: null } },
  })
    .input(ListSessions)
    .output(SessionPage)
    .query(({ ctx, input }) => listSessions(ctx, input)),

  revoke: procedure({
    access: 'user',
    openapi: {
      method: 'DELETE',
      path: '/auth/sessions/{sessionId}',
      tags,
      summary: 'End a session',
      description:
        'Its tokens are refused within a second, and its sockets closed. Another session than the own one needs a recent login.',
    },
    cookie: 'reads',
    rest: { status: 204 },
    errors: ['not_found', 'reauthentication_required'],
    example: { input: { sessionId: exampleSession.id } },
  })
    .input(RevokeSession)
    .output(NoContent)
    .mutation(({ ctx, input }) => revokeSession(ctx, input)),

  revokeAll: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'POST',
      path: '/auth/logout-all',
      tags,
      summary: 'End all your sessions',
      description:
        'On every device; with `keepCurrent`, on every other one. The next login on those devices asks for the second factor again.',
    },
    cookie: 'reads',
    rest: { status: 204, aliases: [{ path: '/auth/logout-everywhere' }] },
    example: { input: { keepCurrent: true } },
  })
    .input(RevokeAllSessions)
    .output(NoContent)
    .mutation(({ ctx, input }) => revokeAllSessions(ctx, input)),
});

/** Part of `admin.users`. */
export const unlock = procedure({
  access: 'system:manage',
  fresh: true,
  openapi: {
    method: 'POST',
    path: '/admin/users/{userId}/unlock',
    tags: ['Administration'],
    summary: 'End a lockout',
    description:
      'Too many wrong passwords lock an account for a while. This lets its owner try again at once, from every network.',
  },
  rest: { status: 204 },
  errors: ['target_has_more_permissions', 'version_mismatch'],
  example: { input: { userId: exampleUser.id } },
})
  .input(UnlockUser)
  .output(NoContent)
  .mutation(({ ctx, input }) => unlockUser(ctx, input.userId));
