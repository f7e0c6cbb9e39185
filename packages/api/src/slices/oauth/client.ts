import type { Env } from '@rentapi/platform/env';
import { createOutbound, type Outbound, OutboundError } from '@rentapi/platform/outbound';
import * as oidc from 'openid-client';
import { z } from 'zod';
import { ApiError } from '../../contract/errors.ts';
import { declareProviders, type Profile, type ProviderDeclaration, type ProviderId } from './providers.ts';

/** The providers with which people can log in on this server. */
export interface OAuthClients {
  list(): OAuthClient[];
  /** Throws `oauth_provider_unknown`. */
  get(id: ProviderId): OAuthClient;
  close(): void;
}

/** What binds the answer of the provider to the login that was begun. */
export interface Checks {
  state: string;
  nonce: string;
  verifier: string;
  /** Whether the person has to authenticate again. */
  fresh: boolean;
}

/** The parameters with which the browser came back. */
export type Answer = Partial<Record<'code' | 'state' | 'iss' | 'error', string | undefined>>;

export interface OAuthClient {
  id: ProviderId;
  name: string;
  /** Whether it says when a person has authenticated. */
  saysWhen: boolean;
  authorizationUrl(redirectUri: string, checks: Checks): Promise<string>;
  /** Exchanges the code of the answer. Throws an `ApiError` for whatever is wrong with it. */
  redeem(redirectUri: string, answer: Answer, checks: Checks): Promise<Redeemed>;
}

export interface Redeemed extends Profile {
  issuer: string;
  /** When the person authenticated there; null unless that was asked for. */
  authenticatedAt: Date | null;
}

/** How long what a provider says about itself is remembered. */
const METADATA_MAX_AGE_MS = 3_600_000;
/** Between the authentication and the end of the login, a person may have to agree to something. */
const MAX_AUTHENTICATION_AGE_S = 300;
const RETRY_S = 5;
const TIMEOUT_MS = 10_000;

export function createOAuthClients(env: Env): OAuthClients {
  const declared = declareProviders(env);
  const bases = declared.flatMap(({ issuer, endpoints }) => [issuer, ...Object.values(endpoints ?? {})]);
  // The addresses that the operator has set may be private. Others, which a provider names, must be public.
  const outbound = createOutbound({
    allowedTargets: [...new Set(bases.map(targetOf))],
    settingName: 'OIDC_ISSUER',
    timeoutMs: TIMEOUT_MS,
    maxBodyBytes: 1024 ** 2,
  });
  const clients = new Map(declared.map((declaration) => [declaration.id, createClient(declaration, outbound)]));
  return {
    list: () => [...clients.values()],
    get(id) {
      const client = clients.get(id);
      if (!client) throw new ApiError('oauth_provider_unknown');
      return client;
    },
    close: () => outbound.close(),
  };
}

function targetOf(address: string): string {
  const url = new URL(address);
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
}

function createClient(declaration: ProviderDeclaration, outbound: Outbound): OAuthClient {
  const { id, name, scope, endpoints, readProfile } = declaration;
  const configure = configurationOf(declaration, outbound);
  return {
    id,
    name,
    saysWhen: !endpoints,
    authorizationUrl: (redirectUri, { state, nonce, verifier, fresh }) =>
      translated(async () => {
        const parameters = {
          redirect_uri: redirectUri,
          scope,
          state,
          code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...(!endpoints && { nonce }),
          ...(fresh && { max_age: '0' }),
        };
        return oidc.buildAuthorizationUrl(await configure(), parameters).href;
      }),
    redeem: (redirectUri, answer, { state, nonce, verifier, fresh }) =>
      translated(async () => {
        const config = await configure();
        const url = new URL(redirectUri);
        for (const [name, value] of Object.entries(answer)) if (value !== undefined) url.searchParams.set(name, value);
        const tokens = await oidc.authorizationCodeGrant(config, url, {
          expectedState: state,
          pkceCodeVerifier: verifier,
          ...(!endpoints && { expectedNonce: nonce, idTokenExpected: true }),
        });
        const claims: Record<string, unknown> = { ...tokens.claims() };
        const server = config.serverMetadata();
        const profile = await readProfile({
          tokens,
          claims,
          userInfoUrl: server.userinfo_endpoint,
          async read(address) {
            const response = await oidc.fetchProtectedResource(config, tokens.access_token, new URL(address), 'GET');
            if (!response.ok) throw new oidc.ClientError(`${response.status} for the profile`, { cause: response });
            return response.json();
          },
        });
        return { ...profile, issuer: server.issuer, authenticatedAt: fresh ? recentTime(claims['auth_time']) : null };
      }),
  };
}

/** A login is recent only where the provider was asked for it and says so. */
function recentTime(authTime: unknown): Date {
  const ageS = typeof authTime === 'number' ? Date.now() / 1000 - authTime : Number.POSITIVE_INFINITY;
  if (ageS > MAX_AUTHENTICATION_AGE_S) throw new ApiError('oauth_not_fresh');
  return new Date(Math.min(Number(authTime) * 1000, Date.now()));
}

/** Reads what the provider says about itself, once an hour. A failure is not remembered. */
function configurationOf(declaration: ProviderDeclaration, outbound: Outbound): () => Promise<oidc.Configuration> {
  const { issuer, clientId, clientSecret, endpoints } = declaration;
  const isPlain = issuer.startsWith('http:');
  let known: { at: number; config: Promise<oidc.Configuration> } | undefined;

  const call: oidc.CustomFetch = async (url, { method, headers, body }) => {
    const answer = await outbound.send({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers: { accept: 'application/json', ...headers },
      ...(body != null && { body: String(body) }),
    });
    if (answer.truncated) throw new OutboundError('connection_failed', 'The answer is too large.');
    const type = answer.headers['content-type'];
    return new Response(answer.body, { status: answer.status, headers: { ...(type && { 'content-type': type }) } });
  };

  async function load(): Promise<oidc.Configuration> {
    if (!endpoints) {
      return oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, {
        [oidc.customFetch]: call,
        // Without this, the ID token of a code would be believed because of the connection it came over.
        execute: [oidc.enableNonRepudiationChecks, ...(isPlain ? [oidc.allowInsecureRequests] : [])],
      });
    }
    const config = new oidc.Configuration({ issuer, ...endpoints }, clientId, clientSecret);
    config[oidc.customFetch] = call;
    if (isPlain) oidc.allowInsecureRequests(config);
    return config;
  }

  return () => {
    const now = performance.now();
    if (known && now - known.at < METADATA_MAX_AGE_MS) return known.config;
    const loading = { at: now, config: load() };
    known = loading;
    loading.config.catch(() => {
      if (known === loading) known = undefined;
    });
    return loading.config;
  };
}

/** The refusals of the library as those of the API; the provider's own words stay in the log. */
async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof oidc.AuthorizationResponseError) throw new ApiError('oauth_denied', { cause: error });
    if (isUnavailable(error)) throw new ApiError('oauth_provider_unavailable', { retryAfterS: RETRY_S, cause: error });
    const isAnswer =
      error instanceof oidc.ClientError || error instanceof oidc.ResponseBodyError || error instanceof z.ZodError;
    if (isAnswer || error instanceof SyntaxError) throw new ApiError('oauth_answer_invalid', { cause: error });
    throw error;
  }
}

/** No answer, a failing server, or one that does not know this client. */
function isUnavailable(error: unknown): boolean {
  for (let each = error, depth = 0; each !== undefined && depth < 5; depth++) {
    if (each instanceof OutboundError) return true;
    if (each instanceof Response) return each.status >= 500;
    if (each instanceof oidc.ResponseBodyError) return each.status >= 500 || each.error === 'invalid_client';
    each = each instanceof Error ? each.cause : undefined;
  }
  return false;
}
