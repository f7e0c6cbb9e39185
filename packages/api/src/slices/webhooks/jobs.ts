import { maintainPartitions } from '../../data/day-partitions.ts';
import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import { sweep } from './service/sweep.ts';

export { recoverDeliveries } from './service/recover.ts';

/** As long as what can be recovered. */
const ATTEMPT_DAYS = 30;

export const attemptPartitions = job({
  name: 'webhooks.partitions',
  queue: 'maintenance',
  every: '1 hour',
  concurrency: 1,
  run: (ctx) => maintainPartitions(ctx, 'webhook_attempts', ATTEMPT_DAYS),
});

export const purgeDeliveries = purgeJob('webhooks.purge_deliveries', [
  { table: 'webhook_deliveries', column: 'created_at', keptMs: 30 * 86_400_000 },
]);

export const sweepWebhooks = job({
  name: 'webhooks.sweep',
  queue: 'webhooks',
  every: '5 minutes',
  concurrency: 1,
  run: (ctx, _, control) => sweep(ctx, control),
});
