import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { revokeKeysOfCreator } from '../../api-keys/service.ts';
import { endChallenges } from '../../two-factor/service/challenge.ts';
import { endTrust } from '../../two-factor/service/trusted-device.ts';
import { UserModel, usernameKey } from '../../users/model.ts';
import { isUsernameFree } from '../../users/service.ts';
import { EmailVerified, PasswordRequired, VerificationRequested } from '../events.ts';
import { type RequestedNames, SessionModel, VerificationTokenModel } from '../model.ts';
import { redeemMailedToken } from './mailed-token.ts';

/**
 * A link confirms its own registration. If the address was registered more than once, the stored password may be a
 * stranger's: it is removed together with its sessions, and the owner of the mailbox is mailed a link to set one.
 */
export async function verifyEmail(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { userId, registration } = await redeemMailedToken(ctx, 'email', token);
    const before = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    if (before.emailVerifiedAt) return;
    const isContested = before.registeredAgainAt !== null;
    const after = await change(ctx, before, {
      ...(await verifiedFields(ctx, before, registration)),
      ...(isContested && { passwordHash: null }),
    });
    const data = after.present(ctx.ids);
    await record(ctx, EmailVerified, { target: after, before, after, data });
    if (!isContested) return;
    await endAccess(ctx, after);
    await revokeKeysOfCreator(ctx, after.id);
    await record(ctx, PasswordRequired, { target: after, data });
  });
}

/** What an account gets once its address is verified. A username that another account claimed first is dropped. */
export async function verifiedFields(
  ctx: Context,
  user: UserModel,
  registration: RequestedNames | null,
): Promise<Pick<UserModel, 'emailVerifiedAt' | 'registeredAgainAt' | 'fullName' | 'username' | 'usernameKey'>> {
  const { username, fullName } = registration ?? user;
  const claimed = username && (await isUsernameFree(ctx, username, user.id)) ? username : null;
  return {
    emailVerifiedAt: ctx.now,
    registeredAgainAt: null,
    fullName,
    username: claimed,
    usernameKey: usernameKey(claimed),
  };
}

/** Every session, every mailed link, every sign-in that waits for a second factor, and every trusted device. */
export async function endAccess(ctx: Context, { id }: UserModel): Promise<void> {
  await SessionModel.query(ctx.db).where({ userId: id }).whereNull('revokedAt').patch({ revokedAt: ctx.now });
  await endMailedLinks(ctx, { id });
}

export async function endMailedLinks(ctx: Context, { id }: Pick<UserModel, 'id'>): Promise<void> {
  await VerificationTokenModel.query(ctx.db).delete().where({ userId: id });
  await endChallenges(ctx, id);
  await endTrust(ctx, id);
}

/** The same answer for an address without an account, or one already verified: nothing is mailed then. */
export async function resendVerification(ctx: Context, email: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const user = await UserModel.query(ctx.db).findOne({ emailKey: emailKey(email) });
    if (user?.status !== 'ACTIVE' || user.emailVerifiedAt) return;
    await record(ctx, VerificationRequested, { target: user, data: user.present(ctx.ids) });
  });
}
