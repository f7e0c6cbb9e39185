import { job } from '../../jobs/job.ts';
import { readLists } from './service/lists.ts';
import { verifyBooks } from './service/verify.ts';

export const verify = job({
  name: 'billing.verify',
  queue: 'subscriptions',
  concurrency: 1,
  every: '1 minute',
  run: (ctx, _, control) => verifyBooks(ctx, control),
});

/** Looks often whether something is due, and so finds out after a pause. */
export const reconcile = job({
  name: 'billing.reconcile',
  queue: 'subscriptions',
  concurrency: 1,
  every: '5 minutes',
  run: (ctx, _, control) => readLists(ctx, control),
});
