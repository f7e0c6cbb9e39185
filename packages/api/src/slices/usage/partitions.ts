import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../context.ts';
import { partitionsJob } from '../../data/day-partitions.ts';
import { LOCK } from './service/roll-up.ts';

const ROLLED_UP: Statement = {
  text: `
    /* across organizations */
    select day::text from unnest($1::date[]) as day
    where not exists (
      select from usage_pending_slots
      where slot >= day::timestamp at time zone 'UTC' and slot < (day + 1)::timestamp at time zone 'UTC')`,
};

/** Days that are rolled up as a whole. The lock is the roll-up's: none begins meanwhile. */
async function rolledUp({ db }: Context, days: readonly string[]): Promise<string[]> {
  await execute(db, LOCK, []);
  const found = await execute<{ day: string }>(db, ROLLED_UP, [days]);
  return found.map(({ day }) => day);
}

export const usagePartitions = partitionsJob({
  name: 'usage.partitions',
  table: 'usage_calls',
  keptDays: ({ ports }) => ports.env.USAGE_RETENTION_DAYS,
  droppable: rolledUp,
});
