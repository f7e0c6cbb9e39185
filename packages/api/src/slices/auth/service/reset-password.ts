import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import { findRowEvenly } from '../../../data/rows.ts';
import { keepOrUndo, transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { decoyUser } from '../decoy.ts';
import { PasswordReset, PasswordResetRequested } from '../events.ts';
import type { ConfirmPasswordReset } from '../schemas.ts';
import { endLockout } from './lockout.ts';
import { findMailedToken, redeemMailedToken } from './mailed-token.ts';
import { hashNewPassword, personOf } from './new-password.ts';
import { endAccess, verifiedFields } from './verify-email.ts';
import { endWaysIn } from './ways-in.ts';

/** The same answer and work for an address without an account, or with one that may not sign in: no mail comes then. */
export async function requestPasswordReset(ctx: Context, email: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const user = await findRowEvenly(ctx.db, UserModel, { emailKey: emailKey(email) });
    const target = user ?? decoyUser(ctx, email);
    await keepOrUndo(ctx, user?.status === 'ACTIVE', (ctx) =>
      record(ctx, PasswordResetRequested, { target, data: target.present(ctx.ids) }),
    );
  });
}

/**
 * The link came by mail, so it also verifies the address. Sessions and open links of the old password end. What an
 * account has whose address was never verified may be a stranger's, who registered it first.
 */
export async function confirmPasswordReset(ctx: Context, { token, password }: ConfirmPasswordReset): Promise<void> {
  const claimed = await findMailedToken(ctx, 'password_reset', token); // an invented token causes no hashing
  const person = await personOf(ctx, await UserModel.query(ctx.db).findById(claimed.userId).throwIfNotFound());
  const passwordHash = await hashNewPassword(ctx, 'password', password, person);
  await transaction(ctx, async (ctx) => {
    const { userId } = await redeemMailedToken(ctx, 'password_reset', token);
    const before = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    if (before.status !== 'ACTIVE') throw new ApiError('invalid_token');
    const own = before.emailVerifiedAt ? before : await endWaysIn(ctx, before);
    const after = await change(ctx, own, {
      ...(!before.emailVerifiedAt && (await verifiedFields(ctx, before, null))),
      passwordHash,
    });
    await endAccess(ctx, after);
    await endLockout(ctx, after.email); // the mailbox proves more than a password that was guessed at
    await recordSecurityEvent(ctx, 'password_reset', { userId: after.id });
    await record(ctx, PasswordReset, { target: after, before, after, data: after.present(ctx.ids) });
  });
}
