import { z } from 'zod';
import { ChallengeToken, SubmittedPassword } from '../auth/schemas.ts';

export const TotpSetup = z
  .object({
    secret: z.string().meta({
      description: 'For apps into which it is typed: base32, 160 bits.',
      example: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    }),
    otpauthUrl: z.string().meta({
      description: 'The same with its names, for apps on the same device.',
      example: 'otpauth://totp/api.example.com:ada%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=api.example.com',
    }),
    qrCode: z
      .string()
      .meta({ description: 'The same as a PNG image in a data URL.', example: 'data:image/png;base64,iVBORw0KGgo=' }),
  })
  .meta({ id: 'TotpSetup', description: 'For the authenticator app. Shown once.' });
export type TotpSetup = z.output<typeof TotpSetup>;

/** More than a code has, for spaces and dashes that people type. */
const MAX_CODE = 64;

export const VerifyTotp = z
  .strictObject({
    code: z.string().max(MAX_CODE).meta({ description: 'The six digits that the app shows now.', example: '123456' }),
  })
  .meta({ id: 'VerifyTotp', description: 'Proves that the app has the secret.' });
export type VerifyTotp = z.output<typeof VerifyTotp>;

const Code = z.string().min(1).max(MAX_CODE).meta({
  description: 'The six digits that the authenticator app shows now, or a backup code.',
  example: '123456',
});

export const RememberDevice = z.boolean().optional().meta({
  description:
    'For 30 days, sign-ins on this device need no second factor. The answer has a `deviceToken` for them; in cookie mode it is an HttpOnly cookie.',
});

export const LoginWithCode = z
  .strictObject({ challengeToken: ChallengeToken, code: Code, rememberDevice: RememberDevice })
  .meta({ id: 'LoginWithCode', description: 'The second factor of a sign-in.' });
export type LoginWithCode = z.output<typeof LoginWithCode>;

export const DisableTwoFactor = z
  .strictObject({
    password: SubmittedPassword.optional().meta({
      description: 'The password of the account; leave it out where the account has none.',
    }),
    code: Code,
  })
  .meta({ id: 'DisableTwoFactor', description: 'Both factors once more.' });
export type DisableTwoFactor = z.output<typeof DisableTwoFactor>;

export const BackupCodes = z
  .object({
    backupCodes: z.array(z.string()).meta({
      description: 'Ten, for when the app is lost. Each works once. Keep them where the device is not.',
      example: ['MFRGGZDFMZTWQ2LKNNWG23TP'],
    }),
  })
  .meta({ id: 'BackupCodes', description: 'Shown once; only hashes are stored.' });
export type BackupCodes = z.output<typeof BackupCodes>;
