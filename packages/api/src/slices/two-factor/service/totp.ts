import { generateSecret, generateURI, verifySync } from 'otplib';
import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { lockMe } from '../../users/staff.ts';
import { TwoFactorEnabled } from '../events.ts';
import { TotpFactorModel } from '../model.ts';
import type { BackupCodes, TotpSetup, VerifyTotp } from '../schemas.ts';
import { replaceBackupCodes } from './backup-codes.ts';
import { settleTwoFactor } from './settle.ts';
import { typedCode } from './typed-code.ts';

/** Clocks of phones differ: the code before and the one after are accepted, too. */
const TOLERANCE_S = 30;

/** The step of a right code; null for any other text. */
export function matchingStep(seed: string, code: string, now: Date): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const epoch = Math.floor(now.getTime() / 1000);
  const result = verifySync({ secret: seed, token: code, epoch, epochTolerance: TOLERANCE_S });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}

/** It counts only once `verifyTotp` has seen a code of it: until then it replaces one that was never used. */
export async function enableTotp(ctx: UserContext): Promise<TotpSetup> {
  const { user } = ctx.actor;
  const secret = generateSecret();
  await transaction(ctx, async (ctx) => {
    await lockMe(ctx);
    const factor = await TotpFactorModel.query(ctx.db).findOne({ userId: user.id });
    if (factor?.confirmedAt) throw new ApiError('two_factor_enabled');
    const secretSealed = ctx.ports.twoFactor.sealSeed(secret, user.id);
    await TotpFactorModel.query(ctx.db)
      .insert({ userId: user.id, secretSealed, createdAt: ctx.now })
      .onConflict('userId')
      .merge();
  });
  const issuer = new URL(ctx.ports.env.PUBLIC_URL).hostname;
  const otpauthUrl = generateURI({ issuer, label: user.email, secret });
  const { default: QRCode } = await import('qrcode'); // few calls need it: an idle server is small without it
  return { secret, otpauthUrl, qrCode: await QRCode.toDataURL(otpauthUrl) };
}

export async function verifyTotp(ctx: UserContext, { code }: VerifyTotp): Promise<BackupCodes> {
  return transaction(ctx, async (ctx) => {
    const before = await lockMe(ctx);
    const factor = await TotpFactorModel.query(ctx.db).findOne({ userId: before.id });
    if (!factor) throw new ApiError('two_factor_not_enabled');
    if (factor.confirmedAt) throw new ApiError('two_factor_enabled');
    const lastStep = stepOf(ctx, factor, typedCode(code));
    if (lastStep === null) throw new ApiError('invalid_code');
    await TotpFactorModel.query(ctx.db).findById(factor.id).patch({ confirmedAt: ctx.now, lastStep });
    const after = await settleTwoFactor(ctx, before);
    await recordSecurityEvent(ctx, 'two_factor_enabled', { userId: after.id, details: { method: 'totp' } });
    await record(ctx, TwoFactorEnabled, { target: after, before, after, data: after.present(ctx.ids) });
    return replaceBackupCodes(ctx, after.id);
  });
}

/** Uses up a code of the app, under the lock of its user. */
export async function useTotp(ctx: Context, userId: number, code: string): Promise<boolean> {
  const factor = await TotpFactorModel.query(ctx.db).findOne({ userId }).whereNotNull('confirmedAt');
  const lastStep = factor ? stepOf(ctx, factor, code) : null;
  if (!factor || lastStep === null) return false;
  await TotpFactorModel.query(ctx.db).findById(factor.id).patch({ lastStep });
  return true;
}

/** Null for a wrong code, and for one that is as old as the last that was used (RFC 6238, section 5.2). */
function stepOf(ctx: Context, factor: TotpFactorModel, code: string): number | null {
  const seed = ctx.ports.twoFactor.openSeed(factor.secretSealed, factor.userId);
  if (seed === null) {
    ctx.ports.log.error({ userId: factor.userId }, 'no secret opens the seed of an authenticator app');
    return null;
  }
  const step = matchingStep(seed, code, ctx.now);
  return step !== null && step > factor.lastStep ? step : null;
}
