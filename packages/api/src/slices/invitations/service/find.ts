import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { rowsOf } from '../../../data/rows.ts';
import { InvitationModel } from '../model.ts';
import type { Invitation, InvitationPage, ListInvitations } from '../schemas.ts';

export async function listInvitations(ctx: OrganizationContext, input: ListInvitations): Promise<InvitationPage> {
  const query = input.status ? invitationsThatAre(ctx, input.status) : InvitationModel.of(ctx);
  const list = { name: 'invitations', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(query));
  return { items: rows.map((invitation) => invitation.present(ctx.ids, ctx.now)), nextCursor };
}

/** By the clock, as `InvitationModel.statusAt`. */
export function invitationsThatAre(ctx: OrganizationContext, status: Invitation['status']) {
  const query = InvitationModel.of(ctx);
  if (status === 'PENDING') return query.where({ status }).where('expiresAt', '>', ctx.now);
  if (status !== 'EXPIRED') return query.where({ status });
  return query.where((either) =>
    either
      .where({ status })
      .orWhere((pending) => pending.where({ status: 'PENDING' }).where('expiresAt', '<=', ctx.now)),
  );
}

export async function findInvitation(ctx: OrganizationContext, invitationId: string): Promise<InvitationModel> {
  const invitation = await InvitationModel.of(ctx).findOne({ id: ctx.ids.decode('ivt', invitationId) });
  if (!invitation) throw new ApiError('not_found');
  return invitation;
}
