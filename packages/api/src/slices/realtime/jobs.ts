import { purgeJob } from '../../data/purge.ts';

export const purgeTickets = purgeJob('realtime.purge_tickets', [
  { table: 'realtime_tickets', column: 'expires_at', keptMs: 0 },
]);
