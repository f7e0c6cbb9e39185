import { ADVISORY_LOCKS } from '@rentapi/platform/advisory-locks';
import { type Context, type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { presentWithEtag } from '../../../contract/etag.ts';
import type { PlatformPermission } from '../../../contract/permissions.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import type { EventType } from '../../../events/event.ts';
import { record } from '../../../events/record.ts';
import { revokeKeysOf } from '../../api-keys/service.ts';
import { endAccess } from '../../auth/service/verify-email.ts';
import { UserModel } from '../../users/model.ts';
import type { User } from '../../users/schemas.ts';
import { lockUser } from '../../users/staff.ts';
import { UserActivated, UserDeactivated, UserSuspended } from '../events.ts';
import { restore } from './restore.ts';

export function suspendUser(ctx: UserContext, userId: string): Promise<User> {
  return close(ctx, userId, { status: 'SUSPENDED', permission: 'users:suspend', type: UserSuspended });
}

export function deactivateUser(ctx: UserContext, userId: string): Promise<User> {
  return close(ctx, userId, { status: 'INACTIVE', permission: 'users:update', type: UserDeactivated });
}

interface Closing {
  status: 'SUSPENDED' | 'INACTIVE';
  permission: PlatformPermission;
  type: EventType<typeof User>;
}

/** Repeating it changes nothing. */
async function close(ctx: UserContext, userId: string, { status, permission, type }: Closing): Promise<User> {
  return transaction(ctx, async (ctx) => {
    const before = await lockUser(ctx, userId, permission);
    if (before.status === 'DELETED') throw new ApiError('account_deleted');
    if (before.status === status) return presentWithEtag(ctx, before);
    await assertAnotherSuperAdmin(ctx, before);
    const after = await change(ctx, before, { status });
    await stopAccount(ctx, after);
    await record(ctx, type, { target: after, before, after, data: after.present(ctx.ids) });
    return presentWithEtag(ctx, after);
  });
}

/**
 * Without one, no account could run the platform. Of two concurrent changes, the second waits, and sees the first; the
 * lock of the user comes before, and those of organizations after.
 */
export async function assertAnotherSuperAdmin(ctx: Context, user: UserModel): Promise<void> {
  if (user.role !== 'SUPER_ADMIN' || user.status !== 'ACTIVE') return;
  await ctx.db.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCKS.superAdmins]);
  const other = UserModel.query(ctx.db).findOne({ role: 'SUPER_ADMIN', status: 'ACTIVE' }).whereNot({ id: user.id });
  if (!(await other.select('id'))) throw new ApiError('last_super_admin');
}

/** Ends the sessions and mailed links of an account, and the keys of its personal organization. */
export async function stopAccount(ctx: Context, user: UserModel): Promise<void> {
  await endAccess(ctx, user);
  await revokeKeysOf(within(ctx, user.personalOrganizationId));
}

/** Restores a deleted account too. Sessions and keys that have ended stay ended. Repeating it changes nothing. */
export async function activateUser(ctx: UserContext, userId: string): Promise<User> {
  return transaction(ctx, async (ctx) => {
    const before = await lockUser(ctx, userId, 'users:suspend');
    if (before.status === 'ACTIVE') return presentWithEtag(ctx, before);
    if (before.status === 'DELETED') await restore(ctx, before);
    const after = await change(ctx, before, { status: 'ACTIVE' });
    await record(ctx, UserActivated, { target: after, before, after, data: after.present(ctx.ids) });
    return presentWithEtag(ctx, after);
  });
}
