import { execute, type Statement } from '@rentapi/platform/database';
import type { CallEnvironment } from '../../../pipeline/recent-calls.ts';
import type { Uncounted } from './plan-reads.ts';
import { part, partsOf, type Reader, spansPart } from './read-counts.ts';

/** Calls that are summed, as the sums name them. */
export interface SummedGroup {
  environment: CallEnvironment;
  groupBy: 'all' | 'key' | 'procedure';
  name: string;
}

export const allCalls = (environment: CallEnvironment): SummedGroup => ({ environment, groupBy: 'all', name: '' });
export const callsWithKey = (environment: CallEnvironment, keyId: number): SummedGroup => ({
  environment,
  groupBy: 'key',
  name: String(keyId),
});
/** Which sums count as live ones. */
export const WITHOUT_KEY = callsWithKey('live', 0);
/** Verifications, which are counted for the verified key. */
export const LIVE_VERIFICATIONS: SummedGroup = { environment: 'live', groupBy: 'procedure', name: 'verify' };

/** What is counted of a group in a bucket. */
export interface CallSums {
  calls: number;
  errors: number;
  bytesIn: number;
  bytesOut: number;
  cost: number;
}

/** How many of the latest quarters of an hour are summed from single calls, if roll-ups are behind: those of a day. */
export const MAX_SUMMED_SLOTS = 96;

/** The values of `sumsSql`. */
export function valuesOf(
  groups: readonly SummedGroup[],
  buckets: readonly { from: Date; to: Date }[],
  uncounted: Uncounted,
): unknown[] {
  return [
    groups.map(({ environment }) => environment),
    groups.map(({ groupBy }) => groupBy),
    groups.map(({ name }) => name),
    ...partsOf(buckets, uncounted),
  ];
}

const SUMS = `sum(calls)::bigint as calls, sum(errors)::bigint as errors, sum(bytes_in)::bigint as "bytesIn",
  sum(bytes_out)::bigint as "bytesOut", sum(cost)::bigint as cost`;

/**
 * The sums of each group in each bucket, by their numbers. Each row is found by its whole key, so that the other keys,
 * procedures and organizations cost nothing. `values` is the number of the first of `valuesOf`.
 */
export function sumsSql(organizationId: string, values: number): string {
  const stored = 'calls, client_errors + server_errors as errors, bytes_in, bytes_out, cost';
  const isGroup = 'environment = wanted.environment and grouped_by = wanted.grouped_by and name = wanted.name';
  const keyId = "case wanted.grouped_by when 'key' then wanted.name::bigint end";
  const isEnvironment = `(wanted.environment = 'test') = (environment is not distinct from 'test')`;
  const each = (length: string): string => `generate_series(part."from", part."to" - ${length}, ${length}) as at`;
  return `
    with wanted as (
      select * from unnest($${values}::text[], $${values + 1}::text[], $${values + 2}::text[])
        with ordinality as wanted (environment, grouped_by, name, nth)
    ),
    counted as (
      select nth, bucket, found.* from wanted, ${spansPart(values + 3)}, ${each("part.hours * interval '1 hour'")},
        lateral (select ${stored} from usage_spans
          where organization_id = ${organizationId} and hours = part.hours and start = at and ${isGroup} offset 0) as found
      union all
      select nth, bucket, found.* from wanted, ${part(values + 7)}, ${each("interval '1 hour'")},
        lateral (select ${stored} from usage_hours
          where organization_id = ${organizationId} and hour = at and ${isGroup} offset 0) as found
      union all
      select nth, bucket, found.* from wanted, ${part(values + 10)}, ${each("interval '15 minutes'")},
        lateral (select calls, errors, bytes_in, bytes_out, cost from usage_rollups
          where organization_id = ${organizationId} and slot = at and ${isEnvironment} and wanted.grouped_by <> 'key'
            and (wanted.grouped_by = 'all' or procedure = wanted.name)
          union all
          select calls, errors, bytes_in, bytes_out, cost from usage_rollups
          where organization_id = ${organizationId} and slot = at and ${isEnvironment} and key_id = ${keyId}) as found
      union all
      select nth, bucket, found.* from wanted, ${part(values + 13)},
        lateral (select 1 as calls, case when status >= 400 then 1 else 0 end as errors, bytes_in, bytes_out, cost
          from usage_calls
          where organization_id = ${organizationId} and occurred_at >= part."from" and occurred_at < part."to"
            and occurred_at >= $${values + 16}::timestamptz and occurred_at < $${values + 17}::timestamptz
            and ${isEnvironment}
            and case wanted.grouped_by when 'key' then coalesce(key_id, 0) = ${keyId}
                                       when 'procedure' then procedure = wanted.name else true end) as found
    )
    select (nth - 1)::integer as "group", bucket, ${SUMS} from counted group by nth, bucket`;
}

const OF_ORGANIZATION: Statement = { text: sumsSql('$1', 2) };

/** What each group was in each bucket, by their numbers. A group without calls in a bucket is left out. */
export function readSums(
  { db, organization }: Pick<Reader, 'db' | 'organization'>,
  groups: readonly SummedGroup[],
  buckets: readonly { from: Date; to: Date }[],
  uncounted: Uncounted,
): Promise<(CallSums & { group: number; bucket: number })[]> {
  return execute(db, OF_ORGANIZATION, [organization.id, ...valuesOf(groups, buckets, uncounted)]);
}
