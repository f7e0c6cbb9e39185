import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { ApiKeyModel } from '../../api-keys/model.ts';
import { removeAvatars } from '../../avatars/service.ts';
import { removeExports } from '../../exports/service/make.ts';
import { MemberModel } from '../../members/model.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { UserModel } from '../../users/model.ts';
import { UserErased } from '../events.ts';
import { UserDeletionModel } from '../model.ts';
import { eraseFromLogs } from './erase-logs.ts';

const BATCH = 100;
/** Clocks of two machines differ: an account that one of them may still restore is not erased yet. */
const CLOCK_SKEW_MS = 60_000;
const ERASED_EMAIL = 'erased@invalid';

/** The rows of a user in these tables go with the account. By their names: features are above this slice. */
export const ERASED_TABLES = [
  'sessions',
  'verification_tokens',
  'email_changes',
  'avatars',
  'user_exports',
  'security_events',
  'sign_in_challenges',
  'totp_factors',
  'two_factor_resets',
  'backup_codes',
  'passkeys',
  'passkey_challenges',
  'code_attempts',
  'trusted_devices',
  'sign_in_sources',
  'user_identities',
  'oauth_codes',
  'chat_messages',
] as const;

/** Erases the accounts whose time to be restored is over: first their traces in the logs, then each account. */
export async function eraseDeletedAccounts(ctx: Context, control: RunControl): Promise<void> {
  const over = new Date(ctx.now.getTime() - CLOCK_SKEW_MS);
  while (!control.signal.aborted) {
    const due = await UserDeletionModel.query(ctx.db).where('eraseAt', '<=', over).orderBy('eraseAt').limit(BATCH);
    if (due.length === 0) return;
    const users = await UserModel.query(ctx.db).findByIds(due.map(({ userId }) => userId));
    await eraseFromLogs(ctx, users, control);
    for (const user of users) {
      if (control.signal.aborted) return;
      await eraseUser(ctx, user.id);
      control.touch();
    }
  }
}

/** What is personal, and every right, of a row that is left: a test compares it with the columns of the table. */
export function erasedColumns(userId: number) {
  return {
    email: ERASED_EMAIL,
    emailKey: `erased ${userId}`, // no address has a space, so the mailbox is free again
    username: null,
    usernameKey: null,
    fullName: null,
    passwordHash: null,
    role: 'USER',
    emailVerifiedAt: null,
    registeredAgainAt: null,
    twoFactorEnabledAt: null,
    avatarId: null,
    metadata: {},
  } satisfies Partial<UserModel>;
}

/** What is left is a row without personal data, to which the rows of others may refer. */
async function eraseUser(ctx: Context, userId: number): Promise<void> {
  await removeAvatars(ctx, userId);
  await removeExports(ctx, userId);
  await transaction(ctx, async (ctx) => {
    const user = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    for (const table of ERASED_TABLES)
      await ctx.db.raw('/* across organizations */ delete from ?? where user_id = ?', [table, userId]);
    await ctx.db.raw(
      '/* across organizations */ delete from organization_invitations where email_key = ? or former_user_id = ?',
      [user.emailKey, userId],
    );
    await eraseOrganization(ctx, user.personalOrganizationId);
    // Left are those in deleted organizations that had no other owner.
    await ctx.db.raw('/* across organizations */ delete from organization_members where user_id = ?', [userId]);
    await UserModel.query(ctx.db)
      .findById(userId)
      .patch({ ...erasedColumns(userId), version: user.version + 1, updatedAt: ctx.now });
    await UserDeletionModel.query(ctx.db).delete().where({ userId });
    await record(ctx, UserErased, { target: user, data: { id: ctx.ids.encode('usr', userId) } });
  });
}

/** By their names, because some belong to slices above; those that refer to others first. */
const TABLES_OF_HOME = [
  'api_key_uses',
  'organization_invitations',
  'webhook_attempts',
  'webhook_stats',
  'webhook_deliveries',
  'webhooks',
  'roles',
  'chat_messages',
  'payment_methods',
  'payment_customers',
  'billing_accounts',
] as const;

/** The personal organization is named after its person, as its keys may be. */
async function eraseOrganization(ctx: Context, organizationId: number): Promise<void> {
  const home = { db: ctx.db, organization: { id: organizationId } };
  await OrganizationModel.query(ctx.db)
    .findById(organizationId)
    .patch({ name: 'Erased', metadata: {}, updatedAt: ctx.now });
  await ApiKeyModel.of(home).patch({
    name: 'Erased',
    description: null,
    metadata: {},
    ipAllowList: [],
    allowedOrigins: [],
    externalId: null,
  });
  for (const table of TABLES_OF_HOME) await ctx.db(table).where({ organizationId }).delete();
  await ctx.db('meters').where({ organizationId }).update({ name: 'Erased' });
  await MemberModel.of(home).delete();
}
