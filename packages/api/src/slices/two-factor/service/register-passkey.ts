import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { lockMe } from '../../users/staff.ts';
import { PasskeyAdded } from '../events.ts';
import { PasskeyModel } from '../model.ts';
import type { Passkey, PasskeyCreation, RegisteredCredential, RegisterPasskey } from '../schemas.ts';
import {
  findPasskeyChallenge,
  openPasskeyChallenge,
  PASSKEY_CHALLENGE_MS,
  redeemPasskeyChallenge,
} from './passkey-challenge.ts';
import { passkeySite, webauthn } from './passkey-site.ts';
import { settleTwoFactor } from './settle.ts';

export const MAX_PASSKEYS = 20;
/** EdDSA, ES256 and RS256, by their COSE numbers. */
const ALGORITHMS = [-8, -7, -257];

/** What the authenticator stores with the key, and shows again at a sign-in: the public id. */
export const userHandle = (ctx: Context, userId: number) => new TextEncoder().encode(ctx.ids.encode('usr', userId));

export async function passkeyCreation(ctx: UserContext): Promise<PasskeyCreation> {
  const { user } = ctx.actor;
  const { rpId } = passkeySite(ctx);
  const passkeys = await PasskeyModel.query(ctx.db).where({ userId: user.id }).limit(MAX_PASSKEYS);
  const { challengeToken, challenge } = await openPasskeyChallenge(ctx, { userId: user.id, signInChallengeId: null });
  const { generateRegistrationOptions } = await webauthn();
  const options = await generateRegistrationOptions({
    rpName: rpId,
    rpID: rpId,
    userName: user.email,
    userID: userHandle(ctx, user.id),
    userDisplayName: user.fullName ?? user.email,
    challenge,
    timeout: PASSKEY_CHALLENGE_MS,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: ALGORITHMS,
  });
  const { user: handle, pubKeyCredParams } = options;
  return {
    challengeToken,
    options: {
      rp: { id: rpId, name: rpId },
      user: handle,
      challenge: options.challenge,
      pubKeyCredParams,
      timeout: PASSKEY_CHALLENGE_MS,
      attestation: 'none',
      excludeCredentials: passkeys.map(describePasskey),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    },
  };
}

export const describePasskey = ({ credentialId, transports }: PasskeyModel) => ({
  id: credentialId.toString('base64url'),
  type: 'public-key' as const,
  transports,
});

export async function registerPasskey(ctx: UserContext, input: RegisterPasskey): Promise<Passkey> {
  const userId = ctx.actor.user.id;
  const challenge = await findPasskeyChallenge(ctx, input.challengeToken, { userId });
  const { id, publicKey, counter } = await verifyRegistration(ctx, challenge.challenge, input.credential);
  return transaction(ctx, async (ctx) => {
    const before = await lockMe(ctx);
    await redeemPasskeyChallenge(ctx, challenge);
    const count = await PasskeyModel.query(ctx.db).where({ userId }).resultSize();
    assertRoom(count, MAX_PASSKEYS, `An account has at most ${MAX_PASSKEYS} passkeys: remove one first.`);
    const passkey = await PasskeyModel.query(ctx.db)
      .insert({
        userId,
        credentialId: Buffer.from(id, 'base64url'),
        publicKey: Buffer.from(publicKey),
        counter,
        transports: input.credential.response.transports ?? [],
        name: input.name ?? 'Passkey',
        createdAt: ctx.now,
      })
      .returning('*');
    const after = await settleTwoFactor(ctx, before);
    const presented = passkey.present(ctx.ids);
    await recordSecurityEvent(ctx, 'passkey_added', { userId, details: { passkey: passkey.name } });
    await record(ctx, PasskeyAdded, {
      target: after,
      before,
      after,
      data: { ...after.present(ctx.ids), passkey: { id: presented.id, name: passkey.name } },
    });
    return presented;
  });
}

async function verifyRegistration(ctx: Context, expectedChallenge: string, credential: RegisteredCredential) {
  const { id, rawId, type, response } = credential;
  const { clientDataJSON, attestationObject } = response;
  const { rpId, origins } = passkeySite(ctx);
  const { verifyRegistrationResponse } = await webauthn();
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId, type, clientExtensionResults: {}, response: { clientDataJSON, attestationObject } },
      expectedChallenge,
      expectedOrigin: origins,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (registrationInfo) return registrationInfo.credential;
  } catch (error) {
    throw new ApiError('invalid_passkey', { cause: error }); // whatever bytes were sent, they prove nothing
  }
  throw new ApiError('invalid_passkey');
}
