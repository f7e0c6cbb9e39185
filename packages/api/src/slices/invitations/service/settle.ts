import { type Context, type OrganizationContext, type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch } from '../../../contract/etag.ts';
import { rolePermissions } from '../../../contract/permissions.ts';
import { change } from '../../../data/base-model.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { transaction } from '../../../data/transaction.ts';
import type { EventType } from '../../../events/event.ts';
import { record } from '../../../events/record.ts';
import { permissionsOfKey } from '../../api-keys/scopes.ts';
import { MemberAdded } from '../../members/events.ts';
import type { Member } from '../../members/schemas.ts';
import { addMember } from '../../members/service/add.ts';
import { lockAuthority, memberPermissionsOf } from '../../members/service/authority.ts';
import { membershipsOf, presentMember } from '../../members/service/find.ts';
import { lockMe } from '../../users/staff.ts';
import { InvitationAccepted, InvitationDeclined, InvitationRevoked } from '../events.ts';
import type { InvitationModel } from '../model.ts';
import type { Invitation } from '../schemas.ts';
import { findInvitation } from './find.ts';
import { redeemInvitationToken } from './token.ts';

/**
 * The token proves the mailbox, the signed-in user must own it, and the inviter must still be able to grant the role.
 */
export async function acceptInvitation(ctx: UserContext, token: string): Promise<Member> {
  return transaction(ctx, async (ctx) => {
    const user = await lockMe(ctx); // the address may have changed since the call began
    const invitation = await redeemInvitationToken(ctx, token);
    if (user.emailKey !== invitation.emailKey) throw new ApiError('invitation_for_another');
    const there = within(ctx, invitation.organizationId);
    await assertStillBacked(there, invitation);
    if (await membershipsOf(ctx, user.id).findOne({ organizationId: invitation.organizationId }))
      throw new ApiError('already_member');
    const member = await addMember(ctx, there.organization, user.id, invitation.role);
    await settle(there, invitation, 'ACCEPTED', InvitationAccepted);
    const shown = await presentMember(there, member);
    await record(there, MemberAdded, { target: member, after: member, data: shown });
    return shown;
  });
}

export async function declineInvitation(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const invitation = await redeemInvitationToken(ctx, token);
    await settle(within(ctx, invitation.organizationId), invitation, 'DECLINED', InvitationDeclined);
  });
}

/** Repeating it changes nothing. */
export async function revokeInvitation(ctx: OrganizationContext, invitationId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'members:invite');
    const invitation = await findInvitation(ctx, invitationId);
    ifMatch(ctx, invitation);
    if (invitation.status === 'REVOKED') return;
    if (invitation.status !== 'PENDING' && invitation.status !== 'EXPIRED')
      throw new ApiError('invitation_not_pending');
    await settle(ctx, invitation, 'REVOKED', InvitationRevoked);
  });
}

/** A removed admin's invitations must not grant what the admin may no longer grant. */
async function assertStillBacked(ctx: Context & Tenancy, invitation: InvitationModel): Promise<void> {
  const permissions =
    invitation.inviterUserId === null
      ? await permissionsOfKey(ctx, invitation.inviterKeyId!)
      : await memberPermissionsOf(ctx, invitation.inviterUserId);
  const needed = ['members:invite' as const, ...rolePermissions(invitation.role, ctx.ports.env)];
  if (!needed.every((permission) => permissions.has(permission))) throw new ApiError('invitation_no_longer_valid');
}

async function settle(
  ctx: Context & Tenancy,
  before: InvitationModel,
  status: Invitation['status'],
  type: EventType<typeof Invitation>,
): Promise<void> {
  const after = await change(ctx, before, { status, tokenHash: null });
  await record(ctx, type, { target: after, before, after, data: after.present(ctx.ids, ctx.now) });
}
