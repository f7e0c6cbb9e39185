import type { Context } from '../context.ts';
import { type Job, job, type PurgedRows, type RunControl } from '../jobs/job.ts';

const BATCH = 1000;

/** Each hour deletes what has been kept for long enough, table after table. */
export function purgeJob(name: string, purges: readonly PurgedRows[]): Job {
  return job({
    name,
    queue: 'maintenance',
    every: '1 hour',
    purges,
    async run(ctx, _, control) {
      for (const rows of purges) await purge(ctx, control, rows);
    },
  });
}

/** In batches: each locks few rows and can be vacuumed soon. */
async function purge(
  ctx: Context,
  { touch, signal }: RunControl,
  { table, column, keptMs }: PurgedRows,
): Promise<void> {
  const before = new Date(ctx.now.getTime() - keptMs);
  for (let deleted = BATCH; deleted === BATCH && !signal.aborted; touch()) {
    const { rowCount } = await ctx.db.raw<{ rowCount: number }>(
      `/* across organizations */
       delete from ?? kept using (select tableoid as part, ctid as place from ?? where ?? < ? limit ${BATCH}) old
       where kept.ctid = old.place and kept.tableoid = old.part -- a table and its partitions have the same places`,
      [table, table, column, before],
    );
    deleted = rowCount;
  }
}
