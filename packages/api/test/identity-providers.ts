import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { Provider } from 'oidc-provider';

export const CLIENT = { id: 'rentapi', secret: 'the-secret-of-the-client-0123456789' };

/** A person at a provider. */
export interface Account {
  sub: string;
  email: string;
  emailVerified: boolean;
  name?: string;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closer(server: Server): () => void {
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

/**
 * A real OpenID provider, at which `account` is logged in and agrees to everything. The address is in the ID token, or,
 * with `inUserInfo`, in the answer of the userinfo endpoint only.
 */
export async function startOpenIdProvider(redirectUri: string, { inUserInfo = false } = {}) {
  const server = createServer();
  const issuer = await listen(server);
  let account: Account;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [await exportJWK((await generateKeyPair('RS256', { extractable: true })).privateKey)] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: inUserInfo,
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        email: account.email,
        email_verified: account.emailVerified,
        ...(account.name !== undefined && { name: account.name }),
      }),
    }),
  });
  const handle = provider.callback();
  server.on('request', async (req, res) => {
    if (!req.url?.startsWith('/interaction/')) return handle(req, res);
    const { prompt, params, session } = await provider.interactionDetails(req, res);
    if (prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: account.sub } });
    const grant = new provider.Grant({ accountId: session!.accountId, clientId: String(params['client_id']) });
    grant.addOIDCScope(String(params['scope']));
    const grantId = await grant.save();
    return provider.interactionFinished(req, res, { consent: { grantId } }, { mergeWithLastSubmission: true });
  });
  return {
    issuer,
    logIn: (person: Account) => {
      account = person;
    },
    close: closer(server),
  };
}

/** GitHub as far as a login uses it: codes for one use with PKCE, and a profile whose addresses are apart. */
export async function startGitHub() {
  const server = createServer();
  const baseUrl = await listen(server);
  const codes = new Map<string, { challenge: string; redirectUri: string; account: Account }>();
  const tokens = new Map<string, Account>();
  let account: Account;
  server.on('request', async (req, res) => {
    const url = new URL(req.url!, baseUrl);
    const json = (body: unknown, status = 200) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (url.pathname === '/login/oauth/authorize') {
      const query = (name: string) => url.searchParams.get(name) ?? '';
      const code = randomUUID();
      codes.set(code, { challenge: query('code_challenge'), redirectUri: query('redirect_uri'), account });
      const back = new URL(query('redirect_uri'));
      back.searchParams.set('code', code);
      back.searchParams.set('state', query('state'));
      return res.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === '/login/oauth/access_token') {
      const form = new URLSearchParams(await text(req));
      const granted = codes.get(form.get('code') ?? '');
      codes.delete(form.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const isRight =
        granted?.challenge === challenge &&
        granted.redirectUri === form.get('redirect_uri') &&
        form.get('client_secret') === CLIENT.secret;
      if (!isRight) return json({ error: 'bad_verification_code', error_description: 'The code is incorrect.' });
      const token = randomUUID();
      tokens.set(token, granted.account);
      return json({ access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
    }
    const known = tokens.get(/^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '');
    if (!known) return json({ message: 'Bad credentials' }, 401);
    if (url.pathname === '/api/v3/user') return json({ id: Number(known.sub), login: 'ada', name: known.name ?? null });
    return json([
      { email: 'old@example.com', primary: false, verified: true, visibility: null },
      { email: known.email, primary: true, verified: known.emailVerified, visibility: 'private' },
    ]);
  });
  return {
    baseUrl,
    logIn: (person: Account) => {
      account = person;
    },
    close: closer(server),
  };
}

/** What a forged answer says in place of the truth. */
export interface Forgery {
  claims?: JWTPayload;
  key?: 'foreign' | 'none';
  /** What the token endpoint answers instead. */
  status?: number;
  error?: string;
}

/** An OpenID provider that answers what no honest one would. Its token endpoint accepts every code. */
export async function startForger() {
  const server = createServer();
  const issuer = await listen(server);
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const foreign = await generateKeyPair('RS256');
  let forgery: Forgery = {};
  let asked: string[] = [];
  const key = { ...(await exportJWK(publicKey)), kid: '1', alg: 'RS256', use: 'sig' };
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    authorization_response_iss_parameter_supported: true,
  };
  let nonce = '';

  async function idToken(): Promise<string> {
    const nowS = Math.floor(Date.now() / 1000);
    const claims: JWTPayload = {
      iss: issuer,
      aud: CLIENT.id,
      sub: '1',
      iat: nowS,
      exp: nowS + 300,
      nonce,
      email: 'ada@example.com',
      email_verified: true,
      ...forgery.claims,
    };
    if (forgery.key === 'none') return new UnsecuredJWT(claims).encode();
    const signer = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: '1' });
    return signer.sign(forgery.key === 'foreign' ? foreign.privateKey : privateKey);
  }

  server.on('request', async (req: IncomingMessage, res) => {
    const { pathname } = new URL(req.url!, issuer);
    asked.push(pathname);
    const json = (body: unknown, status = 200) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === '/.well-known/openid-configuration') return json(metadata);
    if (pathname === '/jwks') return json({ keys: [key] });
    if (forgery.status === 302) return res.writeHead(302, { location: '/elsewhere' }).end();
    if (forgery.error) return json({ error: forgery.error }, forgery.status ?? 400);
    if (forgery.status) return res.writeHead(forgery.status).end('an error page');
    return json({ access_token: 'at', token_type: 'Bearer', expires_in: 60, id_token: await idToken() });
  });
  return {
    issuer,
    asked: () => asked,
    /** Of the login that is under way. */
    answer(toNonce: string, forged: Forgery = {}) {
      nonce = toNonce;
      forgery = forged;
      asked = [];
    },
    close: closer(server),
  };
}
