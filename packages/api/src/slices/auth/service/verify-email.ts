import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { emailKey, UserModel } from '../../users/model.ts';
import { EmailVerified, VerificationRequested } from '../events.ts';
import { VerificationTokenModel } from '../model.ts';

const EMAIL_TOKEN_TTL_MS = 24 * 3_600_000;

/** Mints the token of a verification mail. Called by the job that sends it, so that no event ever holds one. */
export async function mintEmailToken(ctx: Context, userId: number): Promise<string> {
  const token = newToken();
  await VerificationTokenModel.query(ctx.db).insert({
    userId,
    purpose: 'email',
    tokenHash: tokenHash(token),
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + EMAIL_TOKEN_TTL_MS),
  });
  return token;
}

export async function verifyEmail(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    // Deleting is what makes it single: of two at once, one finds nothing.
    const [found] = await VerificationTokenModel.query(ctx.db)
      .delete()
      .where({ tokenHash: tokenHash(token), purpose: 'email' })
      .returning('*');
    if (!found || found.expiresAt <= ctx.now) throw new ApiError('invalid_token');
    const before = await UserModel.query(ctx.db).findById(found.userId).forUpdate().throwIfNotFound();
    if (before.emailVerifiedAt) return;
    const after = await change(ctx, before, { emailVerifiedAt: ctx.now });
    await record(ctx, EmailVerified, { target: after, before, after, data: after.present(ctx.ids) });
  });
}

/** The same answer for an address without an account, or verified already: nothing is mailed then. */
export async function resendVerification(ctx: Context, email: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const user = await UserModel.query(ctx.db).findOne({ emailKey: emailKey(email) });
    if (!user || user.emailVerifiedAt) return;
    await record(ctx, VerificationRequested, { target: user, data: user.present(ctx.ids) });
  });
}
