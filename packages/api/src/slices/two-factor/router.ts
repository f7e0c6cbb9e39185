import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import { signInLimit } from '../../contract/sign-in-limit.ts';
import { exampleChallengeToken, examplePasskeyProof } from '../../contract/sign-in-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { EmailTokenInput, exampleTokens, RememberedTokens } from '../auth/schemas.ts';
import { exampleUser } from '../users/schemas.ts';
import {
  BackupCodes,
  DisableTwoFactor,
  examplePasskey,
  ListPasskeys,
  LoginWithCode,
  LoginWithPasskey,
  Passkey,
  PasskeyCreation,
  PasskeyId,
  PasskeyLoginOptions,
  PasskeyPage,
  PasskeyRequest,
  RegisterPasskey,
  RenamePasskey,
  RequestTwoFactorReset,
  TotpSetup,
  TwoFactorResetRequest,
  VerifyTotp,
} from './schemas.ts';
import { regenerateBackupCodes } from './service/backup-codes.ts';
import { disableTwoFactor } from './service/disable.ts';
import { loginWithCode } from './service/login.ts';
import { loginWithPasskey } from './service/login-with-passkey.ts';
import { listPasskeys, removePasskey, renamePasskey } from './service/passkeys.ts';
import { passkeyRequest } from './service/prove-passkey.ts';
import { passkeyCreation, registerPasskey } from './service/register-passkey.ts';
import { requestTwoFactorReset, stopTwoFactorReset } from './service/reset.ts';
import { enableTotp, verifyTotp } from './service/totp.ts';

const tags: [Tag] = ['Authentication'];
const byCaller = { ...signInLimit, by: 'caller' } as const;

const exampleBackupCodes: BackupCodes = { backupCodes: ['MFRGGZDFMZTWQ2LKNNWG23TP'] };

/** `auth.twoFactor.*` */
export const twoFactor = router({
  enable: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'POST',
      path: '/auth/2fa/enable',
      tags,
      summary: 'Begin to set up an authenticator app',
      description:
        'Makes a secret for the app (RFC 6238: SHA-1, 6 digits, 30 seconds). Logins ask for codes only after `POST /auth/2fa/verify` has seen one.',
    },
    errors: ['two_factor_enabled'],
    limit: byCaller,
    idempotency: false,
    audit: { none: 'nothing has changed until a code is verified' },
    example: {
      output: {
        secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
        otpauthUrl:
          'otpauth://totp/api.example.com:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=api.example.com',
        qrCode: 'data:image/png;base64,iVBORw0KGgo=',
      },
    },
  })
    .input(NoInput)
    .output(TotpSetup)
    .mutation(({ ctx }) => enableTotp(ctx)),

  verify: procedure({
    access: 'user',
    openapi: {
      method: 'POST',
      path: '/auth/2fa/verify',
      tags,
      summary: 'Finish setting up the authenticator app',
      description:
        'With a code of the app. From then on logins ask for one. Answers the backup codes, which are shown only now.',
    },
    errors: ['invalid_code', 'two_factor_enabled', 'two_factor_not_enabled'],
    limit: byCaller,
    idempotency: false,
    example: { input: { code: '123456' }, output: exampleBackupCodes },
  })
    .input(VerifyTotp)
    .output(BackupCodes)
    .mutation(({ ctx, input }) => verifyTotp(ctx, input)),

  login: procedure({
    access: 'proof:challenge',
    openapi: {
      method: 'POST',
      path: '/auth/2fa/login',
      tags,
      summary: 'Complete a login with a code',
      description:
        'Of the authenticator app, or a backup code. A challenge takes 5 tries within 5 minutes; an account, 10 wrong codes an hour. Cookie mode is that of the login.',
    },
    cookie: 'sets',
    countRefusals: true,
    errors: ['invalid_challenge', 'invalid_code', 'too_many_codes', 'account_inactive'],
    limit: signInLimit,
    idempotency: false,
    example: {
      input: { challengeToken: exampleChallengeToken, code: '123456' },
      output: { ...exampleTokens, deviceToken: null },
    },
  })
    .input(LoginWithCode)
    .output(RememberedTokens)
    .mutation(({ ctx, input }) => loginWithCode(ctx, input)),

  disable: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'POST',
      path: '/auth/2fa/disable',
      tags,
      summary: 'Remove the authenticator app',
      description: 'With the password and a code. Backup codes and trusted devices go with it.',
    },
    rest: { status: 204 },
    errors: ['two_factor_not_enabled', 'invalid_credentials', 'invalid_code', 'too_many_codes', 'overloaded'],
    limit: byCaller,
    idempotency: false,
    example: { input: { password: 'SecurePass123!', code: '123456' } },
  })
    .input(DisableTwoFactor)
    .output(NoContent)
    .mutation(({ ctx, input }) => disableTwoFactor(ctx, input)),

  regenerateBackupCodes: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'POST',
      path: '/auth/2fa/backup-codes',
      tags,
      summary: 'Replace the backup codes',
      description: 'The ten new ones are shown only now; the old ones are not valid any more.',
    },
    errors: ['two_factor_not_enabled'],
    limit: byCaller,
    idempotency: false,
    example: { output: exampleBackupCodes },
  })
    .input(NoInput)
    .output(BackupCodes)
    .mutation(({ ctx }) => regenerateBackupCodes(ctx)),

  objectReset: procedure({
    access: 'proof:mailed',
    openapi: {
      method: 'POST',
      path: '/auth/2fa/reset/object',
      tags,
      summary: "Stop an administrator's removal of the second factor",
      description: 'With the token of the mail that informed the owner of it.',
    },
    rest: { status: 204 },
    errors: ['invalid_token'],
    limit: signInLimit,
    idempotency: false,
    example: { input: { token: exampleChallengeToken } },
  })
    .input(EmailTokenInput)
    .output(NoContent)
    .mutation(({ ctx, input }) => stopTwoFactorReset(ctx, input.token)),
});

/** Part of `admin.users`. */
export const resetTwoFactor = procedure({
  access: 'users:impersonate',
  fresh: true,
  openapi: {
    method: 'POST',
    path: '/admin/users/{userId}/2fa/reset',
    tags: ['Administration'],
    summary: "Remove a person's second factor",
    description:
      'Authenticator app, backup codes and passkeys, 24 hours later: the owner is mailed the reason and a link to object. Ends every session. Repeating it while it waits changes nothing.',
  },
  rest: { status: 202 },
  errors: ['not_found', 'two_factor_not_enabled', 'version_mismatch'],
  example: {
    input: { userId: exampleUser.id, reason: 'Lost the phone; seen in person.' },
    output: { effectiveAt: '2026-02-01T12:00:00.000Z' },
  },
})
  .input(RequestTwoFactorReset)
  .output(TwoFactorResetRequest)
  .mutation(({ ctx, input }) => requestTwoFactorReset(ctx, input));

const exampleDescriptor = { id: examplePasskeyProof.credential.id, type: 'public-key', transports: ['internal'] };
const exampleChallenge = 'cmFuZG9tIGJ5dGVzIHRoYXQgYXJlIHNpZ25lZA';
const { challengeToken, credential } = examplePasskeyProof;

/** `auth.passkeys.*` */
export const passkeys = router({
  registerOptions: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'POST',
      path: '/auth/passkeys/register/options',
      tags,
      summary: 'Begin to add a passkey',
      description: 'Answers what `navigator.credentials.create()` needs.',
    },
    limit: byCaller,
    idempotency: false,
    audit: { none: 'nothing has changed until the passkey is registered' },
    example: {
      output: {
        challengeToken,
        options: {
          rp: { id: 'api.example.com', name: 'api.example.com' },
          user: { id: 'dXNyXzI', name: 'ada@example.com', displayName: 'Ada Lovelace' },
          challenge: exampleChallenge,
          pubKeyCredParams: [{ alg: -7, type: 'public-key' }],
          timeout: 300_000,
          attestation: 'none',
          excludeCredentials: [exampleDescriptor],
          authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        },
      },
    },
  })
    .input(NoInput)
    .output(PasskeyCreation)
    .mutation(({ ctx }) => passkeyCreation(ctx)),

  register: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'POST',
      path: '/auth/passkeys/register',
      tags,
      summary: 'Add a passkey',
      description:
        'At most 20. From the first one on, logins with the password ask for a second factor: make backup codes (`POST /auth/2fa/backup-codes`).',
    },
    rest: { status: 201 },
    errors: ['invalid_challenge', 'invalid_passkey', 'passkey_taken', 'limit_reached'],
    limit: byCaller,
    idempotency: false,
    example: {
      input: {
        challengeToken,
        credential: {
          id: credential.id,
          rawId: credential.rawId,
          type: 'public-key',
          clientExtensionResults: {},
          response: {
            clientDataJSON: credential.id,
            attestationObject: credential.id,
            transports: ['internal'],
          },
        },
        name: 'Phone',
      },
      output: examplePasskey,
    },
  })
    .input(RegisterPasskey)
    .output(Passkey)
    .mutation(({ ctx, input }) => registerPasskey(ctx, input)),

  list: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/auth/passkeys',
      tags,
      summary: 'List your passkeys',
      description: 'Newest first.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [examplePasskey], nextCursor: null } },
  })
    .input(ListPasskeys)
    .output(PasskeyPage)
    .query(({ ctx, input }) => listPasskeys(ctx, input)),

  rename: procedure({
    access: 'user',
    openapi: {
      method: 'PATCH',
      path: '/auth/passkeys/{passkeyId}',
      tags,
      summary: 'Rename a passkey',
      description: 'For yourself: sign-ins do not show the name.',
    },
    example: { input: { passkeyId: examplePasskey.id, name: 'Phone' }, output: examplePasskey },
  })
    .input(RenamePasskey)
    .output(Passkey)
    .mutation(({ ctx, input }) => renamePasskey(ctx, input)),

  remove: procedure({
    access: 'user',
    fresh: true,
    openapi: {
      method: 'DELETE',
      path: '/auth/passkeys/{passkeyId}',
      tags,
      summary: 'Remove a passkey',
      description: 'It signs in no longer. The last way into the account cannot be removed.',
    },
    rest: { status: 204 },
    errors: ['last_way_in'],
    example: { input: { passkeyId: examplePasskey.id } },
  })
    .input(PasskeyId)
    .output(NoContent)
    .mutation(({ ctx, input }) => removePasskey(ctx, input.passkeyId)),

  loginOptions: procedure({
    access: 'public',
    openapi: {
      method: 'POST',
      path: '/auth/passkeys/login/options',
      tags,
      summary: 'Begin to sign in with a passkey',
      description:
        'Answers what `navigator.credentials.get()` needs: for a sign-in with nothing else, or with `challengeToken` for the second factor of a login.',
    },
    errors: ['invalid_challenge'],
    limit: signInLimit,
    idempotency: false,
    audit: { none: 'nothing has changed until the passkey has signed' },
    example: {
      input: { challengeToken },
      output: {
        challengeToken,
        options: {
          challenge: exampleChallenge,
          timeout: 300_000,
          rpId: 'api.example.com',
          userVerification: 'required',
          allowCredentials: [exampleDescriptor],
        },
      },
    },
  })
    .input(PasskeyLoginOptions)
    .output(PasskeyRequest)
    .mutation(({ ctx, input }) => passkeyRequest(ctx, input)),

  login: procedure({
    access: 'proof:passkey',
    openapi: {
      method: 'POST',
      path: '/auth/passkeys/login',
      tags,
      summary: 'Sign in with a passkey',
      description:
        'The authenticator has asked its owner for a PIN or a finger, so that no second factor is needed. As second factor it completes a login, in the cookie mode of that.',
    },
    cookie: 'sets',
    countRefusals: true,
    errors: ['invalid_challenge', 'invalid_passkey', 'account_inactive'],
    limit: signInLimit,
    idempotency: false,
    example: { input: { ...examplePasskeyProof }, output: { ...exampleTokens, deviceToken: null } },
  })
    .input(LoginWithPasskey)
    .output(RememberedTokens)
    .mutation(({ ctx, input }) => loginWithPasskey(ctx, input)),
});
