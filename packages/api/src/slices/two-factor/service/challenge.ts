import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { SecondFactor, SignInChallenge } from '../../auth/schemas.ts';
import { BackupCodeModel, PasskeyModel, SignInChallengeModel, TotpFactorModel } from '../model.ts';

const CHALLENGE_TTL_S = 300;
const MAX_ATTEMPTS = 5;

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
  const backupCode = await BackupCodeModel.query(ctx.db).findOne({ userId });
  const passkey = await PasskeyModel.query(ctx.db).findOne({ userId });
  return [
    ...(totp ? ['totp' as const] : []),
    ...(backupCode ? ['backup_code' as const] : []),
    ...(passkey ? ['passkey' as const] : []),
  ];
}

/** A challenge that waits, for a factor whose tries need not be counted. */
export async function findChallenge(
  ctx: Context,
  by: { token: string } | { id: number },
): Promise<SignInChallengeModel> {
  const challenge = await SignInChallengeModel.query(ctx.db)
    .findOne('id' in by ? { id: by.id } : { tokenHash: tokenHash(by.token) })
    .where('expiresAt', '>', ctx.now);
  if (!challenge) throw new ApiError('invalid_challenge');
  return challenge;
}

/** One more try, which is counted before anything is compared. */
export async function claimTry(ctx: Context, challengeToken: string): Promise<SignInChallengeModel> {
  const challenge = await SignInChallengeModel.query(ctx.db)
    .increment('attempts', 1)
    .where({ tokenHash: tokenHash(challengeToken) })
    .where('attempts', '<', MAX_ATTEMPTS)
    .where('expiresAt', '>', ctx.now)
    .returning('*')
    .first();
  if (!challenge) throw new ApiError('invalid_challenge');
  return challenge;
}

/** Ends the challenge whose second factor was proven: of two requests, one opens a session. */
export async function redeemChallenge(ctx: Context, { id }: SignInChallengeModel): Promise<void> {
  const deleted = await SignInChallengeModel.query(ctx.db).deleteById(id);
  if (deleted === 0) throw new ApiError('invalid_challenge');
}

/** With the access that the first factor gave: a challenge must not outlive a changed password. */
export async function endChallenges(ctx: Context, userId: number): Promise<void> {
  await SignInChallengeModel.query(ctx.db).delete().where({ userId });
}
