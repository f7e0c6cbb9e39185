import { z } from 'zod';
import { CreatedAt, Timestamp } from '../../contract/common-schemas.ts';
import { CookieMode, DeviceToken, SignInAnswer } from '../auth/schemas.ts';
import { PROVIDER_IDS } from './providers.ts';

export const ProviderName = z.enum(PROVIDER_IDS).meta({
  description: '`oidc` is the OpenID Connect provider that the operator has set up.',
  example: 'google',
});

export const OAuthProvider = z
  .object({
    provider: ProviderName,
    name: z.string().meta({ description: 'What a button may say.', example: 'Google' }),
  })
  .meta({ id: 'OAuthProvider', description: 'A provider with which people can log in.' });

export const OAuthProviders = z
  .object({ items: z.array(OAuthProvider).meta({ description: 'Those that are set up.' }) })
  .meta({ id: 'OAuthProviders', description: 'The providers of this server.' });
export type OAuthProviders = z.output<typeof OAuthProviders>;

const PKCE = /^[A-Za-z0-9_-]{43}$/;

const RedirectTo = z.string().max(1000).meta({
  description:
    'Where the browser goes afterwards: a page of PUBLIC_URL, of CONSOLE_URL or of an origin that CORS_ORIGINS names.',
  example: 'https://app.example.com/welcome',
});

export const InitiateOAuth = z
  .strictObject({
    provider: ProviderName,
    redirectTo: RedirectTo.optional(),
    codeChallenge: z
      .string()
      .regex(PKCE, 'must be the base64url form of a SHA-256 hash: 43 characters')
      .optional()
      .meta({
        description:
          'Needed with `redirectTo`: BASE64URL(SHA-256(`codeVerifier`)), as in PKCE. The verifier stays in the page.',
        example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      }),
    cookie: CookieMode,
    fresh: z.boolean().optional().meta({
      description:
        'Lets the person authenticate at the provider again, so that the login counts as recent. Not with GitHub.',
    }),
  })
  .refine(({ redirectTo, codeChallenge }) => redirectTo === undefined || codeChallenge !== undefined, {
    path: ['codeChallenge'],
    message: 'is needed with `redirectTo`',
  });
export type InitiateOAuth = z.output<typeof InitiateOAuth>;

export const OAuthUrl = z
  .object({
    url: z.string().meta({
      description: 'Where to send the browser.',
      example: 'https://accounts.google.com/o/oauth2/v2/auth?client_id=…&state=…',
    }),
  })
  .meta({ id: 'OAuthUrl', description: "The provider's page." });
export type OAuthUrl = z.output<typeof OAuthUrl>;

export const OAuthCallback = z.strictObject({
  provider: ProviderName,
  code: z.string().max(4096).optional().meta({ description: "The provider's code." }),
  state: z.string().max(500).optional().meta({ description: 'As it was sent to the provider.' }),
  iss: z.string().max(500).optional().meta({ description: 'Who answers, where the provider says so.' }),
  error: z.string().max(200).optional().meta({ description: 'Why the provider refuses.' }),
});
export type OAuthCallback = z.output<typeof OAuthCallback>;

export const Identity = z
  .object({
    provider: ProviderName,
    email: z.string().nullable().meta({
      description: 'The address that the provider named last; null if it named none.',
      example: 'ada@example.com',
    }),
    createdAt: CreatedAt,
    lastUsedAt: Timestamp.nullable().meta({ description: 'When it last logged in; null until then.' }),
  })
  .meta({ id: 'Identity', description: 'A login at a provider that opens the account.' });
export type Identity = z.output<typeof Identity>;

export const Identities = z
  .object({ items: z.array(Identity).meta({ description: 'At most one for each provider.' }) })
  .meta({ id: 'Identities', description: 'The logins at providers that open the account.' });
export type Identities = z.output<typeof Identities>;

export const OAuthResult = z.union([SignInAnswer, Identity]).meta({
  id: 'OAuthResult',
  description: 'What a login answers; for a link, the login at the provider that was linked.',
});
export type OAuthResult = z.output<typeof OAuthResult>;

export const ExchangeOAuthCode = z
  .strictObject({
    code: z.string().min(1).max(200).meta({ description: 'The `?code=` with which the browser came back.' }),
    codeVerifier: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must be 43 to 128 letters, digits, or . _ ~ -')
      .meta({
        description: 'Of which `codeChallenge` is the hash.',
        example: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      }),
    cookie: CookieMode,
    deviceToken: DeviceToken.optional().meta({
      description: 'Of a trusted device: while it is valid, no second factor is asked for.',
    }),
  })
  .meta({ id: 'ExchangeOAuthCode', description: 'The code of the redirect, and the proof of who began the login.' });
export type ExchangeOAuthCode = z.output<typeof ExchangeOAuthCode>;

export const LinkIdentity = z.strictObject({ provider: ProviderName, redirectTo: RedirectTo.optional() }).meta({
  id: 'LinkIdentity',
  description: 'The provider to link, and where the browser goes afterwards.',
});
export type LinkIdentity = z.output<typeof LinkIdentity>;

export const NamedProvider = z.strictObject({ provider: ProviderName });

export const exampleIdentity: Identity = {
  provider: 'google',
  email: 'ada@example.com',
  createdAt: '2026-01-31T12:00:00.000Z',
  lastUsedAt: '2026-01-31T12:00:00.000Z',
};
