import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { OAuthClient } from '../client.ts';
import { beginFlow } from '../flow.ts';
import type { ProviderId } from '../providers.ts';
import { allowedRedirect } from '../redirects.ts';
import type { InitiateOAuth, LinkIdentity, OAuthProviders, OAuthUrl } from '../schemas.ts';

export async function listProviders({ ports }: Context): Promise<OAuthProviders> {
  return { items: ports.oauth.list().map(({ id, name }) => ({ provider: id, name })) };
}

/** Begins a login in this browser, and returns the provider's page. */
export async function initiateOAuth(ctx: Context, input: InitiateOAuth): Promise<OAuthUrl> {
  const { provider, codeChallenge = null, cookie = false, fresh = false } = input;
  const client = ctx.ports.oauth.get(provider);
  if (fresh && !client.saysWhen)
    throw new ApiError('invalid_input', {
      errors: [
        { path: 'fresh', message: `is not possible with ${client.name}, which does not say when a person logged in` },
      ],
    });
  const redirectTo = allowedRedirect(ctx, input.redirectTo);
  return begin(ctx, client, { provider, redirectTo, codeChallenge, cookie, fresh, link: null });
}

/** The same for a person who is logged in. It begins with a POST of a recent login, and ends in the same browser. */
export async function linkIdentity(ctx: UserContext, { provider, redirectTo }: LinkIdentity): Promise<OAuthUrl> {
  const client = ctx.ports.oauth.get(provider);
  const { user, session } = ctx.actor;
  return begin(ctx, client, {
    provider,
    redirectTo: allowedRedirect(ctx, redirectTo),
    codeChallenge: null,
    cookie: false,
    fresh: false,
    link: { userId: user.id, sessionId: session.id },
  });
}

async function begin(ctx: Context, client: OAuthClient, begun: Parameters<typeof beginFlow>[1]): Promise<OAuthUrl> {
  const flow = beginFlow(ctx, begun);
  return { url: await client.authorizationUrl(redirectUriOf(ctx, client.id), flow) };
}

/** As it is registered at the provider, to the letter. */
export function redirectUriOf({ ports }: Context, provider: ProviderId): string {
  return `${ports.env.PUBLIC_URL}/api/v1/oauth/${provider}/callback`;
}
