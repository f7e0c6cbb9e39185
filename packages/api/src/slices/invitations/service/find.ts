import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { InvitationModel } from '../model.ts';
import type { InvitationPage, ListInvitations } from '../schemas.ts';

export async function listInvitations(ctx: OrganizationContext, input: ListInvitations): Promise<InvitationPage> {
  const query = InvitationModel.of(ctx);
  if (input.status) query.where({ status: input.status });
  const list = { name: 'invitations', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, query);
  return { items: rows.map((invitation) => invitation.present(ctx.ids)), nextCursor };
}

export async function findInvitation(ctx: OrganizationContext, invitationId: string): Promise<InvitationModel> {
  const invitation = await InvitationModel.of(ctx).findOne({ id: ctx.ids.decode('ivt', invitationId) });
  if (!invitation) throw new ApiError('not_found');
  return invitation;
}
