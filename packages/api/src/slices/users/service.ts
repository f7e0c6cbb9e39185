import type { ActorContext, Context, UserContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../contract/etag.ts';
import { change } from '../../data/base-model.ts';
import { lockName } from '../../data/name-locks.ts';
import { transaction } from '../../data/transaction.ts';
import { record } from '../../events/record.ts';
import { membershipsOf } from '../members/service/find.ts';
import { isLive } from '../organizations/service/find.ts';
import { UserUpdated } from './events.ts';
import { UserModel, usernameKey } from './model.ts';
import type { UpdateMe, User } from './schemas.ts';
import { lockMe } from './staff.ts';

/** The user was read with the credential: no query is needed. */
export async function getMe(ctx: ActorContext): Promise<User> {
  const user = ctx.actor.kind === 'user' ? ctx.actor.user : ctx.actor.creator;
  if (!user) throw new ApiError('key_without_user');
  return presentWithEtag(ctx, user);
}

export async function updateMe(ctx: UserContext, input: UpdateMe): Promise<User> {
  return transaction(ctx, async (ctx) => {
    const home =
      input.defaultOrganizationId === undefined
        ? undefined
        : await memberOrganization(ctx, input.defaultOrganizationId);
    const before = await lockMe(ctx);
    ifMatch(ctx, before);
    return changeProfile(ctx, before, input, home);
  });
}

/** Of a user whose row is locked. */
export async function changeProfile(
  ctx: Context,
  before: UserModel,
  { fullName, username, metadata }: Omit<UpdateMe, 'defaultOrganizationId'>,
  defaultOrganizationId?: number,
): Promise<User> {
  const after = await change(ctx, before, {
    fullName,
    ...(username !== undefined && (await chosenUsername(ctx, before, username))),
    metadata,
    defaultOrganizationId,
  });
  if (after === before) return presentWithEtag(ctx, before);
  await record(ctx, UserUpdated, { target: after, before, after, data: after.present(ctx.ids) });
  return presentWithEtag(ctx, after);
}

/**
 * Both rows stay locked until the commit: a concurrent removal waits, and then resets the user's default organization.
 * They are locked before the user's row, as everywhere.
 */
async function memberOrganization(ctx: UserContext, publicId: string): Promise<number> {
  const organizationId = ctx.ids.decode('org', publicId);
  const live = await isLive(ctx, organizationId);
  const [member] = await membershipsOf(ctx, ctx.actor.user.id).where({ organizationId }).forShare();
  if (!live || !member) throw new ApiError('not_found');
  return organizationId;
}

/** A verified account gets its username at once; an unverified one requests it until it is verified. */
async function chosenUsername(
  ctx: Context,
  user: UserModel,
  username: string | null,
): Promise<Pick<UserModel, 'username' | 'usernameKey'>> {
  if (username !== null && !(await isUsernameFree(ctx, username, user.id))) throw new ApiError('username_taken');
  return { username, usernameKey: user.emailVerifiedAt ? usernameKey(username) : null };
}

/** Whether no other account has claimed a username. In a transaction it stays so until the commit. */
export async function isUsernameFree(ctx: Pick<Context, 'db'>, username: string, userId?: number): Promise<boolean> {
  const key = usernameKey(username);
  if (ctx.db.isTransaction) await lockName(ctx.db, `username ${key}`);
  const holder = await UserModel.query(ctx.db).findOne({ usernameKey: key }).select('id');
  return !holder || holder.id === userId;
}
