import { type ZipEntry, zip } from '@rentapi/platform/zip';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { UserModel } from '../../users/model.ts';
import { ExportReady } from '../events.ts';
import { ExportModel } from '../model.ts';
import { PARTS } from './parts.ts';
import { EXPORT_LIVES_MS } from './request.ts';

/** Streamed from the database into the file. A run that is repeated begins again. */
export async function makeExport(ctx: Context, exportId: number, control: RunControl): Promise<void> {
  const asked = await ExportModel.query(ctx.db).findById(exportId);
  const user = asked && (await UserModel.query(ctx.db).findById(asked.userId));
  if (!asked || asked.status === 'READY' || user?.status !== 'ACTIVE') return;
  await ExportModel.query(ctx.db).findById(exportId).patch({ status: 'RUNNING' });
  await ctx.ports.storage.put(asked.storageKey, zip(filesOf(ctx, asked, user, control)));
  await transaction(ctx, async (ctx) => {
    const now = ctx.ports.clock.now();
    const made = await ExportModel.query(ctx.db)
      .findById(exportId)
      .patch({ status: 'READY', progress: 100, expiresAt: new Date(now.getTime() + EXPORT_LIVES_MS) })
      .whereNot({ status: 'READY' })
      .returning('*')
      .first();
    if (!made) return; // purged, or made by another run
    const data = { id: ctx.ids.encode('usr', user.id), email: user.email, exportId: ctx.ids.encode('exp', exportId) };
    await record(ctx, ExportReady, { target: made, after: made, data });
  });
}

async function* filesOf(
  ctx: Context,
  { id }: ExportModel,
  user: UserModel,
  { touch, signal }: RunControl,
): AsyncGenerator<ZipEntry> {
  for (const [at, { name, rows }] of PARTS.entries()) {
    yield {
      name,
      content: jsonOf(rows(ctx, user), () => {
        signal.throwIfAborted();
        touch();
      }),
    };
    await ExportModel.query(ctx.db)
      .findById(id)
      .patch({ progress: Math.floor((100 * (at + 1)) / PARTS.length) - (at + 1 === PARTS.length ? 1 : 0) });
  }
}

const ROWS_TOGETHER = 200;

/** A JSON array, in pieces of some rows. */
async function* jsonOf(rows: AsyncIterable<unknown>, each: () => void): AsyncGenerator<string> {
  let piece = '[';
  let count = 0;
  for await (const row of rows) {
    piece += `${count === 0 ? '' : ','}\n${JSON.stringify(row)}`;
    count++;
    if (count % ROWS_TOGETHER !== 0) continue;
    each();
    yield piece;
    piece = '';
  }
  each();
  yield `${piece}\n]\n`;
}

const BATCH = 100;

/** The files first: what is left of them after a failure is found by the row. */
export async function purgeExports(ctx: Context, { touch, signal }: RunControl): Promise<void> {
  while (!signal.aborted) {
    const over = await ExportModel.query(ctx.db).where('expiresAt', '<=', ctx.now).orderBy('expiresAt').limit(BATCH);
    for (const each of over) await remove(ctx, each);
    if (over.length < BATCH) return;
    touch();
  }
}

export async function removeExports(ctx: Context, userId: number): Promise<void> {
  for (const each of await ExportModel.query(ctx.db).where({ userId })) await remove(ctx, each);
}

async function remove(ctx: Context, { id, storageKey }: ExportModel): Promise<void> {
  await ctx.ports.storage.remove(storageKey);
  await ExportModel.query(ctx.db).findById(id).delete();
}
