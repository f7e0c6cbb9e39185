import { createSecretBox, type SecretBox, sameBytes } from '@rentapi/platform/secrets';
import { newToken } from '@rentapi/platform/tokens';
import { randomNonce, randomPKCECodeVerifier } from 'openid-client';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { assertCookies } from '../../pipeline/cookies.ts';
import { PROVIDER_IDS } from './providers.ts';

const COOKIE = '__Host-rentapi_oauth';
const TTL_S = 600;
const CONTEXT = 'flow';

/** A login at a provider that this browser has begun. A sealed cookie keeps it: nothing is stored for strangers. */
const Flow = z.object({
  provider: z.enum(PROVIDER_IDS),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  redirectTo: z.string().nullable(),
  codeChallenge: z.string().nullable(),
  cookie: z.boolean(),
  fresh: z.boolean(),
  /** The session that links, where one does. */
  link: z.object({ userId: z.number(), sessionId: z.number() }).nullable(),
  expiresAt: z.number(),
});
export type Flow = z.output<typeof Flow>;
type Begun = Pick<Flow, 'provider' | 'redirectTo' | 'codeChallenge' | 'cookie' | 'fresh' | 'link'>;

/** Of this browser only. The cookie is Lax, because it must be sent with the redirect of the provider, another site. */
export function beginFlow(ctx: Context, begun: Begun): Flow {
  const flow: Flow = {
    ...begun,
    state: newToken(),
    nonce: randomNonce(),
    verifier: randomPKCECodeVerifier(),
    expiresAt: ctx.now.getTime() + TTL_S * 1000,
  };
  const sealed = boxOf(ctx).seal(JSON.stringify(flow), CONTEXT).toString('base64url');
  assertCookies(ctx).set(COOKIE, sealed, { sameSite: 'lax', maxAgeS: TTL_S });
  return flow;
}

/** The flow that the answer belongs to; its cookie works once in a browser. */
export function endFlow(
  ctx: Context,
  { provider, state = '' }: { provider: string; state?: string | undefined },
): Flow {
  const flow = readFlow(ctx);
  ctx.cookies?.clear(COOKIE, 'lax');
  const isBound =
    flow !== null &&
    flow.provider === provider &&
    flow.expiresAt > ctx.now.getTime() &&
    sameBytes(Buffer.from(flow.state), Buffer.from(state));
  if (!isBound) throw new ApiError('oauth_state_invalid');
  return flow;
}

function readFlow(ctx: Context): Flow | null {
  const sealed = ctx.cookies?.get(COOKIE);
  const opened = sealed === undefined ? null : boxOf(ctx).open(Buffer.from(sealed, 'base64url'), CONTEXT);
  return opened === null ? null : Flow.parse(JSON.parse(opened));
}

const boxOf = ({ ports }: Context): SecretBox => createSecretBox(ports.keyring, 'rentapi/oauth/flow');
