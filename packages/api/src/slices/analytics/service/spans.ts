import { execute, type Statement } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import type { RunControl } from '../../../jobs/job.ts';

/** The lengths of sums beyond an hour, the longest first. Days of most zones are none of UTC, but have spans of six. */
export const SPANS_H = [24, 6] as const;
export type SpanH = (typeof SPANS_H)[number];

/** In one run; the next continues. */
const MAX_SPANS = 1000;

/** Sums up each span that is over, whose hours have changed and are summed up themselves: short ones first. */
export async function sumUpSpans(ctx: Context, { touch, signal }: RunControl): Promise<void> {
  for (let count = 0; count < MAX_SPANS && !signal.aborted; count++) {
    if (!(await sumUpNext(ctx))) return;
    touch();
  }
}

/** The mark is taken in the same transaction: a span that changes in the meantime is marked again after it. */
function sumUpNext(ctx: Context): Promise<boolean> {
  return transaction(ctx, async ({ db, now }) => {
    const [stale] = await execute<{ hours: SpanH; start: Date }>(db, TAKE, [now]);
    if (!stale) return false;
    await execute(db, FORGET, [stale.hours, stale.start]);
    await execute(db, SUM_UP[stale.hours], [stale.start]);
    return true;
  });
}

const TAKE: Statement = {
  text: `
    delete from usage_stale_spans where (hours, start) = (
      select hours, start from usage_stale_spans as stale
      where start <= $1::timestamptz - hours * interval '1 hour'
        and not exists (select from usage_stale_hours
                        where hour >= stale.start and hour < stale.start + stale.hours * interval '1 hour')
        and not exists (select from usage_stale_spans as part
                        where part.hours < stale.hours and part.start >= stale.start
                          and part.start < stale.start + stale.hours * interval '1 hour')
      order by hours, start desc limit 1 for update of stale skip locked)
    returning hours, start`,
};

const FORGET: Statement = {
  text: 'delete from usage_spans /* across organizations */ where hours = $1 and start = $2',
};

/** What a span consists of. */
const PARTS: Record<SpanH, string> = {
  6: `usage_hours where hour >= $1::timestamptz and hour < $1::timestamptz + interval '6 hours'`,
  24: `usage_spans where hours = 6 and start >= $1::timestamptz and start < $1::timestamptz + interval '24 hours'`,
};

const GROUP = 'organization_id, environment, grouped_by, name';

const sumUpOf = (hours: SpanH): Statement => ({
  text: `
    /* across organizations */
    with parts as materialized (
      select ${GROUP}, calls, client_errors, server_errors, bytes_in, bytes_out, cost, latency from ${PARTS[hours]}
    ),
    sums as (
      select ${GROUP}, sum(calls) as calls, sum(client_errors) as client_errors, sum(server_errors) as server_errors,
             sum(bytes_in) as bytes_in, sum(bytes_out) as bytes_out, sum(cost) as cost
      from parts group by ${GROUP}
    ),
    bins as (
      select ${GROUP}, substr(latency, at, 2) as bin,
             sum(('x' || encode(substr(latency, at + 2, 4), 'hex'))::bit(32)::integer::bigint) as count
      from parts, generate_series(1, length(latency) - 5, 6) as at
      group by ${GROUP}, substr(latency, at, 2)
    ),
    latencies as (
      select ${GROUP}, string_agg(bin || int4send(least(count, 2147483647)::integer), ''::bytea) as latency
      from bins group by ${GROUP}
    )
    insert into usage_spans (${GROUP}, hours, start, calls, client_errors, server_errors, bytes_in, bytes_out, cost, latency)
    select ${GROUP}, ${hours}, $1::timestamptz, calls, client_errors, server_errors, bytes_in, bytes_out, cost,
           coalesce(latency, '')
    from sums left join latencies using (${GROUP})`,
});

const SUM_UP: Record<SpanH, Statement> = { 6: sumUpOf(6), 24: sumUpOf(24) };
