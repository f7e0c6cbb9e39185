import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import { rollUp } from './service/roll-up.ts';

/** Each slot when it is over, and again when a late call was written. */
export const rollUpUsage = job({
  name: 'usage.roll_up',
  queue: 'analytics',
  concurrency: 1,
  every: '5 minutes',
  run: (ctx, _, control) => rollUp(ctx, control),
});

export { usagePartitions } from './partitions.ts';

/** A year and the month before it, which reports compare. */
const ROLLED_UP_MS = 400 * 86_400_000;

export const purgeUsageRollups = purgeJob('usage.purge_rollups', [
  { table: 'usage_rollups', column: 'slot', keptMs: ROLLED_UP_MS },
]);
