import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { SignedCredential } from '../../../contract/sign-in-schemas.ts';
import { transaction } from '../../../data/transaction.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { type PasskeyChallengeModel, PasskeyModel } from '../model.ts';
import type { PasskeyLoginOptions, PasskeyRequest } from '../schemas.ts';
import { findChallenge } from './challenge.ts';
import {
  findPasskeyChallenge,
  openPasskeyChallenge,
  PASSKEY_CHALLENGE_MS,
  redeemPasskeyChallenge,
} from './passkey-challenge.ts';
import { passkeySite, webauthn } from './passkey-site.ts';
import { describePasskey, userHandle } from './register-passkey.ts';

/** For a login's second factor, its passkeys are named; alone, any passkey of this site may answer. */
export async function passkeyRequest(ctx: Context, { challengeToken }: PasskeyLoginOptions): Promise<PasskeyRequest> {
  const signIn = challengeToken === undefined ? null : await findChallenge(ctx, { token: challengeToken });
  const passkeys = signIn ? await PasskeyModel.query(ctx.db).where({ userId: signIn.userId }) : [];
  const { rpId } = passkeySite(ctx);
  const opened = await openPasskeyChallenge(ctx, { userId: null, signInChallengeId: signIn?.id ?? null });
  const { generateAuthenticationOptions } = await webauthn();
  const { challenge } = await generateAuthenticationOptions({ rpID: rpId, challenge: opened.challenge });
  return {
    challengeToken: opened.challengeToken,
    options: {
      challenge,
      timeout: PASSKEY_CHALLENGE_MS,
      rpId,
      userVerification: 'required',
      allowCredentials: passkeys.map(describePasskey),
    },
  };
}

/** The challenge of a sign-in. */
export const findSignInChallenge = (ctx: Context, challengeToken: string): Promise<PasskeyChallengeModel> =>
  findPasskeyChallenge(ctx, challengeToken, { userId: null });

/**
 * Checks what a passkey signed, and runs `onProven` under the lock of its user. A counter that does not grow shows a
 * copy (WebAuthn, section 6.1.1): it is refused, and the owner finds it in their activity.
 */
export async function withPasskey<T>(
  ctx: Context,
  challenge: PasskeyChallengeModel,
  credential: SignedCredential,
  onProven: (ctx: Context, user: UserModel) => Promise<T>,
): Promise<T> {
  const credentialId = Buffer.from(credential.id, 'base64url');
  const known = await PasskeyModel.query(ctx.db).findOne({ credentialId });
  if (!known) throw new ApiError('invalid_passkey');
  const counter = await verifySignature(ctx, { challenge: challenge.challenge, credential, passkey: known });
  if (counter === null) {
    await recordSecurityEvent(ctx, 'login_failed', { userId: known.userId, details: { method: 'passkey' } });
    throw new ApiError('invalid_passkey');
  }
  const proven = await transaction(ctx, async (ctx) => {
    const user = await UserModel.query(ctx.db).findById(known.userId).forUpdate().throwIfNotFound();
    await redeemPasskeyChallenge(ctx, challenge);
    const passkey = await PasskeyModel.query(ctx.db).findById(known.id);
    if (!passkey) throw new ApiError('invalid_passkey'); // removed meanwhile
    if (passkey.counter + counter > 0 && counter <= passkey.counter) return null;
    await PasskeyModel.query(ctx.db).findById(passkey.id).patch({ counter, lastUsedAt: ctx.now });
    if (user.status !== 'ACTIVE') throw new ApiError('account_inactive');
    return { result: await onProven(ctx, user) };
  });
  if (proven) return proven.result;
  const details = { passkey: known.name };
  await recordSecurityEvent(ctx, 'passkey_counter_regressed', { userId: known.userId, details });
  throw new ApiError('invalid_passkey');
}

interface Signed {
  challenge: string;
  credential: SignedCredential;
  passkey: PasskeyModel;
}

/** The authenticator's counter; null where the signature proves nothing. */
async function verifySignature(ctx: Context, { challenge, credential, passkey }: Signed): Promise<number | null> {
  const { id, rawId, type, response } = credential;
  const { clientDataJSON, authenticatorData, signature } = response;
  const handle = Buffer.from(userHandle(ctx, passkey.userId)).toString('base64url');
  if (response.userHandle && response.userHandle !== handle) return null;
  const { rpId, origins } = passkeySite(ctx);
  const { verifyAuthenticationResponse } = await webauthn();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId,
        type,
        clientExtensionResults: {},
        response: { clientDataJSON, authenticatorData, signature },
      },
      expectedChallenge: challenge,
      expectedOrigin: origins,
      expectedRPID: rpId,
      // The counter is compared under a lock.
      credential: { id, publicKey: new Uint8Array(passkey.publicKey), counter: 0 },
      requireUserVerification: true,
    });
    return verified ? authenticationInfo.newCounter : null;
  } catch (error) {
    ctx.ports.log.debug({ err: error }, 'a passkey was refused');
    return null; // whatever bytes were sent, they prove nothing
  }
}
