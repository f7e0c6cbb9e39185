import { execute, type Knex, type Statement, sqlStateOf } from '@rentapi/platform/database';
import type { Context } from '../context.ts';
import { type Job, job } from '../jobs/job.ts';
import { transaction } from './transaction.ts';

const DAY_MS = 86_400_000;
/** So that a week without a worker loses nothing. */
const AHEAD_DAYS = 7;

/** Only those that are missing: making one locks the table. Yesterday's too, for what comes late. */
const CREATE: Statement = {
  text: `
    /* across organizations */
    select create_day_partition($1, $2::date + ahead) from generate_series(-1, ${AHEAD_DAYS}) as ahead
    where to_regclass($1 || '_' || to_char($2::date + ahead, 'YYYYMMDD')) is null`,
};

const PAST_DAYS: Statement = {
  text: `
    select to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD')::text as day from pg_inherits
    where inhparent = $1::regclass and to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < $2::date
    order by day`,
};

const DROP: Statement = {
  text: '/* across organizations */ select drop_day_partition($1, day) from unnest($2::date[]) as day',
};

interface DayPartitions {
  name: string;
  /** Listed in `day_partitioned_tables`. */
  table: string;
  keptDays: number | ((ctx: Context) => number);
  /** Which of these days may be dropped, asked in the transaction that drops them. Default: all. */
  droppable?: (ctx: Context, days: readonly string[]) => Promise<readonly string[]>;
}

/** Each hour makes the partitions of the next days, and drops those that were kept for long enough. */
export function partitionsJob({ name, table, keptDays, droppable = async (_, days) => days }: DayPartitions): Job {
  return job({
    name,
    queue: 'maintenance',
    every: '1 hour',
    concurrency: 1,
    async run(ctx) {
      const now = ctx.now.getTime();
      await execute(ctx.db, CREATE, [table, dayOf(now)]);
      const kept = typeof keptDays === 'number' ? keptDays : keptDays(ctx);
      await transaction(ctx, async (ctx) => {
        const past = await execute<{ day: string }>(ctx.db, PAST_DAYS, [table, dayOf(now - kept * DAY_MS)]);
        if (past.length > 0)
          await execute(ctx.db, DROP, [
            table,
            await droppable(
              ctx,
              past.map(({ day }) => day),
            ),
          ]);
      });
    },
  });
}

/** PostgreSQL refuses a row without a partition as if it violated a check. */
const CHECK_VIOLATION = '23514';
const CREATE_DAYS: Statement = {
  text: '/* across organizations */ select create_day_partition($1, day) from unnest($2::date[]) as day',
};

/** Writes rows of these moments; where their days have no partition, because no job ran for a week, makes them. */
export async function writeByDay<Written>(
  db: Knex,
  table: string,
  moments: readonly Date[],
  write: () => Promise<Written>,
): Promise<Written> {
  try {
    return await write();
  } catch (error) {
    if (sqlStateOf(error) !== CHECK_VIOLATION) throw error;
    const days = new Set(moments.map((at) => dayOf(at.getTime())));
    await execute(db, CREATE_DAYS, [table, [...days]]);
    return write();
  }
}

/** The day in UTC, as partitions are named by it. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
