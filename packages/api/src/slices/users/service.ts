import type { ActorContext, UserContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { answerWithEtag, ifMatch } from '../../contract/etag.ts';
import { change } from '../../data/base-model.ts';
import { transaction } from '../../data/transaction.ts';
import { record } from '../../events/record.ts';
import { membershipsOf } from '../members/service/find.ts';
import { isLive } from '../organizations/service/find.ts';
import { UserUpdated } from './events.ts';
import { UserModel, usernameKey } from './model.ts';
import type { UpdateMe, User } from './schemas.ts';

/** Whoever authenticated was read with the credential: nothing is left to ask the database. */
export async function getMe(ctx: ActorContext): Promise<User> {
  const user = ctx.actor.kind === 'user' ? ctx.actor.user : ctx.actor.creator;
  if (!user) throw new ApiError('key_without_user');
  return answerWithEtag(ctx, user);
}

export async function updateMe(ctx: UserContext, input: UpdateMe): Promise<User> {
  return transaction(ctx, async (ctx) => {
    const home =
      input.defaultOrganizationId === undefined
        ? undefined
        : await memberOrganization(ctx, input.defaultOrganizationId);
    const before = await UserModel.query(ctx.db).findById(ctx.actor.user.id).forUpdate().throwIfNotFound();
    ifMatch(ctx, before);
    const after = await change(ctx, before, {
      fullName: input.fullName,
      username: input.username,
      usernameKey: input.username === undefined ? undefined : usernameKey(input.username),
      metadata: input.metadata,
      defaultOrganizationId: home,
    });
    if (after === before) return answerWithEtag(ctx, before);
    await record(ctx, UserUpdated, { target: after, before, after, data: after.present(ctx.ids) });
    return answerWithEtag(ctx, after);
  });
}

/**
 * The locks keep organization and membership until the commit: a removal meanwhile waits, and then sends its person home. They
 * come before that of the person, as everywhere.
 */
async function memberOrganization(ctx: UserContext, publicId: string): Promise<number> {
  const organizationId = ctx.ids.decode('org', publicId);
  const live = await isLive(ctx, organizationId);
  const [member] = await membershipsOf(ctx, ctx.actor.user.id).where({ organizationId }).forShare();
  if (!live || !member) throw new ApiError('not_found');
  return organizationId;
}

export async function assertUsernameFree(ctx: Pick<UserContext, 'db'>, username: string): Promise<void> {
  const taken = await UserModel.query(ctx.db).findOne({ usernameKey: usernameKey(username) });
  if (taken) throw new ApiError('username_taken');
}
