import { createHash } from 'node:crypto';
import { sameBytes } from '@rentapi/platform/secrets';
import { tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import type { SignInAnswer } from '../../auth/schemas.ts';
import { completeSignIn } from '../../auth/service/complete-sign-in.ts';
import { endSession } from '../../auth/service/live-session.ts';
import { endChallenges } from '../../two-factor/service/challenge.ts';
import { UserModel } from '../../users/model.ts';
import { OAuthCodeReplayed } from '../events.ts';
import { OAuthCodeModel } from '../model.ts';
import type { ExchangeOAuthCode } from '../schemas.ts';
import { activeUser } from './resolve-user.ts';

/** Each code gets one try, by the page that began. A second use means that it was copied: the first's session ends. */
export async function exchangeOAuthCode(ctx: Context, input: ExchangeOAuthCode): Promise<SignInAnswer> {
  const code = await useCode(ctx, input);
  if (!code) throw new ApiError('oauth_code_invalid');
  const { id, userId, authenticatedAt } = code;
  return completeSignIn(
    ctx,
    {
      cookie: input.cookie,
      deviceToken: input.deviceToken,
      authenticatedAt,
      onSession: async ({ db }, session) =>
        void (await OAuthCodeModel.query(db).findById(id).patch({ sessionId: session.id })),
    },
    async (ctx) => {
      // A second use may have come since: it waits for this lock, or is seen here.
      const current = await OAuthCodeModel.query(ctx.db).findById(id).forUpdate();
      if (!current || current.replayedAt) throw new ApiError('oauth_code_invalid');
      return activeUser(await UserModel.query(ctx.db).findById(userId).forShare().throwIfNotFound());
    },
  );
}

/** Null for a code that opens nothing. No exception: that it was used, and the end of a session, must be committed. */
async function useCode(ctx: Context, { code, codeVerifier }: ExchangeOAuthCode): Promise<OAuthCodeModel | null> {
  return transaction(ctx, async (ctx) => {
    const found = await OAuthCodeModel.query(ctx.db)
      .findOne({ codeHash: tokenHash(code) })
      .forUpdate();
    if (!found) return null;
    if (found.usedAt) {
      await endFirstUse(ctx, found);
      return null;
    }
    activeUser(await UserModel.query(ctx.db).findById(found.userId).throwIfNotFound());
    await OAuthCodeModel.query(ctx.db).findById(found.id).patch({ usedAt: ctx.now });
    return found.expiresAt > ctx.now && isVerifier(codeVerifier, found.codeChallenge) ? found : null;
  });
}

async function endFirstUse(ctx: Context, { id, sessionId, userId }: OAuthCodeModel): Promise<void> {
  await OAuthCodeModel.query(ctx.db).findById(id).patch({ replayedAt: ctx.now });
  if (sessionId === null) return endChallenges(ctx, userId);
  await endSession(ctx, sessionId, OAuthCodeReplayed);
}

function isVerifier(verifier: string, challenge: string): boolean {
  return sameBytes(createHash('sha256').update(verifier).digest(), Buffer.from(challenge, 'base64url'));
}
