import type { Context } from '../context.ts';
import type { RunControl } from '../jobs/job.ts';

const BATCH = 1000;

/** Deletes expired rows in batches: each locks few rows and can be vacuumed soon. */
export async function purge(
  ctx: Context,
  { touch, signal }: RunControl,
  rows: { table: string; column: string; before: Date },
): Promise<void> {
  for (let deleted = BATCH; deleted === BATCH && !signal.aborted; touch()) {
    const { rowCount } = await ctx.db.raw<{ rowCount: number }>(
      `/* across organizations */
       delete from ?? where ctid = any(array(select ctid from ?? where ?? < ? limit ${BATCH}))`,
      [rows.table, rows.table, rows.column, rows.before],
    );
    deleted = rowCount;
  }
}
