import { job } from '../../jobs/job.ts';
import { announceIncludedCalls } from './service/included-calls.ts';

export const announceUsage = job({
  name: 'limits.announce_usage',
  queue: 'analytics',
  concurrency: 1,
  every: '5 minutes',
  run: (ctx, _, control) => announceIncludedCalls(ctx, control),
});
