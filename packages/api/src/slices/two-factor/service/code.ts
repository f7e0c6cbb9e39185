import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { useBackupCode } from './backup-codes.ts';
import { useTotp } from './totp.ts';
import { typedCode } from './typed-code.ts';

/** Wrong codes of an account in an hour, over all its sign-ins. */
const MAX_WRONG_CODES = 10;
const WINDOW_MS = 3_600_000;

type OnRight<T> = (ctx: Context, user: UserModel) => Promise<T>;

/** Compares a code outside of any sign-in that waits for it. */
export async function withCode<T>(ctx: Context, userId: number, code: string, onRight: OnRight<T>): Promise<T> {
  await reserveCode(ctx, userId);
  return withReservedCode(ctx, { userId, code }, onRight);
}

/**
 * Uses up a code and runs `onRight` in one transaction, under the lock of the user. The attempt was reserved and
 * committed before, so that concurrent guesses are all counted; a right code gives it back.
 */
export async function withReservedCode<T>(
  ctx: Context,
  { userId, code }: { userId: number; code: string },
  onRight: OnRight<T>,
): Promise<T> {
  const right = await transaction(ctx, async (ctx) => {
    // Of concurrent requests with one code, the others wait here and find it used.
    const user = await UserModel.query(ctx.db).findById(userId).forUpdate().throwIfNotFound();
    const typed = typedCode(code);
    if (!(await useTotp(ctx, userId, typed)) && !(await useBackupCode(ctx, userId, typed))) return null;
    if (user.status !== 'ACTIVE') throw new ApiError('account_inactive');
    await ctx.db('code_attempts').where({ userId }).where('failures', '>', 0).decrement('failures', 1);
    return { result: await onRight(ctx, user) };
  });
  if (right) return right.result;
  await recordSecurityEvent(ctx, 'login_failed', { userId, details: { method: 'code' } });
  throw new ApiError('invalid_code');
}

export async function reserveCode(ctx: Context, userId: number): Promise<void> {
  const { rows } = await ctx.db.raw<{ rows: unknown[] }>(
    `insert into code_attempts as attempts (user_id, failures, resets_at) values (:userId, 1, :resetsAt)
     on conflict (user_id) do update set
       failures = case when attempts.resets_at <= :now then 1 else attempts.failures + 1 end,
       resets_at = case when attempts.resets_at <= :now then excluded.resets_at else attempts.resets_at end
     where attempts.resets_at <= :now or attempts.failures < :limit
     returning failures`,
    { userId, now: ctx.now, resetsAt: new Date(ctx.now.getTime() + WINDOW_MS), limit: MAX_WRONG_CODES },
  );
  if (rows.length > 0) return;
  const { resetsAt } = await ctx.db('code_attempts').where({ userId }).first('resetsAt');
  const retryAfterS = Math.max(1, Math.ceil((resetsAt.getTime() - ctx.now.getTime()) / 1000));
  throw new ApiError('too_many_codes', { retryAfterS });
}
