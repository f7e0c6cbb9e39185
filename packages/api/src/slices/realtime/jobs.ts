import { purge } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';

export const purgeTickets = job({
  name: 'realtime.purge_tickets',
  queue: 'maintenance',
  every: '1 hour',
  run: (ctx, _, work) => purge(ctx, work, { table: 'realtime_tickets', column: 'expires_at', before: ctx.now }),
});
