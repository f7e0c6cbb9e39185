import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { lockMe } from '../../users/staff.ts';
import { BackupCodesRegenerated } from '../events.ts';
import { BackupCodeModel } from '../model.ts';
import type { BackupCodes } from '../schemas.ts';

const CODES = 10;

/** New ones in place of all that there were, under the lock of the user. */
export async function replaceBackupCodes(ctx: Context, userId: number): Promise<BackupCodes> {
  const { twoFactor } = ctx.ports;
  const backupCodes = Array.from({ length: CODES }, () => twoFactor.newBackupCode());
  await BackupCodeModel.query(ctx.db).delete().where({ userId });
  await BackupCodeModel.query(ctx.db).insert(
    backupCodes.map((code) => ({ userId, codeHash: twoFactor.hashBackupCode(code), createdAt: ctx.now })),
  );
  return { backupCodes };
}

export async function regenerateBackupCodes(ctx: UserContext): Promise<BackupCodes> {
  return transaction(ctx, async (ctx) => {
    const user = await lockMe(ctx);
    if (!user.twoFactorEnabledAt) throw new ApiError('two_factor_not_enabled');
    await recordSecurityEvent(ctx, 'backup_codes_regenerated', { userId: user.id });
    await record(ctx, BackupCodesRegenerated, { target: user, data: user.present(ctx.ids) });
    return replaceBackupCodes(ctx, user.id);
  });
}

/** Deleting makes it single-use. */
export async function useBackupCode(ctx: Context, userId: number, code: string): Promise<boolean> {
  const codeHash = ctx.ports.twoFactor.hashBackupCode(code);
  const deleted = await BackupCodeModel.query(ctx.db).delete().where({ userId, codeHash });
  if (deleted > 0) await recordSecurityEvent(ctx, 'backup_code_used', { userId });
  return deleted > 0;
}
