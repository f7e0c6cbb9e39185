import { mac } from '@rentapi/platform/secrets';
import { tokenHash } from '@rentapi/platform/tokens';
import type { Context, UserContext } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { endAccess } from '../../auth/service/verify-email.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { UserModel } from '../../users/model.ts';
import { lockUser } from '../../users/staff.ts';
import { TwoFactorReset, TwoFactorResetRequested, TwoFactorResetStopped } from '../events.ts';
import { PasskeyModel, TotpFactorModel, TwoFactorResetModel } from '../model.ts';
import type { RequestTwoFactorReset, TwoFactorResetRequest } from '../schemas.ts';
import { settleTwoFactor } from './settle.ts';

/** How long the owner has to object. */
const DELAY_MS = 24 * 3_600_000;
const BATCH = 100;

/** Asking again while one waits changes nothing: the owner was mailed when it takes effect. */
export async function requestTwoFactorReset(
  ctx: UserContext,
  { userId, reason }: RequestTwoFactorReset,
): Promise<TwoFactorResetRequest> {
  return transaction(ctx, async (ctx) => {
    const user = await lockUser(ctx, userId, 'users:impersonate');
    if (!user.twoFactorEnabledAt) throw new ApiError('two_factor_not_enabled');
    const waiting = await TwoFactorResetModel.query(ctx.db).findOne({ userId: user.id });
    if (waiting) return { effectiveAt: iso(waiting.effectiveAt) };
    const effectiveAt = new Date(ctx.now.getTime() + DELAY_MS);
    const objection = objectionToken(ctx, userId, iso(effectiveAt));
    await TwoFactorResetModel.query(ctx.db).insert({
      userId: user.id,
      tokenHash: tokenHash(objection),
      effectiveAt,
      createdAt: ctx.now,
    });
    await recordSecurityEvent(ctx, 'two_factor_reset_requested', { userId: user.id, details: { reason } });
    const data = { ...user.present(ctx.ids), reason, effectiveAt: iso(effectiveAt) };
    await record(ctx, TwoFactorResetRequested, { target: user, data });
    return { effectiveAt: iso(effectiveAt) };
  });
}

/** Made again by the job that mails it, which may run twice: no event contains a token. */
export function objectionToken(ctx: Context, userId: string, effectiveAt: string): string {
  const key = ctx.ports.keyring.key('rentapi/two/factor/reset');
  return mac(key, `${userId} ${effectiveAt}`).toString('base64url');
}

/** The owner of the mailbox objects. */
export async function stopTwoFactorReset(ctx: Context, token: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const reset = await TwoFactorResetModel.query(ctx.db).findOne({ tokenHash: tokenHash(token) });
    if (!reset) throw new ApiError('invalid_token');
    const user = await UserModel.query(ctx.db).findById(reset.userId).forUpdate().throwIfNotFound();
    // Of an objection and the job, one finds it.
    if ((await TwoFactorResetModel.query(ctx.db).deleteById(reset.id)) === 0) throw new ApiError('invalid_token');
    await recordSecurityEvent(ctx, 'two_factor_reset_stopped', { userId: user.id });
    await record(ctx, TwoFactorResetStopped, { target: user, data: user.present(ctx.ids) });
  });
}

/** Those to which no owner has objected in time. */
export async function resetDueTwoFactors(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  while (!signal.aborted) {
    const due = await TwoFactorResetModel.query(ctx.db).where('effectiveAt', '<=', ctx.now).limit(BATCH);
    for (const reset of due) {
      await resetTwoFactor(ctx, reset);
      touch();
    }
    if (due.length < BATCH) return;
  }
}

/** Everything that a login asks for besides the password, and every session. */
async function resetTwoFactor(ctx: Context, reset: TwoFactorResetModel): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const before = await UserModel.query(ctx.db).findById(reset.userId).forUpdate().throwIfNotFound();
    if ((await TwoFactorResetModel.query(ctx.db).deleteById(reset.id)) === 0) return; // stopped, or done, meanwhile
    const mine = { userId: before.id };
    await TotpFactorModel.query(ctx.db).delete().where(mine);
    await PasskeyModel.query(ctx.db).delete().where(mine);
    const after = await settleTwoFactor(ctx, before);
    await endAccess(ctx, after);
    await recordSecurityEvent(ctx, 'two_factor_reset', mine);
    await record(ctx, TwoFactorReset, { target: after, before, after, data: after.present(ctx.ids) });
  });
}
