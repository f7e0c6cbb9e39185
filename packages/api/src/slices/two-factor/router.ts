import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import { signInLimit } from '../../contract/sign-in-limit.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleChallengeToken, exampleTokens, RememberedTokens } from '../auth/schemas.ts';
import { BackupCodes, DisableTwoFactor, LoginWithCode, TotpSetup, VerifyTotp } from './schemas.ts';
import { regenerateBackupCodes } from './service/backup-codes.ts';
import { disableTwoFactor } from './service/disable.ts';
import { loginWithCode } from './service/login.ts';
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
});
