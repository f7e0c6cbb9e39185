import { z } from 'zod';

export const SECOND_FACTORS = ['totp', 'backup_code', 'passkey'] as const;
export type SecondFactor = (typeof SECOND_FACTORS)[number];

export const ChallengeToken = z.string().min(1).max(200);

export const DeviceToken = z.string().min(1).max(200);

export const SignInChallenge = z
  .object({
    mfaRequired: z.literal(true).meta({ description: 'Sign-in is not complete: a second factor is needed.' }),
    challengeToken: ChallengeToken.meta({
      description: 'Proves the first factor, and is good for nothing else. Send it with the second factor.',
      example: 'YW4gZXhhbXBsZSBvZiBhIGNoYWxsZW5nZSB0b2tlbiAuIC4',
    }),
    methods: z
      .array(z.enum(SECOND_FACTORS))
      .meta({ description: 'The second factors that the account has.', example: ['totp', 'backup_code'] }),
    expiresIn: z.int().meta({ description: 'Seconds until the challenge expires.', example: 300 }),
  })
  .meta({ id: 'SignInChallenge', description: 'The first factor is proven; the account has a second.' });
export type SignInChallenge = z.output<typeof SignInChallenge>;
