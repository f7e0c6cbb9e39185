import type { Context } from '../../../context.ts';
import type { OrganizationRole } from '../../../contract/permissions.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { MemberModel } from '../model.ts';

export async function addMember(
  ctx: Context,
  organization: { id: number },
  userId: number,
  role: OrganizationRole,
): Promise<MemberModel> {
  return MemberModel.add({ db: ctx.db, organization }, { userId, role, createdAt: ctx.now, updatedAt: ctx.now });
}

/** How many organizations a person owns, deleted ones aside. */
export async function countOwned(ctx: Context, userId: number): Promise<number> {
  return MemberModel.acrossOrganizations(ctx.db)
    .where({ userId, role: 'OWNER' })
    .whereIn('organizationId', OrganizationModel.query(ctx.db).whereNull('deletedAt').select('id'))
    .resultSize();
}
