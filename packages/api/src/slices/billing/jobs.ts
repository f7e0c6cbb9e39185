import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import { syncForgotten } from './service/sync.ts';

export { judgeEvent } from './service/hold.ts';
export { syncObject } from './service/sync.ts';

export const syncForgottenObjects = job({
  name: 'billing.sync_forgotten_objects',
  queue: 'subscriptions',
  every: '5 minutes',
  concurrency: 1,
  run: (ctx, _, control) => syncForgotten(ctx, control),
});

const DAY_MS = 86_400_000;

/** Providers send an event again for three days, and by hand for thirty. */
export const purgeEvents = purgeJob('billing.purge_events', [
  { table: 'provider_events', column: 'received_at', keptMs: 90 * DAY_MS },
  { table: 'held_events', column: 'received_at', keptMs: DAY_MS },
]);
