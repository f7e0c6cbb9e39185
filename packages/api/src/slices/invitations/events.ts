import { event } from '../../events/event.ts';
import { exampleInvitation, Invitation } from './schemas.ts';

const visibleToOrganization = { data: Invitation, audience: 'organization', permission: 'members:invite' } as const;

export const InvitationCreated = event('invitation.created', {
  ...visibleToOrganization,
  description: 'An address was invited.',
  example: exampleInvitation,
});
export const InvitationResent = event('invitation.resent', {
  ...visibleToOrganization,
  description: 'An invitation was sent again, with a new link.',
  example: exampleInvitation,
});
export const InvitationRevoked = event('invitation.revoked', {
  ...visibleToOrganization,
  description: 'An invitation was revoked: its link does not work any more.',
  example: { ...exampleInvitation, status: 'REVOKED' },
});
export const InvitationAccepted = event('invitation.accepted', {
  ...visibleToOrganization,
  description: 'An invitation was accepted. `member.added` follows.',
  example: { ...exampleInvitation, status: 'ACCEPTED' },
});
export const InvitationDeclined = event('invitation.declined', {
  ...visibleToOrganization,
  description: 'An invitation was declined.',
  example: { ...exampleInvitation, status: 'DECLINED' },
});
