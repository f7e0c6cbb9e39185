import type { Context, UserContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { ifMatch } from '../../contract/etag.ts';
import { PLATFORM_ROLE_PERMISSIONS, type PlatformPermission, platformPermissions } from '../../contract/permissions.ts';
import { UserModel } from './model.ts';

/**
 * The user, locked for a change by themselves or by platform staff with the permission. The caller is read again: their
 * role may have been taken, or their session ended, while this request waited.
 */
export async function lockUser(ctx: UserContext, userId: string, permission: PlatformPermission): Promise<UserModel> {
  const id = ctx.ids.decode('usr', userId);
  const isSelf = id === ctx.actor.user.id;
  const user = await UserModel.query(ctx.db).findById(id).forUpdate();
  if (isSelf) await assertSessionNotRevoked(ctx, ctx.actor.session.id);
  else {
    const held = await assertStaff(ctx, permission);
    if (!user) throw new ApiError('not_found');
    for (const permission of PLATFORM_ROLE_PERMISSIONS[user.role])
      if (!held.has(permission)) throw new ApiError('target_has_more_permissions');
  }
  if (!user) throw new ApiError('not_found');
  ifMatch(ctx, user);
  return user;
}

/** The permissions of the caller, read again: what is waited for may take a while. */
export async function assertStaff(
  ctx: UserContext,
  permission: PlatformPermission,
): Promise<ReadonlySet<PlatformPermission>> {
  await assertSessionNotRevoked(ctx, ctx.actor.session.id);
  const caller = await UserModel.query(ctx.db).findById(ctx.actor.user.id).throwIfNotFound();
  if (!PLATFORM_ROLE_PERMISSIONS[caller.role].has(permission)) throw new ApiError('permission_denied');
  const held = platformPermissions(caller, ctx.ports.env);
  if (!held.has(permission)) throw new ApiError('two_factor_required');
  return held;
}

/**
 * The caller, locked for a change of their own account. The session is read again: who ends it, as a password reset
 * does, must not find afterwards what it made while it waited.
 */
export async function lockMe(ctx: UserContext): Promise<UserModel> {
  const user = await UserModel.query(ctx.db).findById(ctx.actor.user.id).forUpdate().throwIfNotFound();
  await assertSessionNotRevoked(ctx, ctx.actor.session.id);
  return user;
}

/** By the table's name: sessions belong to a slice above this one. Demo data is made by owners without a session. */
export async function assertSessionNotRevoked({ db }: Pick<Context, 'db'>, id: number): Promise<void> {
  const revoked = await db('sessions').where({ id }).whereNotNull('revokedAt').first('id');
  if (revoked) throw new ApiError('session_revoked');
}
