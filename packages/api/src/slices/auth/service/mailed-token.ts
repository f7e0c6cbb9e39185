import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RecordedEvent } from '../../../jobs/job.ts';
import type { SecurityEventKind } from '../../security-events/schemas.ts';
import { hasHappened } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { type RequestedNames, VerificationTokenModel } from '../model.ts';

type Purpose = VerificationTokenModel['purpose'];

const TTL_MS: Record<Purpose, number> = { email: 24 * 3_600_000, password_reset: 3_600_000, unlock: 3_600_000 };

/** What ends a link of the purpose that was asked for before. */
const ENDED_BY: Record<Purpose, readonly SecurityEventKind[]> = {
  email: ['email_changed'],
  password_reset: ['email_changed', 'password_changed', 'password_reset'],
  unlock: ['email_changed', 'password_changed', 'password_reset', 'account_unlocked', 'account_unlocked_by_link'],
};

/**
 * Made by the job that mails it, so that no event holds one. Null for a link that has ended before its mail: mails may
 * wait, and meanwhile the mailbox may have become another person's.
 */
export async function mintMailedToken(
  ctx: Context,
  purpose: Purpose,
  { data, createdAt }: RecordedEvent<{ id: string }>,
  { registration = null, ttlMs = TTL_MS[purpose] }: { registration?: RequestedNames | null; ttlMs?: number } = {},
): Promise<string | null> {
  const userId = ctx.ids.decode('usr', data.id);
  return mintUnlessEnded(ctx, { userId, since: createdAt, endedBy: ENDED_BY[purpose] }, async (ctx) => {
    const token = newToken();
    await VerificationTokenModel.query(ctx.db).insert({
      userId,
      purpose,
      registration,
      tokenHash: tokenHash(token),
      createdAt: ctx.now,
      expiresAt: new Date(ctx.now.getTime() + ttlMs),
    });
    return token;
  });
}

/** Under the lock of the user: a change under way would not find the new token, and so not end it. */
export async function mintUnlessEnded(
  ctx: Context,
  { userId, since, endedBy }: { userId: number; since: Date; endedBy: readonly SecurityEventKind[] },
  mint: (ctx: Context) => Promise<string>,
): Promise<string | null> {
  return transaction(ctx, async (ctx) => {
    await UserModel.query(ctx.db).findById(userId).forShare().select('id');
    return (await hasHappened(ctx, endedBy, { userId, since })) ? null : mint(ctx);
  });
}

/** Throws `invalid_token` for a token that would not be accepted, and does not consume another. */
export async function findMailedToken(ctx: Context, purpose: Purpose, token: string): Promise<VerificationTokenModel> {
  const found = await VerificationTokenModel.query(ctx.db).findOne({ tokenHash: tokenHash(token), purpose });
  if (!found || found.expiresAt <= ctx.now) throw new ApiError('invalid_token');
  return found;
}

/** Deleting makes it single-use: of two concurrent requests, one finds nothing. */
export async function redeemMailedToken(
  ctx: Context,
  purpose: Purpose,
  token: string,
): Promise<VerificationTokenModel> {
  const [found] = await VerificationTokenModel.query(ctx.db)
    .delete()
    .where({ tokenHash: tokenHash(token), purpose })
    .returning('*');
  if (!found || found.expiresAt <= ctx.now) throw new ApiError('invalid_token');
  return found;
}
