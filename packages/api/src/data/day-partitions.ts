import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../context.ts';

const DAY_MS = 86_400_000;
/** So that a week without a worker loses nothing. */
const AHEAD_DAYS = 7;

const CREATE: Statement = {
  text: `
    select create_day_partition($1, $2::date + ahead) from generate_series(0, ${AHEAD_DAYS}) as ahead
    where to_regclass($1 || '_' || to_char($2::date + ahead, 'YYYYMMDD')) is null`,
};

const DROP: Statement = {
  text: `
    select drop_day_partition($1, day)
    from (
      select to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') as day from pg_inherits
      where inhparent = $1::regclass
    ) as partitions
    where day < $2::date order by day`,
};

/** Makes the partitions of the next days, and drops those that were kept for long enough. */
export async function maintainPartitions({ db, now }: Context, table: string, keptDays: number): Promise<void> {
  await execute(db, CREATE, [table, dayOf(now.getTime())]);
  await execute(db, DROP, [table, dayOf(now.getTime() - keptDays * DAY_MS)]);
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
