import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RecordedEvent } from '../../../jobs/job.ts';
import { mintUnlessEnded } from '../../auth/service/mailed-token.ts';
import { hasHappened } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { EmailChangeModel } from '../model.ts';

const CONFIRM_WITHIN_MS = 24 * 3_600_000;
const UNDO_WITHIN_MS = 7 * 86_400_000;

interface Change {
  id: string;
  email: string;
  previousEmail: string;
}

const ENDED_BY = ['email_changed', 'password_changed', 'password_reset'] as const;

/** Made by the job that mails it, so that no event holds one. Null for a link that has ended before its mail. */
export async function mintConfirmToken(
  ctx: Context,
  { data, createdAt }: RecordedEvent<Change>,
): Promise<string | null> {
  const request = { userId: ctx.ids.decode('usr', data.id), since: createdAt, endedBy: ENDED_BY };
  return mintUnlessEnded(ctx, request, (ctx) =>
    mint(ctx, data, (hash) => ({
      confirmTokenHash: hash,
      expiresAt: new Date(ctx.now.getTime() + CONFIRM_WITHIN_MS),
    })),
  );
}

/** Counted from the change, however late the mail is sent. Null where this or an earlier change was taken back. */
export async function mintUndoToken(ctx: Context, { data, createdAt }: RecordedEvent<Change>): Promise<string | null> {
  return transaction(ctx, async (ctx) => {
    const userId = ctx.ids.decode('usr', data.id);
    await UserModel.query(ctx.db).findById(userId).forShare().select('id'); // one that is taken back now is waited for
    if (await hasHappened(ctx, ['email_changed'], { userId, since: createdAt, details: TAKEN_BACK })) return null;
    return mint(ctx, data, (hash) => ({
      undoTokenHash: hash,
      confirmedAt: createdAt,
      expiresAt: new Date(createdAt.getTime() + UNDO_WITHIN_MS),
    }));
  });
}

/** Of the security event: the address became the earlier one again. */
export const TAKEN_BACK = { takenBack: true };

async function mint(
  ctx: Context,
  { id, email, previousEmail }: Change,
  fieldsOf: (hash: Buffer) => Partial<EmailChangeModel> & { expiresAt: Date },
): Promise<string> {
  const token = newToken();
  await EmailChangeModel.query(ctx.db).insert({
    userId: ctx.ids.decode('usr', id),
    oldEmail: previousEmail,
    newEmail: email,
    createdAt: ctx.now,
    ...fieldsOf(tokenHash(token)),
  });
  return token;
}

/** Deleting makes it single-use: of two concurrent requests, one finds nothing. */
export async function redeem(
  ctx: Context,
  column: 'confirmTokenHash' | 'undoTokenHash',
  token: string,
): Promise<EmailChangeModel> {
  const [found] = await EmailChangeModel.query(ctx.db)
    .delete()
    .where({ [column]: tokenHash(token) })
    .returning('*');
  if (!found || found.expiresAt <= ctx.now) throw new ApiError('invalid_token');
  return found;
}

/** Whether the password was set since: then what was asked for before may have been an attacker's wish. */
export const isPasswordNewer = (ctx: Context, { userId, since }: { userId: number; since: Date }): Promise<boolean> =>
  hasHappened(ctx, ['password_changed', 'password_reset'], { userId, since });
