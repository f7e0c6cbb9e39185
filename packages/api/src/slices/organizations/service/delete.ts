import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../../contract/etag.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import type { EventType } from '../../../events/event.ts';
import { record } from '../../../events/record.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { resetDefaultOrganization } from '../../members/service/end.ts';
import { OrganizationDeleted, OrganizationRestored } from '../events.ts';
import { type OrganizationModel, RESTORE_WINDOW_MS } from '../model.ts';
import type { Organization } from '../schemas.ts';

/** From the commit on, members and keys cannot see it; its rows wait to be restored. */
export async function deleteOrganization(ctx: OrganizationContext): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { organization } = await lockAuthority(ctx, 'org:delete');
    ifMatch(ctx, organization);
    if (organization.personal) throw new ApiError('personal_organization');
    if (organization.deletionProtection) throw new ApiError('deletion_protected');
    await resetDefaultOrganization(ctx);
    await markDeleted(ctx, organization, ctx.now, OrganizationDeleted);
  });
}

/**
 * Everything is as before, except for users whose default it was. Repeating it changes nothing. It still counted
 * towards its owners' limit, so restoring adds nothing.
 */
export async function restoreOrganization(ctx: OrganizationContext): Promise<Organization> {
  return transaction(ctx, async (ctx) => {
    const { organization } = await lockAuthority(ctx, 'org:delete', { allowDeletedOrganization: true });
    ifMatch(ctx, organization);
    if (!organization.deletedAt) return presentWithEtag(ctx, organization);
    const windowEnds = organization.deletedAt.getTime() + RESTORE_WINDOW_MS;
    if (windowEnds <= ctx.now.getTime()) throw new ApiError('restore_window_over');
    return presentWithEtag(ctx, await markDeleted(ctx, organization, null, OrganizationRestored));
  });
}

export async function markDeleted(
  ctx: OrganizationContext,
  before: OrganizationModel,
  deletedAt: Date | null,
  type: EventType<typeof Organization>,
): Promise<OrganizationModel> {
  const after = await change(ctx, before, { deletedAt });
  await record(ctx, type, { target: after, before, after, data: after.present(ctx.ids) });
  return after;
}
