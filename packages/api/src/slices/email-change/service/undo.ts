import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import { lockMailbox } from '../../../data/name-locks.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { endAccess } from '../../auth/service/verify-email.ts';
import { endWaysIn } from '../../auth/service/ways-in.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserUpdated } from '../../users/events.ts';
import { UserModel } from '../../users/model.ts';
import { EmailChangeUndone } from '../events.ts';
import { EmailChangeModel } from '../model.ts';
import { holderOf, keepInvitationsTraceable } from './change.ts';
import { isPasswordNewer, redeem, TAKEN_BACK } from './tokens.ts';

/**
 * The link came to the old address: its owner gets the account back, whatever its state. All sessions end, and with
 * them what may be an attacker's: the links of this change and of later ones, and what opens the account since.
 */
export async function undoEmailChange(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { userId, oldEmail: email, confirmedAt } = await redeem(ctx, 'undoTokenHash', token);
    await lockMailbox(ctx.db, email);
    const before = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    const holder = await holderOf(ctx, email);
    if (holder && holder.id !== userId) await giveUpAddress(ctx, holder);
    const since = confirmedAt!; // every link that undoes has it
    const own = await endWaysIn(ctx, before, since);
    const after = await change(ctx, own, {
      email,
      emailKey: emailKey(email),
      emailVerifiedAt: ctx.now,
      ...((await isPasswordNewer(ctx, { userId, since })) && { passwordHash: null }),
    });
    await EmailChangeModel.query(ctx.db)
      .delete()
      .where({ userId })
      .where((either) => either.whereNull('confirmedAt').orWhere('confirmedAt', '>=', confirmedAt));
    await endAccess(ctx, after);
    await keepInvitationsTraceable(ctx, before);
    await recordSecurityEvent(ctx, 'email_changed', { userId, details: TAKEN_BACK });
    const data = { ...after.present(ctx.ids), previousEmail: before.email };
    await record(ctx, EmailChangeUndone, { target: after, before, after, data });
  });
}

/**
 * An account that was registered with the address meanwhile, and never verified it, cannot keep the owner of the
 * mailbox out: it loses the address, and what was made with its password.
 */
async function giveUpAddress(ctx: Context, before: UserModel): Promise<void> {
  if (before.emailVerifiedAt) throw new ApiError('email_taken');
  const after = await change(ctx, await endWaysIn(ctx, before), {
    email: 'unverified@invalid',
    emailKey: `unverified ${before.id}`, // no address has a space
    passwordHash: null,
  });
  await endAccess(ctx, after);
  await recordSecurityEvent(ctx, 'email_changed', { userId: after.id }); // ends links that are not mailed yet
  await record(ctx, UserUpdated, { target: after, before, after, data: after.present(ctx.ids) });
}
