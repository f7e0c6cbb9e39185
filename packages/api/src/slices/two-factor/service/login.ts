import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { assertCookies } from '../../../pipeline/cookies.ts';
import type { RememberedTokens } from '../../auth/schemas.ts';
import { continueSignIn } from '../../auth/service/complete-sign-in.ts';
import type { LoginWithCode } from '../schemas.ts';
import { claimTry, redeemChallenge } from './challenge.ts';
import { reserveCode, withReservedCode } from './code.ts';

/** Completes a sign-in that waits for its second factor. */
export async function loginWithCode(ctx: Context, input: LoginWithCode): Promise<RememberedTokens> {
  const { challengeToken, code, rememberDevice = false } = input;
  const challenge = await transaction(ctx, async (ctx) => {
    const claimed = await claimTry(ctx, challengeToken);
    if (claimed.cookie) assertCookies(ctx); // before the code is used up
    await reserveCode(ctx, claimed.userId);
    return claimed;
  });
  return continueSignIn(ctx, { cookie: challenge.cookie, rememberDevice }, (ctx, start) =>
    withReservedCode(ctx, { userId: challenge.userId, code }, async (ctx, user) => {
      await redeemChallenge(ctx, challenge);
      return start(ctx, user);
    }),
  );
}
