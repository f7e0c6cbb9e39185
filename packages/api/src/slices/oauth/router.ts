import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import { signInLimit } from '../../contract/sign-in-limit.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleTokens, SignInAnswer } from '../auth/schemas.ts';
import {
  ExchangeOAuthCode,
  exampleIdentity,
  Identities,
  LinkIdentity,
  NamedProvider,
  OAuthProviders,
  OAuthUrl,
} from './schemas.ts';
import { exchangeOAuthCode } from './service/exchange.ts';
import { listIdentities, unlinkIdentity } from './service/identities.ts';
import { linkIdentity, listProviders } from './service/initiate.ts';

const tags: [Tag] = ['Social login'];

export const oauth = router({
  providers: procedure({
    access: 'public',
    openapi: {
      method: 'GET',
      path: '/oauth/providers',
      tags,
      summary: 'List the providers of logins',
      description: 'Only those that this server is set up for.',
    },
    example: { output: { items: [{ provider: 'google', name: 'Google' }] } },
  })
    .input(NoInput)
    .output(OAuthProviders)
    .query(({ ctx }) => listProviders(ctx)),

  exchange: procedure({
    access: 'public',
    openapi: {
      method: 'POST',
      path: '/oauth/exchange',
      tags,
      summary: 'Exchange the code of a login at a provider',
      description:
        'Answers as a login does: with tokens, or with a challenge where the account has a second factor. A code works once, within 60 seconds, for the page that began; a second use ends the session of the first.',
    },
    cookie: 'sets',
    countRefusals: true,
    errors: ['oauth_code_invalid', 'account_inactive'],
    limit: signInLimit,
    idempotency: false,
    example: {
      input: {
        code: 'YW4gZXhhbXBsZSBvZiBhIGNvZGUgLiAuIC4gLiAuIC4gLiA',
        codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      },
      output: exampleTokens,
    },
  })
    .input(ExchangeOAuthCode)
    .output(SignInAnswer)
    .mutation(({ ctx, input }) => exchangeOAuthCode(ctx, input)),

  identities: router({
    list: procedure({
      access: 'user',
      openapi: {
        method: 'GET',
        path: '/users/me/identities',
        tags,
        summary: 'List the providers that are linked to your account',
        description:
          'Each of them opens the account. They are found by what the provider calls you, never by the address.',
      },
      example: { output: { items: [exampleIdentity] } },
    })
      .input(NoInput)
      .output(Identities)
      .query(({ ctx }) => listIdentities(ctx)),

    link: procedure({
      access: 'user',
      fresh: true,
      openapi: {
        method: 'POST',
        path: '/users/me/identities/{provider}/link',
        tags,
        summary: 'Link a provider to your account',
        description:
          "Answers the provider's page: open it in the same browser within ten minutes. The account is then linked, and the browser goes to `redirectTo` with `?linked=` or `?error=`.",
      },
      cookie: 'binds',
      errors: ['oauth_provider_unknown', 'oauth_provider_unavailable', 'redirect_not_allowed'],
      idempotency: false,
      audit: { none: 'the link is recorded when the provider has answered' },
      example: {
        input: { provider: 'google', redirectTo: 'https://app.example.com/settings' },
        output: { url: 'https://accounts.google.com/o/oauth2/v2/auth?client_id=…&state=…' },
      },
    })
      .input(LinkIdentity)
      .output(OAuthUrl)
      .mutation(({ ctx, input }) => linkIdentity(ctx, input)),

    unlink: procedure({
      access: 'user',
      fresh: true,
      openapi: {
        method: 'DELETE',
        path: '/users/me/identities/{provider}',
        tags,
        summary: 'Unlink a provider from your account',
        description: 'It no longer opens the account. The last way to log in cannot be taken away.',
      },
      rest: { status: 204 },
      errors: ['last_way_in'],
      example: { input: { provider: 'google' } },
    })
      .input(NamedProvider)
      .output(NoContent)
      .mutation(({ ctx, input }) => unlinkIdentity(ctx, input.provider)),
  }),
});
