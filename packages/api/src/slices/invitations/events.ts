import { event } from '../../events/event.ts';
import { Invitation } from './schemas.ts';

const visibleToOrganization = { data: Invitation, audience: 'organization', permission: 'members:invite' } as const;

export const InvitationCreated = event('invitation.created', visibleToOrganization);
export const InvitationResent = event('invitation.resent', visibleToOrganization);
export const InvitationRevoked = event('invitation.revoked', visibleToOrganization);
export const InvitationAccepted = event('invitation.accepted', visibleToOrganization);
export const InvitationDeclined = event('invitation.declined', visibleToOrganization);
