import { randomUUID } from 'node:crypto';
import type { StoredFile } from '@rentapi/platform/storage';
import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { lockMe } from '../../users/staff.ts';
import { ExportRequested } from '../events.ts';
import { ExportModel } from '../model.ts';
import type { DataExport } from '../schemas.ts';

export const EXPORT_LIVES_MS = 24 * 3_600_000;
/** One that takes longer has failed for good, and another may be asked for. */
const MADE_WITHIN_MS = 3_600_000;

/** While one is being made, asking again answers that one, with its progress. */
export async function requestExport(ctx: UserContext): Promise<DataExport> {
  return transaction(ctx, async (ctx) => {
    // Of two concurrent requests, the second waits and finds the first.
    const user = await lockMe(ctx);
    const running = await ExportModel.query(ctx.db)
      .findOne({ userId: user.id })
      .whereNot({ status: 'READY' })
      .where('createdAt', '>', new Date(ctx.now.getTime() - MADE_WITHIN_MS));
    if (running) return running.present(ctx.ids);
    const made = await ExportModel.query(ctx.db)
      .insert({
        userId: user.id,
        status: 'PENDING',
        progress: 0,
        storageKey: `exports/${randomUUID()}.zip`,
        createdAt: ctx.now,
        expiresAt: new Date(ctx.now.getTime() + EXPORT_LIVES_MS),
      })
      .returning('*');
    const shown = made.present(ctx.ids);
    const data = { id: ctx.ids.encode('usr', user.id), email: user.email, exportId: shown.id };
    await record(ctx, ExportRequested, { target: made, after: made, data });
    return shown;
  });
}

/** Only one's own: another's is not found. */
export async function openExport(ctx: UserContext, exportId: string): Promise<StoredFile> {
  const found = await ExportModel.query(ctx.db)
    .findById(ctx.ids.decode('exp', exportId))
    .where({ userId: ctx.actor.user.id })
    .where('expiresAt', '>', ctx.now);
  if (!found) throw new ApiError('not_found');
  if (found.status !== 'READY')
    throw new ApiError('export_not_ready', { detail: `The file is being made: ${found.progress} % is done.` });
  const file = await ctx.ports.storage.get(found.storageKey);
  if (!file) throw new ApiError('not_found');
  return file;
}
