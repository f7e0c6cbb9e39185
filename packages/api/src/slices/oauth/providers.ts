import type { Env } from '@rentapi/platform/env';
import type { TokenEndpointResponse } from 'openid-client';
import { z } from 'zod';

export const PROVIDER_IDS = ['google', 'github', 'oidc'] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];

/** What a provider says about a person. */
export interface Profile {
  /** Its own name of the person, which never changes. */
  subject: string;
  /** Null unless the provider has verified it. */
  verifiedEmail: string | null;
  email: string | null;
  fullName: string | null;
}

/** What `readProfile` may ask. */
export interface Grant {
  tokens: TokenEndpointResponse;
  /** Of the ID token, whose signature has been checked; empty without one. */
  claims: Record<string, unknown>;
  /** GETs JSON with the access token of the grant. */
  read(url: string): Promise<unknown>;
  userInfoUrl: string | undefined;
}

/** A provider is data: who it is, what is asked of it, and how a profile is read. */
export interface ProviderDeclaration {
  id: ProviderId;
  name: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope: string;
  /** Of a provider without OpenID Connect, which has neither discovery nor ID tokens; null else. */
  endpoints: { authorization_endpoint: string; token_endpoint: string } | null;
  readProfile(grant: Grant): Promise<Profile>;
}

/** The providers that the settings name. */
export function declareProviders(env: Env): ProviderDeclaration[] {
  const { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET } = env;
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET } = env;
  const declared: ProviderDeclaration[] = [];
  if (GOOGLE_CLIENT_ID && GOOGLE_CLIENT_SECRET)
    declared.push({
      ...OPENID_CONNECT,
      id: 'google',
      name: 'Google',
      issuer: env.GOOGLE_ISSUER,
      clientId: GOOGLE_CLIENT_ID,
      clientSecret: GOOGLE_CLIENT_SECRET,
    });
  if (GITHUB_CLIENT_ID && GITHUB_CLIENT_SECRET)
    declared.push({
      id: 'github',
      name: 'GitHub',
      issuer: env.GITHUB_BASE_URL,
      clientId: GITHUB_CLIENT_ID,
      clientSecret: GITHUB_CLIENT_SECRET,
      scope: 'read:user user:email',
      endpoints: {
        authorization_endpoint: `${env.GITHUB_BASE_URL}/login/oauth/authorize`,
        token_endpoint: `${env.GITHUB_BASE_URL}/login/oauth/access_token`,
      },
      readProfile: (grant) => readGitHubProfile(grant, gitHubApi(env.GITHUB_BASE_URL)),
    });
  if (OIDC_ISSUER && OIDC_CLIENT_ID && OIDC_CLIENT_SECRET)
    declared.push({
      ...OPENID_CONNECT,
      id: 'oidc',
      name: env.OIDC_NAME,
      issuer: OIDC_ISSUER,
      clientId: OIDC_CLIENT_ID,
      clientSecret: OIDC_CLIENT_SECRET,
    });
  return declared;
}

const text = z.string().max(500);
const optionalText = text.nullish().catch(null);
const Claims = z.object({
  sub: z.string().min(1).max(255),
  email: optionalText,
  email_verified: z.boolean().nullish().catch(null),
  name: optionalText,
});

const OPENID_CONNECT = {
  scope: 'openid email profile',
  endpoints: null,
  /** Some providers put the address into the answer of the userinfo endpoint only. */
  async readProfile({ claims, read, userInfoUrl }: Grant): Promise<Profile> {
    const { sub } = Claims.parse(claims);
    const isComplete = claims['email'] !== undefined || userInfoUrl === undefined;
    const said = Claims.parse(isComplete ? claims : await read(userInfoUrl));
    // An answer about another person must not name the address (OpenID Connect Core, section 5.3.2).
    if (said.sub !== sub) throw new z.ZodError([]);
    const email = said.email ?? null;
    return {
      subject: sub,
      email,
      verifiedEmail: said.email_verified === true ? email : null,
      fullName: said.name ?? null,
    };
  },
};

const GitHubUser = z.object({ id: z.int().positive(), name: optionalText });
const GitHubEmails = z.array(z.object({ email: text, primary: z.boolean(), verified: z.boolean() })).max(1000);

/** By the numeric id: a login name can be given up and taken by another person. */
async function readGitHubProfile({ read }: Grant, api: string): Promise<Profile> {
  const user = GitHubUser.parse(await read(`${api}/user`));
  const primary = GitHubEmails.parse(await read(`${api}/user/emails`)).find((each) => each.primary);
  return {
    subject: String(user.id),
    email: primary?.email ?? null,
    verifiedEmail: primary?.verified ? primary.email : null,
    fullName: user.name ?? null,
  };
}

/** GitHub Enterprise Server has its API below its own address. */
function gitHubApi(baseUrl: string): string {
  return baseUrl === 'https://github.com' ? 'https://api.github.com' : `${baseUrl}/api/v3`;
}
