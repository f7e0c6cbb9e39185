import type { Context } from '../../context.ts';
import type { OrganizationRole } from '../../contract/permissions.ts';
import { OrganizationMemberModel, OrganizationModel } from './model.ts';

/** Everybody has one, so that keys, usage and billing always belong to an organization. */
export async function createPersonalOrganization(ctx: Context, name: string): Promise<OrganizationModel> {
  return OrganizationModel.query(ctx.db)
    .insert({ name, personal: true, createdAt: ctx.now, updatedAt: ctx.now })
    .returning('*');
}

export async function addMember(
  ctx: Context,
  organizationId: number,
  userId: number,
  role: OrganizationRole,
): Promise<void> {
  await OrganizationMemberModel.query(ctx.db).insert({ organizationId, userId, role, createdAt: ctx.now });
}
