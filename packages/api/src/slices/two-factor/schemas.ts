import { z } from 'zod';
import { CreatedAt, Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { displayName } from '../../contract/names.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import {
  base64url,
  ChallengeToken,
  clientDataJSON,
  credentialFields,
  PasskeyProof,
} from '../../contract/sign-in-schemas.ts';
import { Code, CookieMode, SubmittedPassword } from '../auth/schemas.ts';

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

export const VerifyTotp = z
  .strictObject({
    code: Code.meta({ description: 'The six digits that the app shows now.' }),
  })
  .meta({ id: 'VerifyTotp', description: 'Proves that the app has the secret.' });
export type VerifyTotp = z.output<typeof VerifyTotp>;

const RememberDevice = z.boolean().optional().meta({
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

export const RequestTwoFactorReset = z
  .strictObject({
    userId: id('usr'),
    reason: displayName(500).meta({
      description: 'Why, and how the person was recognised. The owner reads it.',
      example: 'Lost the phone; seen in person.',
    }),
  })
  .meta({ id: 'RequestTwoFactorReset', description: 'Whose second factor, and why.' });
export type RequestTwoFactorReset = z.output<typeof RequestTwoFactorReset>;

export const TwoFactorResetRequest = z
  .object({ effectiveAt: Timestamp.meta({ description: 'When it happens, unless the owner objects.' }) })
  .meta({ id: 'TwoFactorResetRequest', description: 'A removal that waits.' });
export type TwoFactorResetRequest = z.output<typeof TwoFactorResetRequest>;

export const Passkey = z
  .object({
    id: id('psk'),
    name: z.string().meta({ description: 'What its owner calls it.', example: 'Phone' }),
    createdAt: CreatedAt,
    lastUsedAt: Timestamp.nullable().meta({ description: 'When it last signed in; null until then.' }),
  })
  .meta({ id: 'Passkey', description: 'A key on a device or in a password manager that signs its owner in.' });
export type Passkey = z.output<typeof Passkey>;

export const examplePasskey: Passkey = {
  id: exampleId('psk'),
  name: 'Phone',
  createdAt: '2026-01-31T12:00:00.000Z',
  lastUsedAt: null,
};

const RegisteredCredential = z
  .strictObject({
    ...credentialFields,
    response: z
      .strictObject({
        clientDataJSON,
        attestationObject: base64url.meta({ description: 'The new public key, base64url.' }),
        transports: z
          .array(z.string().max(32))
          .max(10)
          .optional()
          .meta({ description: 'How the authenticator is reached.', example: ['internal'] }),
        authenticatorData: base64url.optional().meta({ description: 'Not used.' }),
        publicKey: base64url.nullish().meta({ description: 'Not used.' }),
        publicKeyAlgorithm: z.int().optional().meta({ description: 'Not used.' }),
      })
      .meta({ description: "The authenticator's answer." }),
  })
  .meta({ id: 'RegisteredCredential', description: 'RegistrationResponseJSON: what `credential.toJSON()` gives.' });
export type RegisteredCredential = z.output<typeof RegisteredCredential>;

export const RegisterPasskey = z
  .strictObject({
    challengeToken: ChallengeToken.meta({ description: 'From the options.' }),
    credential: RegisteredCredential,
    name: displayName(80).optional().meta({ description: 'What you call it.', example: 'Phone' }),
  })
  .meta({ id: 'RegisterPasskey', description: 'A passkey that the browser has created.' });
export type RegisterPasskey = z.output<typeof RegisterPasskey>;

const Descriptor = z
  .object({
    id: z.string().meta({ description: 'The id of the credential, base64url.' }),
    type: z.string().meta({ description: 'Always `public-key`.' }),
    transports: z.array(z.string()).optional().meta({ description: 'How the authenticator is reached.' }),
  })
  .meta({ id: 'PasskeyDescriptor', description: 'Names a passkey to the browser.' });

const challenge = z.string().meta({ description: 'What is signed, base64url.' });
const timeout = z.int().meta({ description: 'Milliseconds for the person to answer.', example: 300_000 });

export const PasskeyCreation = z
  .object({
    challengeToken: ChallengeToken.meta({ description: 'Send it with the credential, within 5 minutes.' }),
    options: z
      .object({
        rp: z
          .object({
            id: z.string().meta({ description: 'The domain of the passkey.', example: 'api.example.com' }),
            name: z.string().meta({ description: 'What the browser shows.', example: 'api.example.com' }),
          })
          .meta({ description: 'The site.' }),
        user: z
          .object({
            id: z.string().meta({ description: 'The user handle, base64url.' }),
            name: z.string().meta({ description: 'The address of the account.', example: 'ada@example.com' }),
            displayName: z.string().meta({ description: 'The name of the person.', example: 'Ada Lovelace' }),
          })
          .meta({ description: 'The account.' }),
        challenge,
        pubKeyCredParams: z
          .array(
            z
              .object({
                alg: z.int().meta({ description: 'COSE number.', example: -7 }),
                type: z.string().meta({ description: 'Always `public-key`.' }),
              })
              .meta({ description: 'An algorithm.' }),
          )
          .meta({ description: 'The algorithms that are accepted, best first.' }),
        timeout,
        attestation: z.string().meta({ description: 'Always `none`: no make of authenticator is preferred.' }),
        excludeCredentials: z.array(Descriptor).meta({ description: 'The passkeys that the account has.' }),
        authenticatorSelection: z
          .object({
            residentKey: z.string().meta({ description: 'Always `required`: it signs in without an address.' }),
            requireResidentKey: z.boolean().meta({ description: 'The same for old browsers.' }),
            userVerification: z
              .string()
              .meta({ description: 'Always `required`: a PIN or a finger proves the person.' }),
          })
          .meta({ description: 'What the authenticator must do.' }),
      })
      .meta({ description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON()`.' }),
  })
  .meta({ id: 'PasskeyCreation', description: 'What a browser needs to create a passkey.' });
export type PasskeyCreation = z.output<typeof PasskeyCreation>;

export const PasskeyId = z.strictObject({ passkeyId: id('psk') });
export const RenamePasskey = PasskeyId.extend({
  name: displayName(80).meta({ description: 'What you call it.', example: 'Phone' }),
}).meta({ id: 'RenamePasskey', description: 'Another name.' });
export type RenamePasskey = z.output<typeof RenamePasskey>;

export const ListPasskeys = pageInput({});
export type ListPasskeys = z.output<typeof ListPasskeys>;
export const PasskeyPage = page('PasskeyPage', Passkey);
export type PasskeyPage = z.output<typeof PasskeyPage>;

export const PasskeyLoginOptions = z
  .strictObject({
    challengeToken: ChallengeToken.optional().meta({
      description: 'Of a login that asks for a second factor; without it, the passkey is the whole sign-in.',
    }),
  })
  .prefault({})
  .meta({ id: 'PasskeyLoginOptions', description: 'What the passkey is for.' });
export type PasskeyLoginOptions = z.output<typeof PasskeyLoginOptions>;

export const PasskeyRequest = z
  .object({
    challengeToken: ChallengeToken.meta({ description: 'Send it with the credential, within 5 minutes.' }),
    options: z
      .object({
        challenge,
        timeout,
        rpId: z.string().meta({ description: 'The domain of the passkey.', example: 'api.example.com' }),
        userVerification: z.string().meta({ description: 'Always `required`.' }),
        allowCredentials: z
          .array(Descriptor)
          .meta({ description: 'The passkeys of the account; empty where any may answer.' }),
      })
      .meta({ description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON()`.' }),
  })
  .meta({ id: 'PasskeyRequest', description: 'What a browser needs to sign with a passkey.' });
export type PasskeyRequest = z.output<typeof PasskeyRequest>;

export const LoginWithPasskey = PasskeyProof.extend({ cookie: CookieMode, rememberDevice: RememberDevice }).meta({
  id: 'LoginWithPasskey',
  description: 'What the passkey signed.',
});
export type LoginWithPasskey = z.output<typeof LoginWithPasskey>;
