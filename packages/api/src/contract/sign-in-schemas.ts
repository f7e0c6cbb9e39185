import { z } from 'zod';

export const exampleChallengeToken = 'YW4gZXhhbXBsZSBvZiBhIGNoYWxsZW5nZSB0b2tlbiAuIC4';

export const ChallengeToken = z.string().min(1).max(200).meta({
  description: 'From the answer of the sign-in, which asked for a second factor.',
  example: exampleChallengeToken,
});

/** For what browsers make in the longest case, such as attestations. */
export const base64url = z.string().max(20_000);

const CredentialId = z
  .string()
  .min(1)
  .max(1400)
  .meta({ description: 'The id of the credential, base64url.', example: 'dGhlIGlkIG9mIGEgcGFzc2tleQ' });

export const clientDataJSON = base64url.meta({ description: 'What the browser signed for, base64url.' });

/** The fields that browsers send of every credential; some of them add `null` or empty ones. */
export const credentialFields = {
  id: CredentialId,
  rawId: CredentialId.meta({ description: 'The same.' }),
  type: z.literal('public-key').meta({ description: 'The only type there is.' }),
  authenticatorAttachment: z.string().max(32).nullish().meta({ description: 'Not used.' }),
  clientExtensionResults: z
    .strictObject({
      credProps: z
        .strictObject({ rk: z.boolean().optional().meta({ description: 'Whether it is discoverable.' }) })
        .optional()
        .meta({ description: 'Properties of the credential.' }),
    })
    .optional()
    .meta({ description: 'Not used.' }),
};

const SignedCredential = z
  .strictObject({
    ...credentialFields,
    response: z
      .strictObject({
        clientDataJSON,
        authenticatorData: base64url.meta({ description: 'What the authenticator signed for, base64url.' }),
        signature: base64url.meta({ description: 'The signature, base64url.' }),
        userHandle: z.string().max(100).nullish().meta({ description: 'Whose passkey it is, base64url.' }),
        attestationObject: base64url.nullish().meta({ description: 'Not used.' }),
      })
      .meta({ description: "The authenticator's answer." }),
  })
  .meta({ id: 'SignedCredential', description: 'AuthenticationResponseJSON: what `credential.toJSON()` gives.' });
export type SignedCredential = z.output<typeof SignedCredential>;

export const PasskeyProof = z
  .strictObject({
    challengeToken: ChallengeToken.meta({ description: 'From the options.' }),
    credential: SignedCredential,
  })
  .meta({ description: 'What a passkey signed.' });
export type PasskeyProof = z.output<typeof PasskeyProof>;

const example = 'dGhlIGlkIG9mIGEgcGFzc2tleQ';
export const examplePasskeyProof: PasskeyProof = {
  challengeToken: exampleChallengeToken,
  credential: {
    id: example,
    rawId: example,
    type: 'public-key',
    clientExtensionResults: {},
    response: { clientDataJSON: example, authenticatorData: example, signature: example, userHandle: example },
  },
};
