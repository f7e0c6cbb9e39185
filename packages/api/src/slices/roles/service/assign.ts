import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch } from '../../../contract/etag.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { MemberRolesChanged } from '../../members/events.ts';
import type { Member } from '../../members/schemas.ts';
import { assertMayGrant, assertNotOutranked, lockAuthority } from '../../members/service/authority.ts';
import { findMember } from '../../members/service/find.ts';
import { presentMemberWithEtag, recordRoleChange } from '../../members/service/set-role.ts';
import { RoleAssignmentModel, RoleModel } from '../model.ts';
import type { SetUserRoles } from '../schemas.ts';
import { decodeCustomRoleId } from '../system-roles.ts';
import { refreshMembers } from './refresh.ts';

/** Sets exactly these custom roles, in the current organization. The caller must hold what the added roles grant. */
export async function setUserRoles(ctx: OrganizationContext, input: SetUserRoles): Promise<Member> {
  const wanted = [...new Set(input.roleIds.map((roleId) => decodeCustomRoleId(ctx, roleId)))];
  return transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'roles:assign');
    const before = await findMember(ctx, input.userId);
    ifMatch(ctx, before);
    assertNotOutranked(ctx, permissions, before);
    const { userId } = before;
    const roles = await RoleModel.of(ctx).whereIn('id', wanted);
    if (roles.length < wanted.length) throw new ApiError('not_found');
    const had = new Set((await RoleAssignmentModel.of(ctx).where({ userId })).map(({ roleId }) => roleId));
    const added = roles.filter(({ id }) => !had.has(id));
    if (added.length === 0 && had.size === roles.length) return presentMemberWithEtag(ctx, before);
    assertMayGrant(
      permissions,
      added.flatMap((role) => role.effectivePermissions),
    );
    await RoleAssignmentModel.of(ctx).where({ userId }).whereNotIn('roleId', wanted).delete();
    for (const { id } of added) await RoleAssignmentModel.add(ctx, { userId, roleId: id, createdAt: ctx.now });
    await refreshMembers(ctx, [userId]);
    const after = await change(ctx, before, { updatedAt: ctx.now });
    const shown = await presentMemberWithEtag(ctx, after);
    await record(ctx, MemberRolesChanged, { target: after, before, after, data: shown });
    await recordRoleChange(ctx, after);
    return shown;
  });
}
