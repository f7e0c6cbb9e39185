import { job } from '../../jobs/job.ts';
import { sumUpHours } from './service/hours.ts';
import { sumUpSpans } from './service/spans.ts';

/** Whole hours and spans of them, as soon as they are over, and again when a late call changes one. */
export const analyticsHours = job({
  name: 'analytics.hours',
  queue: 'analytics',
  concurrency: 1,
  every: '1 minute',
  async run(ctx, _, control) {
    await sumUpHours(ctx, control);
    await sumUpSpans(ctx, control);
  },
});
