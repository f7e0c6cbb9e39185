import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { answerWithEtag, ifMatch } from '../../../contract/etag.ts';
import { rolePermissions } from '../../../contract/permissions.ts';
import { change, nextVersion } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { assertMayGrant, lockAuthority } from '../../members/service/authority.ts';
import { isMailboxOfMember } from '../../members/service/find.ts';
import { emailKey } from '../../users/model.ts';
import { InvitationCreated, InvitationResent } from '../events.ts';
import { InvitationModel } from '../model.ts';
import type { CreateInvitation, Invitation } from '../schemas.ts';
import { findInvitation } from './find.ts';

const INVITATION_TTL_MS = 7 * 86_400_000;
/** Each of them is a mail to somebody who did not ask for it. */
const MAX_PENDING = 100;

export async function createInvitation(ctx: OrganizationContext, input: CreateInvitation): Promise<Invitation> {
  return transaction(ctx, async (ctx) => {
    const { held } = await lockAuthority(ctx, 'members:invite');
    assertMayGrant(held, rolePermissions(input.role, ctx.ports.env));
    const key = emailKey(input.email);
    if (await isMailboxOfMember(ctx, key)) throw new ApiError('already_member');
    await InvitationModel.of(ctx)
      .where({ status: 'PENDING' })
      .where('expiresAt', '<=', ctx.now)
      .patch({ status: 'EXPIRED', tokenHash: null, version: nextVersion(ctx.db), updatedAt: ctx.now });
    const pending = await InvitationModel.of(ctx).where({ status: 'PENDING' });
    if (pending.some((invitation) => invitation.emailKey === key)) throw new ApiError('invitation_pending');
    if (pending.length >= MAX_PENDING)
      throw new ApiError('limit_reached', {
        detail: `An organization has at most ${MAX_PENDING} pending invitations: revoke one first.`,
      });
    const invitation = await InvitationModel.add(ctx, {
      email: input.email,
      emailKey: key,
      role: input.role,
      status: 'PENDING',
      ...inviter(ctx),
      expiresAt: new Date(ctx.now.getTime() + INVITATION_TTL_MS),
      createdAt: ctx.now,
      updatedAt: ctx.now,
    });
    const shown = invitation.present(ctx.ids);
    await record(ctx, InvitationCreated, { target: invitation, after: invitation, data: shown });
    return answerWithEtag(ctx, invitation);
  });
}

/** A new link, for another 7 days; the old one is dead. Whoever resends vouches for it from now on. */
export async function resendInvitation(ctx: OrganizationContext, invitationId: string): Promise<Invitation> {
  return transaction(ctx, async (ctx) => {
    const { held } = await lockAuthority(ctx, 'members:invite');
    const before = await findInvitation(ctx, invitationId);
    ifMatch(ctx, before);
    if (before.status !== 'PENDING') throw new ApiError('invitation_not_pending');
    assertMayGrant(held, rolePermissions(before.role, ctx.ports.env));
    const after = await change(ctx, before, {
      ...inviter(ctx),
      tokenHash: null,
      expiresAt: new Date(ctx.now.getTime() + INVITATION_TTL_MS),
    });
    await record(ctx, InvitationResent, { target: after, before, after, data: after.present(ctx.ids) });
    return answerWithEtag(ctx, after);
  });
}

function inviter({ actor }: OrganizationContext) {
  return actor.kind === 'user'
    ? { inviterUserId: actor.user.id, inviterKeyId: null }
    : { inviterUserId: null, inviterKeyId: actor.key.id };
}
