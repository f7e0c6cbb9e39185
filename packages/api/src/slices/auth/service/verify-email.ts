import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { change } from '../../../data/base-model.ts';
import { findRowEvenly } from '../../../data/rows.ts';
import { keepOrUndo, transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { endChallenges } from '../../two-factor/service/challenge.ts';
import { endTrust } from '../../two-factor/service/trusted-device.ts';
import { UserModel, usernameKey } from '../../users/model.ts';
import { isUsernameFree } from '../../users/service.ts';
import { decoyUser } from '../decoy.ts';
import { EmailVerified, PasswordRequired, VerificationRequested } from '../events.ts';
import { type RequestedNames, SessionModel, VerificationTokenModel } from '../model.ts';
import { redeemMailedToken } from './mailed-token.ts';
import { endWaysIn } from './ways-in.ts';

/**
 * A link confirms its own registration. If the address was registered more than once, the stored password may be a
 * stranger's: it is removed with all that was made with it, and the owner of the mailbox is mailed a link to set one.
 */
export async function verifyEmail(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { userId, registration } = await redeemMailedToken(ctx, 'email', token);
    const before = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    if (before.emailVerifiedAt) return;
    const isContested = before.registeredAgainAt !== null;
    const own = isContested ? await endWaysIn(ctx, before) : before;
    const after = await change(ctx, own, {
      ...(await verifiedFields(ctx, own, registration)),
      ...(isContested && { passwordHash: null }),
    });
    const data = after.present(ctx.ids);
    await record(ctx, EmailVerified, { target: after, before, after, data });
    if (!isContested) return;
    await endAccess(ctx, after);
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

/** Every session, every mailed link, every sign-in that is not complete, and every trusted device. */
export async function endAccess(ctx: Context, { id }: UserModel): Promise<void> {
  await ctx.db('oauth_codes').where({ userId: id }).delete(); // by name: it belongs to a slice above
  await SessionModel.query(ctx.db).where({ userId: id }).whereNull('revokedAt').patch({ revokedAt: ctx.now });
  await endMailedLinks(ctx, { id });
}

export async function endMailedLinks(ctx: Context, { id }: Pick<UserModel, 'id'>): Promise<void> {
  await VerificationTokenModel.query(ctx.db).delete().where({ userId: id });
  await endEmailChanges(ctx, id);
  await endChallenges(ctx, id);
  await endTrust(ctx, id);
}

/** Those not yet confirmed: an attacker may have asked for them. By the table's name, of a slice above. */
export async function endEmailChanges({ db }: Context, userId: number): Promise<void> {
  await db('email_changes').where({ userId }).whereNull('confirmedAt').delete();
}

/** The same answer and work for an address without an account, or one already verified: no mail comes then. */
export async function resendVerification(ctx: Context, email: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const user = await findRowEvenly(ctx.db, UserModel, { emailKey: emailKey(email) });
    const target = user ?? decoyUser(ctx, email);
    await keepOrUndo(ctx, user?.status === 'ACTIVE' && !user.emailVerifiedAt, (ctx) =>
      record(ctx, VerificationRequested, { target, data: target.present(ctx.ids) }),
    );
  });
}
