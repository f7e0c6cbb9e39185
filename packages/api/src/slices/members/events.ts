import { event } from '../../events/event.ts';
import { Member, OwnershipTransfer } from './schemas.ts';

const told = { data: Member, audience: 'organization', permission: 'org:read' } as const;

export const MemberAdded = event('member.added', told);
/** The organization role, or the custom roles. */
export const MemberRolesChanged = event('member.roles_changed', told);
export const MemberRemoved = event('member.removed', told);
export const MemberLeft = event('member.left', told);
export const OwnershipTransferred = event('organization.ownership_transferred', { ...told, data: OwnershipTransfer });
