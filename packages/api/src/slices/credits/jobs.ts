import { job } from '../../jobs/job.ts';
import { sweepCredits } from './service/sweep.ts';

export const runDueCredits = job({
  name: 'credits.run_due',
  queue: 'subscriptions',
  concurrency: 1,
  every: '1 minute',
  run: (ctx, _, control) => sweepCredits(ctx, control),
});
