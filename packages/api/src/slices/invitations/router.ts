import { NoContent } from '../../contract/common-schemas.ts';
import type { ProcedureLimit } from '../../contract/meta.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { EmailTokenInput } from '../auth/schemas.ts';
import { exampleMember, Member } from '../members/schemas.ts';
import {
  CreateInvitation,
  exampleInvitation,
  Invitation,
  InvitationId,
  InvitationPage,
  ListInvitations,
} from './schemas.ts';
import { listInvitations } from './service/find.ts';
import { createInvitation, resendInvitation } from './service/send.ts';
import { acceptInvitation, declineInvitation, revokeInvitation } from './service/settle.ts';

const tags: [Tag] = ['Invitations'];

/** Each one mails a stranger in our name. */
const mails: ProcedureLimit = { name: 'invitations', by: 'organization', size: () => 100, windowS: 3600 };
/** Limits guessing of tokens by source. */
const guesses: ProcedureLimit = {
  name: 'mailed-token',
  by: 'source',
  size: (env) => env.AUTH_RATE_LIMIT_PER_MINUTE,
  windowS: 60,
};

const orgId = exampleInvitation.organizationId;
const invitationId = exampleInvitation.id;
const token = 'YW4gZXhhbXBsZSBvZiBhIG1haWxlZCB0b2tlbiAuIC4gLg';

export const invitations = router({
  list: procedure({
    access: 'members:invite',
    openapi: {
      method: 'GET',
      path: '/organizations/{orgId}/invitations',
      tags,
      summary: 'List invitations',
      description: 'Newest first, answered and revoked ones included.',
    },
    errors: ['invalid_cursor'],
    example: { input: { orgId, limit: 25 }, output: { items: [exampleInvitation], nextCursor: null } },
  })
    .input(ListInvitations)
    .output(InvitationPage)
    .query(({ ctx, input }) => listInvitations(ctx, input)),

  create: procedure({
    access: 'members:invite',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/organizations/{orgId}/invitations',
      tags,
      summary: 'Create an invitation',
      description:
        'Mails a link that works once, for 7 days. The role must not have more permissions than you. The mails to one mailbox are limited, over all organizations.',
    },
    rest: { status: 201 },
    errors: ['permission_not_held', 'already_member', 'invitation_pending', 'limit_reached'],
    limit: mails,
    example: { input: { orgId, email: 'grace@example.com', role: 'MEMBER' }, output: exampleInvitation },
  })
    .input(CreateInvitation)
    .output(Invitation)
    .mutation(({ ctx, input }) => createInvitation(ctx, input)),

  revoke: procedure({
    access: 'members:invite',
    openapi: {
      method: 'DELETE',
      path: '/organizations/{orgId}/invitations/{invitationId}',
      tags,
      summary: 'Revoke an invitation',
      description: 'The mailed link does not work any more. Revoking it again changes nothing.',
    },
    rest: { status: 204 },
    errors: ['invitation_not_pending', 'version_mismatch'],
    example: { input: { orgId, invitationId } },
  })
    .input(InvitationId)
    .output(NoContent)
    .mutation(({ ctx, input }) => revokeInvitation(ctx, input.invitationId)),

  resend: procedure({
    access: 'members:invite',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/organizations/{orgId}/invitations/{invitationId}/resend',
      tags,
      summary: 'Send an invitation again',
      description:
        'Mails a new link that works for 7 days, also after the invitation has expired. The old link stops working.',
    },
    errors: [
      'permission_not_held',
      'invitation_not_pending',
      'invitation_pending',
      'limit_reached',
      'version_mismatch',
    ],
    limit: mails,
    example: { input: { orgId, invitationId }, output: exampleInvitation },
  })
    .input(InvitationId)
    .output(Invitation)
    .mutation(({ ctx, input }) => resendInvitation(ctx, input.invitationId)),

  accept: procedure({
    access: 'user',
    openapi: {
      method: 'POST',
      path: '/invitations/accept',
      tags,
      summary: 'Accept an invitation',
      description: 'You must be signed in with the invited address.',
    },
    errors: [
      'invalid_token',
      'invitation_for_another',
      'invitation_no_longer_valid',
      'already_member',
      'limit_reached',
    ],
    limit: { ...guesses, by: 'caller' },
    example: { input: { token }, output: { ...exampleMember, role: 'MEMBER', roles: [] } },
  })
    .input(EmailTokenInput)
    .output(Member)
    .mutation(({ ctx, input }) => acceptInvitation(ctx, input.token)),

  decline: procedure({
    access: 'proof:mailed',
    openapi: {
      method: 'POST',
      path: '/invitations/decline',
      tags,
      summary: 'Decline an invitation',
      description: 'Needs no account: the mailed token is enough.',
    },
    rest: { status: 204 },
    errors: ['invalid_token'],
    limit: guesses,
    idempotency: false,
    example: { input: { token } },
  })
    .input(EmailTokenInput)
    .output(NoContent)
    .mutation(({ ctx, input }) => declineInvitation(ctx, input.token)),
});
