import { emailKey } from '@rentapi/platform/mail-address';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { rolePermissions } from '../../../contract/permissions.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { change, nextVersion } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { assertMayGrant, lockAuthority } from '../../members/service/authority.ts';
import { isMailboxOfMember } from '../../members/service/find.ts';
import { InvitationCreated, InvitationResent } from '../events.ts';
import { InvitationModel } from '../model.ts';
import type { CreateInvitation, Invitation } from '../schemas.ts';
import { findInvitation, invitationsThatAre } from './find.ts';

const INVITATION_TTL_MS = 7 * 86_400_000;
/** Each one mails a person who did not request it. */
export const MAX_PENDING = 100;

export async function createInvitation(ctx: OrganizationContext, input: CreateInvitation): Promise<Invitation> {
  return transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'members:invite');
    assertMayGrant(permissions, rolePermissions(input.role, ctx.ports.env));
    const key = emailKey(input.email);
    if (await isMailboxOfMember(ctx, key)) throw new ApiError('already_member');
    await assertRoomToInvite(ctx, key);
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
    const shown = invitation.present(ctx.ids, ctx.now);
    await record(ctx, InvitationCreated, { target: invitation, after: invitation, data: shown });
    return presentInvitation(ctx, invitation);
  });
}

/** Replaces the link with a new one for 7 days. The resender becomes its inviter. */
export async function resendInvitation(ctx: OrganizationContext, invitationId: string): Promise<Invitation> {
  return transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'members:invite');
    const before = await findInvitation(ctx, invitationId);
    ifMatch(ctx, before);
    const status = before.statusAt(ctx.now);
    if (status !== 'PENDING' && status !== 'EXPIRED') throw new ApiError('invitation_not_pending');
    assertMayGrant(permissions, rolePermissions(before.role, ctx.ports.env));
    if (status === 'EXPIRED') await assertRoomToInvite(ctx, before.emailKey, before);
    const after = await change(ctx, before, {
      ...inviter(ctx),
      status: 'PENDING',
      tokenHash: null,
      expiresAt: new Date(ctx.now.getTime() + INVITATION_TTL_MS),
    });
    await record(ctx, InvitationResent, { target: after, before, after, data: after.present(ctx.ids, ctx.now) });
    return presentInvitation(ctx, after);
  });
}

/** Refuses a second pending invitation to a mailbox, and more pending ones than allowed. An expired one is replaced. */
async function assertRoomToInvite(ctx: OrganizationContext, mailbox: string, resent?: InvitationModel): Promise<void> {
  const pending = () => invitationsThatAre(ctx, 'PENDING');
  if (await pending().findOne({ emailKey: mailbox })) throw new ApiError('invitation_pending');
  const detail = `An organization has at most ${MAX_PENDING} pending invitations: revoke one first.`;
  assertRoom(await pending().resultSize(), MAX_PENDING, detail);
  await InvitationModel.of(ctx)
    .where({ status: 'PENDING', emailKey: mailbox })
    .whereNot({ id: resent?.id ?? 0 })
    .patch({ status: 'EXPIRED', tokenHash: null, version: nextVersion(ctx.db), updatedAt: ctx.now });
}

function presentInvitation(ctx: OrganizationContext, invitation: InvitationModel): Invitation {
  const { version } = invitation;
  return presentWithEtag(ctx, { version, present: (ids) => invitation.present(ids, ctx.now) });
}

function inviter({ actor }: OrganizationContext) {
  return actor.kind === 'user'
    ? { inviterUserId: actor.user.id, inviterKeyId: null }
    : { inviterUserId: null, inviterKeyId: actor.key.id };
}
