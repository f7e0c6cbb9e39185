import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { assertCookies } from '../../../pipeline/cookies.ts';
import type { RememberedTokens } from '../../auth/schemas.ts';
import { continueSignIn } from '../../auth/service/complete-sign-in.ts';
import type { LoginWithPasskey } from '../schemas.ts';
import { findChallenge, redeemChallenge } from './challenge.ts';
import { findSignInChallenge, withPasskey } from './prove-passkey.ts';

/** A passkey proves that its owner is there and has it: that is both factors, or the second of a login. */
export async function loginWithPasskey(ctx: Context, input: LoginWithPasskey): Promise<RememberedTokens> {
  const challenge = await findSignInChallenge(ctx, input.challengeToken);
  const { signInChallengeId } = challenge;
  const signIn = signInChallengeId === null ? null : await findChallenge(ctx, { id: signInChallengeId });
  const cookie = signIn?.cookie ?? input.cookie ?? false;
  if (cookie) assertCookies(ctx);
  return continueSignIn(ctx, { cookie, rememberDevice: input.rememberDevice ?? false }, (ctx, start) =>
    withPasskey(ctx, challenge, input.credential, async (ctx, user) => {
      if (signIn && signIn.userId !== user.id) throw new ApiError('invalid_passkey');
      if (signIn) await redeemChallenge(ctx, signIn);
      return start(ctx, user);
    }),
  );
}
