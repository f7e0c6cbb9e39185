import { job } from '../../jobs/job.ts';
import { sweepAvatars } from './service.ts';

export const sweepReplaced = job({
  name: 'avatars.sweep',
  queue: 'maintenance',
  every: '1 hour',
  concurrency: 1,
  run: (ctx, _, control) => sweepAvatars(ctx, control),
});
