import { partitionsJob } from '../../data/day-partitions.ts';
import { purgeJob } from '../../data/purge.ts';

const DAY_MS = 86_400_000;

/** So long a repeated event is known. Without a timestamp it could be sent again at any time. */
export const purgeTransactions = purgeJob('metering.purge_transactions', [
  { table: 'usage_transactions', column: 'received_at', keptMs: 35 * DAY_MS },
]);

export const keepPartitions = partitionsJob({ name: 'metering.partitions', table: 'usage_events', keptDays: 400 });
