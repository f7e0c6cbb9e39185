import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { SignInChallengeModel, TotpFactorModel } from '../model.ts';
import type { SecondFactor, SignInChallenge } from '../schemas.ts';

export const CHALLENGE_TTL_S = 300;

/** In the transaction of the first factor, under the lock of the user. */
export async function openChallenge(
  ctx: Context,
  { userId, cookie }: Pick<SignInChallengeModel, 'userId' | 'cookie'>,
): Promise<SignInChallenge> {
  const token = newToken();
  await SignInChallengeModel.query(ctx.db).insert({
    userId,
    tokenHash: tokenHash(token),
    cookie,
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + CHALLENGE_TTL_S * 1000),
  });
  const methods = await secondFactorsOf(ctx, userId);
  return { mfaRequired: true, challengeToken: token, methods, expiresIn: CHALLENGE_TTL_S };
}

async function secondFactorsOf(ctx: Context, userId: number): Promise<SecondFactor[]> {
  const totp = await TotpFactorModel.query(ctx.db).findOne({ userId }).whereNotNull('confirmedAt');
  return totp ? ['totp'] : [];
}

/** With the access that the first factor gave: a challenge must not outlive a changed password. */
export async function endChallenges(ctx: Context, userId: number): Promise<void> {
  await SignInChallengeModel.query(ctx.db).delete().where({ userId });
}
