import { z } from 'zod';
import { id } from '../../contract/ids.ts';
import { ChallengeToken, PasskeyProof } from '../../contract/sign-in-schemas.ts';
import { EmailAddress, exampleUser, FullName, User, Username } from '../users/schemas.ts';

const MIN_PASSWORD = 8;
const MAX_PASSWORD = 256;

/** NFKC can turn 18 characters into one: longer text is refused before any work is done. */
const MAX_PASSWORD_UNITS = 4 * MAX_PASSWORD;
const tooLong = `must have at most ${MAX_PASSWORD} characters`;

/** Length is counted in code points of the NFKC form, which is what is hashed. */
export const NewPassword = z
  .string()
  .max(MAX_PASSWORD_UNITS, { abort: true, error: tooLong })
  .superRefine((text, ctx) => {
    const { length } = [...text.normalize('NFKC')];
    if (length < MIN_PASSWORD) ctx.addIssue(`must have at least ${MIN_PASSWORD} characters`);
    if (length > MAX_PASSWORD) ctx.addIssue(tooLong);
  })
  .meta({
    description:
      '8 to 256 characters of any kind. Refused are the most common passwords, and your own name or address and those of this service and your organizations.',
    example: 'SecurePass123!',
  });

/** A password to compare with the stored one: only its size is checked. */
export const SubmittedPassword = z
  .string()
  .min(1)
  .max(MAX_PASSWORD_UNITS, { abort: true, error: tooLong })
  .meta({ description: 'The password of the account.', example: 'SecurePass123!' });

export const Register = z
  .strictObject({
    email: EmailAddress,
    username: Username.nullish().meta({ description: 'A public name, if one is wanted.' }),
    password: NewPassword,
    fullName: FullName.nullish().meta({ description: 'The name of the person, as others see it.' }),
  })
  .meta({
    id: 'Register',
    description: 'The username is yours once the address is verified, if no other account has it by then.',
  });
export type Register = z.output<typeof Register>;

export const RegistrationResult = z
  .object({
    email: z.string().meta({ description: 'The address that was registered.', example: 'ada@example.com' }),
    username: z.string().nullable().meta({ description: 'The username that was asked for.', example: 'ada' }),
    fullName: z.string().nullable().meta({ description: 'The name that was given.', example: 'Ada Lovelace' }),
    verificationRequired: z
      .boolean()
      .meta({ description: 'Whether the mailed link must be opened before the first login.' }),
  })
  .meta({
    id: 'RegistrationResult',
    description: 'The same for an address that has an account already; its owner is mailed instead.',
  });
export type RegistrationResult = z.output<typeof RegistrationResult>;

/** Every operation that answers tokens takes it; a challenge keeps it. */
export const CookieMode = z.boolean().optional().meta({
  description:
    'For web pages: the refresh token comes as an HttpOnly cookie, which no script can read, and is null in the answer.',
});

export const DeviceToken = z.string().min(1).max(200);

/** More than a code has, for spaces and dashes that people type. */
const MAX_CODE = 64;

export const Code = z.string().min(1).max(MAX_CODE).meta({
  description: 'The six digits that the authenticator app shows now, or a backup code.',
  example: '123456',
});

export const Login = z
  .strictObject({
    email: EmailAddress,
    password: SubmittedPassword,
    cookie: CookieMode,
    deviceToken: DeviceToken.optional().meta({
      description: 'Of a trusted device, from an earlier answer: while it is valid, no second factor is asked for.',
    }),
  })
  .meta({ id: 'Login', description: 'Who logs in.' });
export type Login = z.output<typeof Login>;

const PROOFS = 'must have `password`, or `code`, or `challengeToken` and `credential`: one of the three';

export const Reauthenticate = z
  .strictObject({
    password: SubmittedPassword.optional(),
    code: Code.optional(),
    challengeToken: PasskeyProof.shape.challengeToken.optional(),
    credential: PasskeyProof.shape.credential.optional(),
    cookie: CookieMode,
  })
  .refine(({ password, code, challengeToken, credential }) => {
    if ((challengeToken === undefined) !== (credential === undefined)) return false;
    return [password, code, credential].filter((proof) => proof !== undefined).length === 1;
  }, PROOFS)
  .meta({ id: 'Reauthenticate', description: 'The password, a code or a passkey once more: one of them.' });
export type Reauthenticate = z.output<typeof Reauthenticate>;

const RefreshToken = z.string().min(1).max(200);
export const Refresh = z
  .strictObject({
    refreshToken: RefreshToken.optional().meta({
      description: 'The one of the last answer; without it, the cookie of a login with `cookie: true`.',
    }),
  })
  .meta({ id: 'Refresh', description: 'The refresh token to exchange.' });
export type Refresh = z.output<typeof Refresh>;

export const Tokens = z
  .object({
    accessToken: z.string().meta({ description: 'Send as `Authorization: Bearer …`.' }),
    refreshToken: RefreshToken.nullable().meta({
      description: 'Works once, within 7 days; the answer contains the next one. Null where it is in a cookie.',
    }),
    tokenType: z.literal('Bearer').meta({ description: 'How the access token is sent.' }),
    expiresIn: z.int().meta({ description: 'Seconds until the access token expires.', example: 900 }),
    user: User,
  })
  .meta({ id: 'Tokens', description: 'What a session calls with, and who is logged in.' });
export type Tokens = z.output<typeof Tokens>;

export const exampleTokens = {
  accessToken: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1c3JfLi4uIn0.c2lnbmF0dXJl',
  refreshToken: 'dGhpcyBpcyBhbiBleGFtcGxlIG9mIGEgcmVmcmVzaCB0b2tlbg',
  tokenType: 'Bearer',
  expiresIn: 900,
  user: exampleUser,
} satisfies Tokens;

const SECOND_FACTORS = ['totp', 'backup_code', 'passkey'] as const;
export type SecondFactor = (typeof SECOND_FACTORS)[number];

export const SignInChallenge = z
  .object({
    mfaRequired: z.literal(true).meta({ description: 'The sign-in is not complete: a second factor is needed.' }),
    challengeToken: ChallengeToken.meta({
      description: 'Proves the first factor, and is good for nothing else. Send it with the second factor.',
    }),
    methods: z
      .array(z.enum(SECOND_FACTORS))
      .meta({ description: 'The second factors that the account has.', example: ['totp', 'backup_code'] }),
    expiresIn: z.int().meta({ description: 'Seconds until the challenge expires.', example: 300 }),
  })
  .meta({ id: 'SignInChallenge', description: 'The first factor is proven; the account has a second.' });
export type SignInChallenge = z.output<typeof SignInChallenge>;

/** Two shapes, distinguished by `mfaRequired`, which tokens do not have. */
export const SignInAnswer = z.union([Tokens, SignInChallenge]);
export type SignInAnswer = z.output<typeof SignInAnswer>;

export const EmailTokenInput = z
  .strictObject({ token: z.string().min(1).max(200).meta({ description: 'From the `?token=` of the mailed link.' }) })
  .meta({ id: 'EmailTokenInput', description: 'The token of a mailed link.' });
export const EmailInput = z
  .strictObject({ email: EmailAddress })
  .meta({ id: 'EmailInput', description: 'Where to mail.' });

export const ConfirmPasswordReset = EmailTokenInput.extend({ password: NewPassword }).meta({
  id: 'ConfirmPasswordReset',
  description: 'The token of the mailed link, and the new password.',
});
export type ConfirmPasswordReset = z.output<typeof ConfirmPasswordReset>;

export const RememberedTokens = Tokens.extend({
  deviceToken: DeviceToken.nullable().meta({
    description:
      'Of the device, if it is remembered: send it with later logins. Null where it is not, or where it is in a cookie.',
  }),
}).meta({ id: 'RememberedTokens', description: 'The tokens of a sign-in with a second factor.' });
export type RememberedTokens = z.output<typeof RememberedTokens>;

export const ChangePassword = z
  .strictObject({
    currentPassword: SubmittedPassword.meta({ description: 'The password of the account until now.' }),
    newPassword: NewPassword,
  })
  .meta({ id: 'ChangePassword', description: 'The current password and the new one.' });
export type ChangePassword = z.output<typeof ChangePassword>;

export const UnlockUser = z
  .strictObject({ userId: id('usr') })
  .meta({ id: 'UnlockUser', description: 'Whose lockout ends.' });
