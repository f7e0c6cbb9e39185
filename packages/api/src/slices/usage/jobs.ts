import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import { maintainPartitions } from './partitions.ts';

export const usagePartitions = job({
  name: 'usage.partitions',
  queue: 'maintenance',
  concurrency: 1,
  every: '1 hour',
  run: (ctx) => maintainPartitions(ctx),
});

/** A year and the month before it, which reports compare. */
const ROLLED_UP_MS = 400 * 86_400_000;

export const purgeUsageRollups = purgeJob('usage.purge_rollups', [
  { table: 'usage_rollups', column: 'slot', keptMs: ROLLED_UP_MS },
  { table: 'usage_totals', column: 'slot', keptMs: ROLLED_UP_MS },
]);
