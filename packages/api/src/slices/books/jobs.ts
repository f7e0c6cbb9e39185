import { job } from '../../jobs/job.ts';
import { verifyBooks } from './service/verify.ts';

export const verify = job({
  name: 'billing.verify',
  queue: 'subscriptions',
  concurrency: 1,
  every: '1 minute',
  run: (ctx, _, control) => verifyBooks(ctx, control),
});
