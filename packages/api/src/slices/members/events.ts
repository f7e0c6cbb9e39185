import { exampleId } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { exampleMember, Member, OwnershipTransfer } from './schemas.ts';

const visibleToOrganization = { data: Member, audience: 'organization', permission: 'org:read' } as const;

export const MemberAdded = event('member.added', {
  ...visibleToOrganization,
  description: 'A person became a member.',
  example: exampleMember,
});
export const MemberRolesChanged = event('member.roles_changed', {
  ...visibleToOrganization,
  description: 'The organization role or the custom roles of a member changed.',
  example: exampleMember,
});
export const MemberRemoved = event('member.removed', {
  ...visibleToOrganization,
  description: 'A member was removed.',
  example: exampleMember,
});
export const MemberLeft = event('member.left', {
  ...visibleToOrganization,
  description: 'A member left.',
  example: exampleMember,
});
export const OwnershipTransferred = event('organization.ownership_transferred', {
  ...visibleToOrganization,
  data: OwnershipTransfer,
  description: 'An OWNER made another member OWNER, and became ADMIN.',
  example: { organizationId: exampleId('org'), fromUserId: exampleId('usr'), toUserId: exampleId('usr') },
});
