import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { ifMatch } from '../../../contract/etag.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { OwnershipTransferred } from '../events.ts';
import type { Member } from '../schemas.ts';
import { lockAuthority } from './authority.ts';
import { assertNotPersonalOrganization } from './end.ts';
import { findMember } from './find.ts';
import { changeRole, presentMemberWithEtag } from './set-role.ts';

/** Transfers ownership to another member in one step: there is always an owner. */
export async function transferOwnership(ctx: OrganizationContext, userId: string): Promise<Member> {
  return transaction(ctx, async (ctx) => {
    const { actor } = ctx;
    if (actor.kind !== 'user') throw new ApiError('user_required');
    const { organization } = await lockAuthority(ctx, 'org:transfer');
    const newOwner = await findMember(ctx, userId);
    ifMatch(ctx, newOwner); // the answer's ETag is the new owner's as well
    await assertNotPersonalOrganization(ctx, organization, actor.user.id);
    const owner = await findMember(ctx, ctx.ids.encode('usr', actor.user.id));
    if (newOwner.id === owner.id) {
      throw new ApiError('invalid_input', { errors: [{ path: 'userId', message: 'must be another member' }] });
    }
    const after = await changeRole(ctx, newOwner, 'OWNER');
    await changeRole(ctx, owner, 'ADMIN');
    await record(ctx, OwnershipTransferred, {
      target: organization,
      data: {
        organizationId: ctx.ids.encode('org', organization.id),
        fromUserId: ctx.ids.encode('usr', owner.userId),
        toUserId: ctx.ids.encode('usr', newOwner.userId),
      },
    });
    return presentMemberWithEtag(ctx, after);
  });
}
