import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { RecordedEvent } from '../../../jobs/job.ts';
import { SecurityEventModel } from '../../security-events/model.ts';
import { EmailChangeModel } from '../model.ts';

const CONFIRM_WITHIN_MS = 24 * 3_600_000;
const UNDO_WITHIN_MS = 7 * 86_400_000;

interface Change {
  id: string;
  email: string;
  previousEmail: string;
}

/** Made by the job that mails it, so that no event holds one. */
export async function mintConfirmToken(ctx: Context, change: Change): Promise<string> {
  return mint(ctx, change, (hash) => ({
    confirmTokenHash: hash,
    expiresAt: new Date(ctx.now.getTime() + CONFIRM_WITHIN_MS),
  }));
}

/** Counted from the change, however late the mail is sent. */
export async function mintUndoToken(ctx: Context, { data, createdAt }: RecordedEvent<Change>): Promise<string> {
  return mint(ctx, data, (hash) => ({
    undoTokenHash: hash,
    confirmedAt: createdAt,
    expiresAt: new Date(createdAt.getTime() + UNDO_WITHIN_MS),
  }));
}

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
export async function isPasswordNewer(
  { db }: Context,
  { userId, since }: { userId: number; since: Date },
): Promise<boolean> {
  const event = await SecurityEventModel.query(db)
    .findOne({ userId })
    .whereIn('kind', ['password_changed', 'password_reset'])
    .where('createdAt', '>=', since)
    .select('id');
  return event !== undefined;
}
