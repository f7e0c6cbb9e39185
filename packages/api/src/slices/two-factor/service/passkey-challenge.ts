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

/** Deleting makes it single-use, whatever the signature proves. */
export async function redeemPasskeyChallenge(
  ctx: Context,
  challengeToken: string,
  { userId }: Pick<Purpose, 'userId'>,
): Promise<PasskeyChallengeModel> {
  const [found] = await PasskeyChallengeModel.query(ctx.db)
    .delete()
    .where({ tokenHash: tokenHash(challengeToken), userId })
    .returning('*');
  if (!found || found.expiresAt <= ctx.now) throw new ApiError('invalid_challenge');
  return found;
}
