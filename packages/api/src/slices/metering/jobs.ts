import { execute, type Statement } from '@rentapi/platform/database';
import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';

const DAY_MS = 86_400_000;

/** So long a repeated event is known. Without a timestamp it could be sent again at any time. */
export const purgeTransactions = purgeJob('metering.purge_transactions', [
  { table: 'usage_transactions', column: 'received_at', keptMs: 35 * DAY_MS },
]);

/** Only those that are missing: making one locks the table. */
const MAKE_PARTITIONS: Statement = {
  text: `
    /* across organizations */
    select create_day_partition('usage_events', day)
    from (select (now() at time zone 'UTC')::date + ahead as day from generate_series(-1, 7) as ahead) as days
    where to_regclass('usage_events' || to_char(day, '"_"YYYYMMDD')) is null`,
};
const DROP_PARTITIONS: Statement = {
  text: `
    /* across organizations */
    select drop_day_partition('usage_events', day)
    from (select to_date(right(relname, 8), 'YYYYMMDD') as day from pg_inherits join pg_class on pg_class.oid = inhrelid
          where inhparent = 'usage_events'::regclass) as days
    where day < (now() at time zone 'UTC')::date - (select keep_days from day_partitioned_tables where name = 'usage_events')
    limit 10`,
};

/** Days ahead, so that events find theirs, and the end of those that have been kept for long enough. */
export const keepPartitions = job({
  name: 'metering.keep_partitions',
  queue: 'maintenance',
  every: '1 hour',
  async run({ db }) {
    await execute(db, MAKE_PARTITIONS, []);
    await execute(db, DROP_PARTITIONS, []);
  },
});
