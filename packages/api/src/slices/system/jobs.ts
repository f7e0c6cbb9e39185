import { purge } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';

const KEPT_MS = 24 * 3_600_000;

export const purgeIdempotencyKeys = job({
  name: 'system.purge_idempotency_keys',
  queue: 'maintenance',
  every: '1 hour',
  async run(ctx, _, work) {
    const before = new Date(ctx.now.getTime() - KEPT_MS);
    await purge(ctx, work, { table: 'idempotency_keys', column: 'claimed_at', before });
  },
});
