// A provider of logins on this machine, at which Grace is logged in and agrees to everything.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

export const GRACE = 'grace@example.com';

export async function startProvider(issuer: string, redirectUri: string) {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'rentapi',
        client_secret: 'the-secret-of-the-example',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: GRACE, email_verified: true, name: 'Grace Hopper' }),
    }),
  });
  const handle = provider.callback();
  const server = createServer(async (req, res) => {
    if (!req.url?.startsWith('/interaction/')) return handle(req, res);
    const { prompt, params } = await provider.interactionDetails(req, res);
    if (prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: 'grace' } });
    const grant = new provider.Grant({ accountId: 'grace', clientId: String(params['client_id']) });
    grant.addOIDCScope(String(params['scope']));
    return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
  });
  server.listen(Number(new URL(issuer).port), 'localhost');
  await once(server, 'listening');
  return { close: () => void server.close().closeAllConnections() };
}
