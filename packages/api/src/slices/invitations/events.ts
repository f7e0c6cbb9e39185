import { event } from '../../events/event.ts';
import { Invitation } from './schemas.ts';

const told = { data: Invitation, audience: 'organization', permission: 'members:invite' } as const;

export const InvitationCreated = event('invitation.created', told);
export const InvitationResent = event('invitation.resent', told);
export const InvitationRevoked = event('invitation.revoked', told);
export const InvitationAccepted = event('invitation.accepted', told);
export const InvitationDeclined = event('invitation.declined', told);
