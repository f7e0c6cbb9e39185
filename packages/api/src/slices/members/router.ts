import { NoContent } from '../../contract/common-schemas.ts';
import { exampleId } from '../../contract/ids.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { OrganizationId } from '../organizations/schemas.ts';
import {
  exampleMember,
  ListMembers,
  Member,
  MemberId,
  MemberPage,
  SetMemberRole,
  TransferOwnership,
} from './schemas.ts';
import { leaveOrganization, removeMember } from './service/end.ts';
import { listMembers } from './service/find.ts';
import { setMemberRole } from './service/set-role.ts';
import { transferOwnership } from './service/transfer.ts';

const tags: [Tag] = ['Organizations'];
const orgId = exampleId('org');

export const members = router({
  list: procedure({
    access: 'org:read',
    openapi: {
      method: 'GET',
      path: '/organizations/{orgId}/members',
      tags,
      summary: 'List the members of an organization',
      description: 'Most recently joined first.',
    },
    errors: ['invalid_cursor'],
    example: { input: { orgId, limit: 25 }, output: { items: [exampleMember], nextCursor: null } },
  })
    .input(ListMembers)
    .output(MemberPage)
    .query(({ ctx, input }) => listMembers(ctx, input)),

  setRole: procedure({
    access: 'members:update',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/organizations/{orgId}/members/{userId}',
      tags,
      summary: "Change a member's organization role",
      description:
        'You can grant only permissions that you have, and cannot change a member with more permissions: an admin manages members, but never owners.',
    },
    errors: [
      'permission_not_held',
      'target_has_more_permissions',
      'last_owner',
      'personal_organization',
      'limit_reached',
      'version_mismatch',
    ],
    example: { input: { orgId, userId: exampleMember.userId, role: 'ADMIN' }, output: exampleMember },
  })
    .input(SetMemberRole)
    .output(Member)
    .mutation(({ ctx, input }) => setMemberRole(ctx, input)),

  remove: procedure({
    access: 'members:remove',
    openapi: {
      method: 'DELETE',
      path: '/organizations/{orgId}/members/{userId}',
      tags,
      summary: 'Remove a member',
      description: 'The person loses access at once. Keys that they created stay: they belong to the organization.',
    },
    rest: { status: 204 },
    errors: ['target_has_more_permissions', 'last_owner', 'personal_organization', 'version_mismatch'],
    example: { input: { orgId, userId: exampleMember.userId } },
  })
    .input(MemberId)
    .output(NoContent)
    .mutation(({ ctx, input }) => removeMember(ctx, input.userId)),
});

/** What a member does with their own membership: part of `orgs`. */
export const membership = {
  leave: procedure({
    access: 'user',
    openapi: {
      method: 'POST',
      path: '/organizations/{orgId}/leave',
      tags,
      summary: 'Leave an organization',
      description: 'Your membership ends at once. Keys that you created stay: they belong to the organization.',
    },
    rest: { status: 204 },
    errors: ['last_owner', 'personal_organization', 'version_mismatch'],
    example: { input: { orgId } },
  })
    .input(OrganizationId)
    .output(NoContent)
    .mutation(({ ctx }) => leaveOrganization(ctx)),

  transfer: procedure({
    access: 'org:transfer',
    versioned: true,
    fresh: true,
    openapi: {
      method: 'POST',
      path: '/organizations/{orgId}/transfer-ownership',
      tags,
      summary: 'Transfer ownership to another member',
      description: 'The member becomes OWNER, you become ADMIN.',
    },
    errors: ['personal_organization', 'limit_reached', 'version_mismatch'],
    example: { input: { orgId, userId: exampleMember.userId }, output: { ...exampleMember, role: 'OWNER' } },
  })
    .input(TransferOwnership)
    .output(Member)
    .mutation(({ ctx, input }) => transferOwnership(ctx, input.userId)),
};
