import { purgeJob } from '../../data/purge.ts';

const DAY_MS = 86_400_000;

export const purgeEnded = purgeJob('jobs.purge_ended', [
  { table: 'done_jobs', column: 'done_at', keptMs: 3 * DAY_MS },
  { table: 'dead_jobs', column: 'died_at', keptMs: 30 * DAY_MS },
]);
