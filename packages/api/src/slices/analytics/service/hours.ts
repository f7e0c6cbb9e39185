import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RunControl } from '../../../jobs/job.ts';

/** In one run; the next continues. A day of an outage is caught up in a few minutes. */
const MAX_HOURS = 1000;

/** Sums up each hour that is over and whose roll-ups have changed, the latest first. */
export async function sumUpHours(ctx: Context, { touch, signal }: RunControl): Promise<void> {
  for (let count = 0; count < MAX_HOURS && !signal.aborted; count++) {
    if (!(await sumUpNext(ctx))) return;
    touch();
  }
}

/** The mark is taken in the same transaction: an hour that changes in the meantime is marked again after it. */
function sumUpNext(ctx: Context): Promise<boolean> {
  return transaction(ctx, async ({ db, now }) => {
    const [stale] = await execute<{ hour: Date }>(db, TAKE, [now]);
    if (!stale) return false;
    await execute(db, FORGET, [stale.hour]);
    await execute(db, SUM_UP, [stale.hour]);
    return true;
  });
}

const TAKE: Statement = {
  text: `
    delete from usage_stale_hours where hour = (
      select hour from usage_stale_hours where hour <= $1::timestamptz - interval '1 hour'
      order by hour desc limit 1 for update skip locked)
    returning hour`,
};

const FORGET: Statement = { text: 'delete from usage_hours /* across organizations */ where hour = $1' };

/** Every property of a call that `groupBy` names, and none of them. */
const sets = (last: string): string =>
  ['key_id', 'procedure', 'status'].map((by) => `(organization_id, environment, ${by}${last})`).join(', ');

const GROUPED_BY = `case when grouping(key_id) = 0 then 'key' when grouping(procedure) = 0 then 'procedure'
                         when grouping(status) = 0 then 'status' else 'all' end as grouped_by`;
const NAME = `coalesce(key_id::text, procedure, status::text, '') as name`;

const SUM_UP: Statement = {
  text: `
    /* across organizations */
    with cells as materialized (
      select organization_id, case environment when 'test' then 'test' else 'live' end as environment, key_id, procedure,
             status, calls, bytes_in, bytes_out, cost, latency_bins, latency_counts
      from usage_rollups where slot >= $1::timestamptz and slot < $1::timestamptz + interval '1 hour'
    ),
    sums as (
      select organization_id, environment, ${GROUPED_BY}, ${NAME}, sum(calls) as calls,
             sum(case when status between 400 and 499 then calls else 0 end) as client_errors,
             sum(case when status >= 500 then calls else 0 end) as server_errors,
             sum(bytes_in) as bytes_in, sum(bytes_out) as bytes_out, sum(cost) as cost
      from cells group by grouping sets ((organization_id, environment), ${sets('')})
    ),
    bins as (
      select organization_id, environment, ${GROUPED_BY}, ${NAME}, bin, sum(count) as count
      from cells, unnest(latency_bins, latency_counts) as counted (bin, count)
      group by grouping sets ((organization_id, environment, bin), ${sets(', bin')})
    ),
    latencies as (
      select organization_id, environment, grouped_by, name,
             string_agg(int2send(bin) || int4send(least(count, 2147483647)::integer), ''::bytea) as latency
      from bins group by organization_id, environment, grouped_by, name
    )
    insert into usage_hours (organization_id, environment, grouped_by, hour, name, calls, client_errors, server_errors,
                             bytes_in, bytes_out, cost, latency)
    select organization_id, environment, grouped_by, $1::timestamptz, name, calls, client_errors, server_errors,
           bytes_in, bytes_out, cost, coalesce(latency, '')
    from sums left join latencies using (organization_id, environment, grouped_by, name)`,
};
