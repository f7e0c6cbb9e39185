import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../context.ts';
import { transaction } from '../../data/transaction.ts';
import { LOCK } from './service/roll-up.ts';
import { dayOf } from './slots.ts';

const DAY_MS = 86_400_000;
/** Made ahead, so that a week without a worker loses nothing. */
const AHEAD_DAYS = 7;

const CREATE: Statement = {
  text: `
    /* across organizations */
    select create_day_partition('usage_calls', $1::date + ahead) from generate_series(0, ${AHEAD_DAYS}) as ahead
    where to_regclass('usage_calls_' || to_char($1::date + ahead, 'YYYYMMDD')) is null`,
};

/** Days before $1 that are rolled up as a whole. */
const DROP: Statement = {
  text: `
    /* across organizations */
    select drop_day_partition('usage_calls', day)
    from (
      select to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') as day from pg_inherits
      where inhparent = 'usage_calls'::regclass
    ) as partitions
    where day < $1::date and not exists (
      select from usage_pending_slots
      where slot >= day::timestamp at time zone 'UTC' and slot < (day + 1)::timestamp at time zone 'UTC')
    order by day`,
};

/** Makes the partitions of the next days, and drops those that were kept for long enough. */
export async function maintainPartitions(ctx: Context): Promise<void> {
  const now = ctx.now.getTime();
  await execute(ctx.db, CREATE, [dayOf(now)]);
  await transaction(ctx, async ({ db }) => {
    await execute(db, LOCK, []);
    await execute(db, DROP, [dayOf(now - ctx.ports.env.USAGE_RETENTION_DAYS * DAY_MS)]);
  });
}
