import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { toApiError } from '../../../contract/problem.ts';
import { transaction } from '../../../data/transaction.ts';
import { completeSignIn } from '../../auth/service/complete-sign-in.ts';
import { findLiveSession } from '../../auth/service/live-session.ts';
import { UserModel } from '../../users/model.ts';
import type { OAuthClient, Redeemed } from '../client.ts';
import { endFlow, type Flow } from '../flow.ts';
import { OAuthCodeModel, UserIdentityModel } from '../model.ts';
import { withParameters } from '../redirects.ts';
import type { OAuthCallback, OAuthResult } from '../schemas.ts';
import { redirectUriOf } from './initiate.ts';
import { activeUser, linkTo, resolveUser } from './resolve-user.ts';

const CODE_TTL_MS = 60_000;

/** What the browser gets: an answer, or the address of the page that began. */
export type CallbackAnswer = { result: OAuthResult } | { location: string };

/** Tokens never travel in an address: a page gets a code, and exchanges it with a proof that it has begun. */
export async function receiveCallback(ctx: Context, input: OAuthCallback): Promise<CallbackAnswer> {
  const { provider, ...answer } = input;
  const client = ctx.ports.oauth.get(provider);
  const flow = endFlow(ctx, input);
  const { redirectTo } = flow;
  try {
    const person = await client.redeem(redirectUriOf(ctx, provider), answer, flow);
    if (flow.link) {
      const identity = await link(ctx, client, person, flow.link);
      return redirectTo
        ? { location: withParameters(redirectTo, { linked: provider }) }
        : { result: identity.present() };
    }
    if (!redirectTo) return { result: await signIn(ctx, client, person, flow) };
    return { location: withParameters(redirectTo, { code: await mintCode(ctx, client, person, flow) }) };
  } catch (error) {
    const known = toApiError(error);
    // The page shows a refusal better than a browser shows JSON. A failure stays an answer of ours.
    if (!redirectTo || (known.status >= 500 && known.errorCode !== 'oauth_provider_unavailable')) throw error;
    return { location: withParameters(redirectTo, { error: known.errorCode, requestId: ctx.request.requestId }) };
  }
}

async function signIn(ctx: Context, client: OAuthClient, person: Redeemed, { cookie }: Flow): Promise<OAuthResult> {
  const { authenticatedAt } = person;
  return completeSignIn(ctx, { cookie, authenticatedAt }, (ctx) => resolveUser(ctx, client, person));
}

async function mintCode(ctx: Context, client: OAuthClient, person: Redeemed, flow: Flow): Promise<string> {
  const code = newToken();
  await transaction(ctx, async (ctx) => {
    const user = await resolveUser(ctx, client, person);
    await OAuthCodeModel.query(ctx.db).insert({
      codeHash: tokenHash(code),
      codeChallenge: flow.codeChallenge!, // the schema requires it with `redirectTo`
      userId: user.id,
      authenticatedAt: person.authenticatedAt,
      createdAt: ctx.now,
      expiresAt: new Date(ctx.now.getTime() + CODE_TTL_MS),
    });
  });
  return code;
}

/** For the session that began: it must not have ended meanwhile. */
async function link(
  ctx: Context,
  client: OAuthClient,
  person: Redeemed,
  { userId, sessionId }: NonNullable<Flow['link']>,
): Promise<UserIdentityModel> {
  return transaction(ctx, async (ctx) => {
    const user = activeUser(await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound());
    const session = await findLiveSession(ctx, sessionId, userId);
    const { issuer, subject } = person;
    const own = await UserIdentityModel.query(ctx.db).findOne({ issuer, subject, userId });
    const actor = { kind: 'user', user, session, membership: null } as const;
    return own ?? linkTo({ ...ctx, actor }, client, person, user);
  });
}
