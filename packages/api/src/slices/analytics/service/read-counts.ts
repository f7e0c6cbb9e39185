import type { Bucket } from '@rentapi/platform/calendar';
import { execute, type Statement } from '@rentapi/platform/database';
import { binSql } from '@rentapi/platform/latency-sketch';
import type { OrganizationContext } from '../../../context.ts';
import type { CallEnvironment } from '../../../pipeline/recent-calls.ts';
import { type Part, planReads, type Uncounted } from './plan-reads.ts';
import type { SpanH } from './spans.ts';

/** Whose calls are read, and when. */
export type Reader = Pick<OrganizationContext, 'db' | 'ids' | 'now' | 'organization'>;

export type Grouping = 'key' | 'procedure' | 'status' | 'all';

/** What is counted of one group in one bucket. */
export interface Counted {
  bucket: number;
  /** As in `usage_hours`; null for all groups that are not among the first. */
  name: string | null;
  calls: number;
  clientErrors: number;
  serverErrors: number;
  bytesIn: number;
  bytesOut: number;
  cost: number;
  /** For `LatencySketch`. */
  latency: Buffer;
}

export interface CountQuery {
  environment: CallEnvironment;
  groupBy: Grouping;
  /** The groups with the most of these are answered each by itself; all groups are if there is none. */
  top?: { most: 'calls' | 'errors'; count: number };
}

/** How many quarters of an hour are counted from single calls. Roll-ups that are further behind are incomplete. */
const MAX_PENDING_SLOTS = 8;

/** What is not in the sums. `completeUntil` is where calls are missing because roll-ups are behind. */
export async function findUncounted(
  { db }: Pick<Reader, 'db'>,
  { from, to }: { from: Date; to: Date },
  maxPendingSlots = MAX_PENDING_SLOTS,
): Promise<Uncounted & { completeUntil: Date | null }> {
  const [found] = await execute<Found>(db, UNCOUNTED, [from, to]);
  const pending = found?.pendingSlots ?? [];
  const missing = pending.length > maxPendingSlots ? pending[maxPendingSlots]! : null;
  return {
    staleSpans: { 6: found?.stale6 ?? [], 24: found?.stale24 ?? [] },
    staleHours: found?.staleHours ?? [],
    pendingSlots: pending.slice(0, maxPendingSlots),
    completeUntil: missing && earliestOf(pending.slice(maxPendingSlots)),
  };
}

type Found = Record<'stale6' | 'stale24' | 'staleHours' | 'pendingSlots', Date[] | null>;

const earliestOf = (moments: readonly Date[]): Date => new Date(Math.min(...moments.map((each) => each.getTime())));
const latestOf = (moments: readonly Date[]): Date => new Date(Math.max(...moments.map((each) => each.getTime())));
const NEVER = new Date(0);

const staleSpans = (hours: SpanH): string => `
      (select array_agg(start) from usage_stale_spans
         where hours = ${hours} and start > $1::timestamptz - interval '${hours} hours' and start < $2) as "stale${hours}"`;

const UNCOUNTED: Statement = {
  text: `
    select ${staleSpans(6)}, ${staleSpans(24)},
      (select array_agg(hour) from usage_stale_hours where hour > $1::timestamptz - interval '1 hour' and hour < $2)
        as "staleHours",
      (select array_agg(slot order by slot desc) from (select distinct slot from usage_pending_slots
         where slot > $1::timestamptz - interval '15 minutes' and slot < $2) as pending) as "pendingSlots"`,
};

/** The organization's calls in these buckets, by group. A bucket or group without calls is left out. */
export async function readCounts(
  { db, organization }: Reader,
  buckets: readonly Bucket[],
  uncounted: Uncounted,
  { environment, groupBy, top }: CountQuery,
): Promise<Counted[]> {
  const statement = countStatement(groupBy, top?.most ?? 'calls');
  const values = [organization.id, environment, top?.count ?? null, ...partsOf(buckets, uncounted)];
  return execute<Counted>(db, statement, values);
}

/**
 * What statements read, as 15 values: four for `spansPart`, three each for `part`, and between which moments all single
 * calls are, so that the plan has only the partitions of their days.
 */
export function partsOf(buckets: readonly { from: Date; to: Date }[], uncounted: Uncounted): unknown[] {
  const { spans, hours, quarters, calls } = planReads(buckets, uncounted);
  const [bucket, ...moments] = columnsOf(spans);
  const all = [bucket, spans.map(({ hours }) => hours), ...moments, ...[hours, quarters, calls].flatMap(columnsOf)];
  const [first, last] = [calls.map(({ from }) => from), calls.map(({ to }) => to)];
  return [...all, first.length > 0 ? earliestOf(first) : NEVER, last.length > 0 ? latestOf(last) : NEVER];
}

function columnsOf(parts: readonly Part[]): unknown[] {
  return [
    parts.map(({ bucket }) => bucket),
    parts.map(({ from }) => from.toISOString()),
    parts.map(({ to }) => to.toISOString()),
  ];
}

/** The group of a roll-up or call as `usage_hours` names it. */
const NAMES: Record<Grouping, string> = {
  all: "''",
  key: 'coalesce(key_id, 0)::text',
  procedure: 'procedure',
  status: 'status::text',
};

const RANKS = { calls: 'sum(calls)', errors: 'sum(client_errors + server_errors)' };

export const spansPart = (first: number): string =>
  `unnest($${first}::integer[], $${first + 1}::smallint[], $${first + 2}::timestamptz[], $${first + 3}::timestamptz[])
     as part (bucket, hours, "from", "to")`;

export const part = (first: number): string =>
  `unnest($${first}::integer[], $${first + 1}::timestamptz[], $${first + 2}::timestamptz[]) as part (bucket, "from", "to")`;

const encoded = (bin: string, count: string): string =>
  `string_agg(int2send(${bin}) || int4send(least(${count}, 2147483647)::integer), ''::bytea)`;

function countStatement(groupBy: Grouping, most: keyof typeof RANKS): Statement {
  const name = NAMES[groupBy];
  const errors = `case when status between 400 and 499 then calls else 0 end as client_errors,
                  case when status >= 500 then calls else 0 end as server_errors`;
  return {
    text: `
      with spanned as (
        select bucket, name, calls, client_errors, server_errors, bytes_in, bytes_out, cost, latency
        from ${spansPart(4)}
        join usage_spans on organization_id = $1 and environment = $2 and grouped_by = '${groupBy}'
          and usage_spans.hours = part.hours and start >= part."from" and start < part."to"
      ),
      hourly as (
        select bucket, name, calls, client_errors, server_errors, bytes_in, bytes_out, cost, latency
        from ${part(8)}
        join usage_hours on organization_id = $1 and environment = $2 and grouped_by = '${groupBy}'
          and hour >= part."from" and hour < part."to"
      ),
      quarters as materialized (
        select bucket, ${name} as name, calls, ${errors}, bytes_in, bytes_out, cost, latency_bins, latency_counts
        from ${part(11)}
        join usage_rollups on organization_id = $1 and slot >= part."from" and slot < part."to"
        where (environment = 'test') = ($2 = 'test')
      ),
      quarter_bins as (
        select bucket, name, bin, sum(count) as count
        from quarters, unnest(latency_bins, latency_counts) as counted (bin, count) group by bucket, name, bin
      ),
      latencies as (
        select bucket, name, ${encoded('bin', 'count')} as latency from quarter_bins group by bucket, name
      ),
      quarterly as (
        select bucket, name, sum(calls), sum(client_errors), sum(server_errors), sum(bytes_in), sum(bytes_out), sum(cost)
        from quarters group by bucket, name
      ),
      single as (
        select bucket, ${name} as name, status, bytes_in, bytes_out, cost,
               ${binSql('latency_us')} as bin
        from ${part(14)}
        join usage_calls on organization_id = $1 and occurred_at >= part."from" and occurred_at < part."to"
          and occurred_at >= $17::timestamptz and occurred_at < $18::timestamptz
        where coalesce(environment = 'test', false) = ($2 = 'test')
      ),
      bins as (
        select bucket, name, bin, count(*) as calls, count(*) filter (where status between 400 and 499) as client_errors,
               count(*) filter (where status >= 500) as server_errors, sum(bytes_in) as bytes_in,
               sum(bytes_out) as bytes_out, sum(cost) as cost
        from single group by bucket, name, bin
      ),
      cells as materialized (
        select * from spanned
        union all
        select * from hourly
        union all
        select quarterly.*, latency from quarterly left join latencies using (bucket, name)
        union all
        select bucket, name, sum(calls), sum(client_errors), sum(server_errors), sum(bytes_in), sum(bytes_out), sum(cost),
               ${encoded('bin', 'calls')}
        from bins group by bucket, name
      ),
      first as (select name from cells group by name order by ${RANKS[most]} desc, name limit $3::integer)
      select bucket, first.name, sum(calls)::bigint as calls, sum(client_errors)::bigint as "clientErrors",
             sum(server_errors)::bigint as "serverErrors", sum(bytes_in)::bigint as "bytesIn",
             sum(bytes_out)::bigint as "bytesOut", sum(cost)::bigint as cost,
             coalesce(string_agg(latency, ''::bytea), '') as latency
      from cells left join first using (name)
      group by bucket, first.name
      order by bucket, first.name`,
  };
}

/** How many groups there are in all buckets together, counted up to $3. */
export function countGroupsStatement(groupBy: Grouping): Statement {
  const name = NAMES[groupBy];
  return {
    text: `
      select count(*) from (
        select bucket, name from ${spansPart(4)}
        join usage_spans on organization_id = $1 and environment = $2 and grouped_by = '${groupBy}'
          and usage_spans.hours = part.hours and start >= part."from" and start < part."to"
        union
        select bucket, name from ${part(8)}
        join usage_hours on organization_id = $1 and environment = $2 and grouped_by = '${groupBy}'
          and hour >= part."from" and hour < part."to"
        union
        select bucket, ${name} from ${part(11)}
        join usage_rollups on organization_id = $1 and slot >= part."from" and slot < part."to"
        where (environment = 'test') = ($2 = 'test')
        union
        select bucket, ${name} from ${part(14)}
        join usage_calls on organization_id = $1 and occurred_at >= part."from" and occurred_at < part."to"
          and occurred_at >= $17::timestamptz and occurred_at < $18::timestamptz
        where coalesce(environment = 'test', false) = ($2 = 'test')
        limit $3
      ) as groups`,
  };
}
