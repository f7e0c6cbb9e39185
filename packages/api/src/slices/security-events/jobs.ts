import { purgeJob } from '../../data/purge.ts';

export const purgeSecurityEvents = purgeJob('security_events.purge', [
  { table: 'security_events', column: 'created_at', keptMs: 90 * 86_400_000 },
]);
