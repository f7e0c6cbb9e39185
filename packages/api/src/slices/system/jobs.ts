import { purgeJob } from '../../data/purge.ts';

export const purgeIdempotencyKeys = purgeJob('system.purge_idempotency_keys', [
  { table: 'idempotency_keys', column: 'claimed_at', keptMs: 24 * 3_600_000 },
]);
