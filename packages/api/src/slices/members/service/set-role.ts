import type { OrganizationContext } from '../../../context.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { type OrganizationRole, rolePermissions } from '../../../contract/permissions.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { MemberRolesChanged } from '../events.ts';
import type { MemberModel } from '../model.ts';
import type { Member, SetMemberRole } from '../schemas.ts';
import { assertMayOwnAnother } from './add.ts';
import { assertMayGrant, assertNotOutranked, lockAuthority } from './authority.ts';
import { assertAnotherOwner, assertNotPersonalOrganization } from './end.ts';
import { findMember, presentMember } from './find.ts';

export async function setMemberRole(ctx: OrganizationContext, { userId, role }: SetMemberRole): Promise<Member> {
  return transaction(ctx, async (ctx) => {
    const { organization, permissions } = await lockAuthority(ctx, 'members:update');
    const before = await findMember(ctx, userId);
    ifMatch(ctx, before);
    assertNotOutranked(ctx, permissions, before);
    assertMayGrant(permissions, rolePermissions(role, ctx.ports.env));
    if (before.role === 'OWNER' && role !== 'OWNER') {
      await assertNotPersonalOrganization(ctx, organization, before.userId);
      await assertAnotherOwner(ctx, before);
    }
    return presentMemberWithEtag(ctx, await changeRole(ctx, before, role));
  });
}

export async function changeRole(
  ctx: OrganizationContext,
  before: MemberModel,
  role: OrganizationRole,
): Promise<MemberModel> {
  if (role === 'OWNER' && before.role !== 'OWNER') await assertMayOwnAnother(ctx, before.userId);
  const after = await change(ctx, before, { role });
  if (after === before) return before;
  await record(ctx, MemberRolesChanged, { target: after, before, after, data: await presentMember(ctx, after) });
  await recordRoleChange(ctx, after);
  return after;
}

export async function recordRoleChange(ctx: OrganizationContext, { userId, role }: MemberModel): Promise<void> {
  const details = { organizationId: ctx.ids.encode('org', ctx.organization.id), role };
  await recordSecurityEvent(ctx, 'role_changed', { userId, details });
}

export async function presentMemberWithEtag(ctx: OrganizationContext, member: MemberModel): Promise<Member> {
  const shown = await presentMember(ctx, member);
  return presentWithEtag(ctx, { version: member.version, present: () => shown });
}
