import { emailKey } from '@rentapi/platform/mail-address';
import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { change } from '../../../data/base-model.ts';
import { lockMailbox } from '../../../data/name-locks.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { endMailedLinks, verifiedFields } from '../../auth/service/verify-email.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { lockMe } from '../../users/staff.ts';
import { EmailChanged, EmailChangeRequested } from '../events.ts';
import type { ChangeEmail } from '../schemas.ts';
import { redeem } from './tokens.ts';

/** The same answer, at the same cost, for an address that has an account: only its mailbox learns which. */
export async function requestEmailChange(ctx: UserContext, { email }: ChangeEmail): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const user = await lockMe(ctx);
    if (emailKey(email) === user.emailKey)
      throw new ApiError('invalid_input', {
        errors: [{ path: 'email', message: 'is the address of your account already' }],
      });
    const data = { id: ctx.ids.encode('usr', user.id), email, previousEmail: user.email };
    await record(ctx, EmailChangeRequested, { target: user, data });
  });
}

/**
 * The link came to the new address, so it is verified. Links that were mailed to the old one, and to other new ones,
 * end. Sessions go on: their user asked for it.
 */
export async function confirmEmailChange(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { userId, newEmail: email } = await redeem(ctx, 'confirmTokenHash', token);
    await lockMailbox(ctx.db, email);
    const before = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    if (before.status !== 'ACTIVE') throw new ApiError('invalid_token');
    const holder = await holderOf(ctx, email);
    if (holder) throw new ApiError('email_taken');
    const after = await change(ctx, before, {
      ...(!before.emailVerifiedAt && (await verifiedFields(ctx, before, null))),
      email,
      emailKey: emailKey(email),
      emailVerifiedAt: ctx.now,
    });
    await endMailedLinks(ctx, after);
    await keepInvitationsTraceable(ctx, before);
    await recordSecurityEvent(ctx, 'email_changed', { userId });
    const data = {
      ...after.present(ctx.ids),
      previousEmail: before.email,
      previousEmailVerified: before.emailVerifiedAt !== null,
    };
    await record(ctx, EmailChanged, { target: after, before, after, data });
  });
}

/**
 * Invitations to the old mailbox stay as they are: who has it may accept them. They are personal data of this user,
 * too, and go when the account is erased. By the table's name, and only where the mailbox was proven to be theirs.
 */
export async function keepInvitationsTraceable(
  ctx: Context,
  { id, emailKey, emailVerifiedAt }: UserModel,
): Promise<void> {
  if (!emailVerifiedAt) return;
  await ctx.db.raw(
    '/* across organizations */ update organization_invitations set former_user_id = ? where email_key = ?',
    [id, emailKey],
  );
}

export function holderOf(ctx: Context, email: string): Promise<UserModel | undefined> {
  return UserModel.query(ctx.db)
    .findOne({ emailKey: emailKey(email) })
    .forUpdate()
    .execute();
}
