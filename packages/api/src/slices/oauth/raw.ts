import type { IncomingMessage, ServerResponse } from 'node:http';
import { signInLimit } from '../../contract/sign-in-limit.ts';
import type { Tag } from '../../contract/tags.ts';
import { rawRoute } from '../../wire/raw-route.ts';
import { exampleTokens } from '../auth/schemas.ts';
import { InitiateOAuth, OAuthCallback, OAuthResult, OAuthUrl } from './schemas.ts';
import { receiveCallback } from './service/callback.ts';
import { initiateOAuth } from './service/initiate.ts';

const tags: [Tag] = ['Social login'];

/** A browser follows the redirect; a page that asks for JSON gets the address, to show it or go there. */
export const initiate = rawRoute({
  name: 'oauth.initiate',
  meta: {
    access: 'public',
    openapi: {
      method: 'GET',
      path: '/oauth/{provider}/initiate',
      tags,
      summary: 'Begin a login at a provider',
      description:
        "Redirects the browser to the provider's page, or answers its address where the request accepts `application/json`. A cookie binds the login to this browser for ten minutes.",
    },
    cookie: 'binds',
    errors: ['oauth_provider_unknown', 'oauth_provider_unavailable', 'redirect_not_allowed'],
    limit: signInLimit,
    example: {
      input: {
        provider: 'google',
        redirectTo: 'https://app.example.com/welcome',
        codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      },
      output: { url: 'https://accounts.google.com/o/oauth2/v2/auth?client_id=…&state=…' },
    },
  },
  input: InitiateOAuth,
  answer: { type: 'application/json', schema: OAuthUrl, redirects: "To the provider's page." },
  async serve(ctx, input, { req, res }) {
    const answer = await initiateOAuth(ctx, input);
    if (acceptsJson(req)) res.end(JSON.stringify(answer));
    else redirect(res, answer.url);
  },
});

export const callback = rawRoute({
  name: 'oauth.callback',
  meta: {
    access: 'public',
    openapi: {
      method: 'GET',
      path: '/oauth/{provider}/callback',
      tags,
      summary: 'End a login at a provider',
      description:
        'Where the provider sends the browser. A login with `redirectTo` goes on there with `?code=`, for POST /api/v1/oauth/exchange, or with `?error=` and `requestId`; one without it is answered here. Parameters that a provider adds are left out.',
    },
    cookie: 'reads',
    countRefusals: true,
    errors: [
      'oauth_provider_unknown',
      'oauth_provider_unavailable',
      'oauth_state_invalid',
      'oauth_denied',
      'oauth_answer_invalid',
      'oauth_email_unverified',
      'oauth_not_fresh',
      'account_inactive',
      'session_revoked',
      'identity_taken',
      'identity_exists',
    ],
    limit: signInLimit,
    example: {
      input: { provider: 'google', code: '4/P7q7W91a-oMsCeLvIaQm6bTrgtp7', state: 'YW4gZXhhbXBsZSBvZiBhIHN0YXRl' },
      output: exampleTokens,
    },
  },
  input: OAuthCallback,
  ignoresUnknownQuery: true,
  answer: { type: 'application/json', schema: OAuthResult, redirects: 'To `redirectTo`.' },
  async serve(ctx, input, { res }) {
    const answer = await receiveCallback(ctx, input);
    if ('location' in answer) redirect(res, answer.location);
    else res.end(JSON.stringify(answer.result));
  },
});

function redirect(res: ServerResponse, location: string): void {
  res.statusCode = 302;
  res.setHeader('Location', location);
  res.removeHeader('Content-Type');
  res.end();
}

function acceptsJson({ headers: { accept = '' } }: IncomingMessage): boolean {
  return /\bapplication\/json\b/i.test(accept);
}
