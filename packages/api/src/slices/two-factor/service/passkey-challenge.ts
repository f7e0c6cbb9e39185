import { randomBytes } from 'node:crypto';
import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { PasskeyChallengeModel } from '../model.ts';

export const PASSKEY_CHALLENGE_MS = 300_000;

/** What it is for: registering a passkey of a user, or a sign-in, perhaps as its second factor. */
type Purpose = Pick<PasskeyChallengeModel, 'userId' | 'signInChallengeId'>;

export async function openPasskeyChallenge(
  ctx: Context,
  purpose: Purpose,
): Promise<{ challengeToken: string; challenge: Uint8Array<ArrayBuffer> }> {
  const challengeToken = newToken();
  const challenge = new Uint8Array(randomBytes(32));
  await PasskeyChallengeModel.query(ctx.db).insert({
    ...purpose,
    tokenHash: tokenHash(challengeToken),
    challenge: Buffer.from(challenge).toString('base64url'),
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + PASSKEY_CHALLENGE_MS),
  });
  return { challengeToken, challenge };
}

export async function findPasskeyChallenge(
  ctx: Context,
  challengeToken: string,
  { userId }: Pick<Purpose, 'userId'>,
): Promise<PasskeyChallengeModel> {
  const found = await PasskeyChallengeModel.query(ctx.db)
    .findOne({ tokenHash: tokenHash(challengeToken), userId })
    .where('expiresAt', '>', ctx.now);
  if (!found) throw new ApiError('invalid_challenge');
  return found;
}

/** Deleting makes it single-use: in the transaction of what it proves. */
export async function redeemPasskeyChallenge(ctx: Context, { id }: PasskeyChallengeModel): Promise<void> {
  if ((await PasskeyChallengeModel.query(ctx.db).deleteById(id)) === 0) throw new ApiError('invalid_challenge');
}
