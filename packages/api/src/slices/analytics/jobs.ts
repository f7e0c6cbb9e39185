import { job } from '../../jobs/job.ts';
import { sumUpHours } from './service/hours.ts';

/** Whole hours, as soon as they are over, and again when a late call changes one. */
export const analyticsHours = job({
  name: 'analytics.hours',
  queue: 'analytics',
  concurrency: 1,
  every: '1 minute',
  run: (ctx, _, control) => sumUpHours(ctx, control),
});
