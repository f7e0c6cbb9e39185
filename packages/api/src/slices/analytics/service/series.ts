import { localIso } from '@rentapi/platform/calendar';
import { execute, type Statement } from '@rentapi/platform/database';
import { LatencySketch } from '@rentapi/platform/latency-sketch';
import { iso, isoOrNull } from '../../../contract/common-schemas.ts';
import type { AnalyticsQuery, ErrorNumbers, Group, UsageNumbers } from '../schemas.ts';
import { assertFewPoints, type CalendarRange, calendarRange } from './range.ts';
import { type Counted, type CountQuery, findUncounted, type Grouping, type Reader, readCounts } from './read-counts.ts';

/** Each answered by itself; the others are one series together. */
const MAX_GROUPS = 10;

/** Sums of calls, which are added up. */
export class Sum {
  calls = 0;
  clientErrors = 0;
  serverErrors = 0;
  bytesIn = 0;
  bytesOut = 0;
  cost = 0;
  readonly latency = new LatencySketch();

  add(counted: Omit<Counted, 'bucket' | 'name'>): void {
    this.calls += counted.calls;
    this.clientErrors += counted.clientErrors;
    this.serverErrors += counted.serverErrors;
    this.bytesIn += counted.bytesIn;
    this.bytesOut += counted.bytesOut;
    this.cost += counted.cost;
    this.latency.addEncoded(counted.latency);
  }

  merge(other: Sum): void {
    this.calls += other.calls;
    this.clientErrors += other.clientErrors;
    this.serverErrors += other.serverErrors;
    this.bytesIn += other.bytesIn;
    this.bytesOut += other.bytesOut;
    this.cost += other.cost;
    this.latency.merge(other.latency);
  }
}

/** The shares of calls whose latencies are answered. */
export const SHARES = [0.5, 0.95, 0.99] as const;

type Sums = Omit<Counted, 'bucket' | 'name' | 'latency'>;

export function usageNumbers(
  { calls, clientErrors, serverErrors, bytesIn, bytesOut, cost }: Sums,
  [p50Ms, p95Ms, p99Ms]: readonly [number | null, number | null, number | null],
): UsageNumbers {
  const errors = clientErrors + serverErrors;
  return { requests: calls, errors, errorRate: rate(errors, calls), bytesIn, bytesOut, cost, p50Ms, p95Ms, p99Ms };
}

export function errorNumbers({ calls, clientErrors, serverErrors }: Sums): ErrorNumbers {
  return {
    requests: calls,
    clientErrors,
    serverErrors,
    errorRate: rate(clientErrors + serverErrors, calls),
    clientErrorRate: rate(clientErrors, calls),
    serverErrorRate: rate(serverErrors, calls),
  };
}

/** A share to six places. */
const rate = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 1e6) / 1e6);

/** The calls of a range as series of points, the largest group first, and what all of them are together. */
export async function readSeries<Numbers extends object>(
  ctx: Reader,
  query: AnalyticsQuery,
  most: 'calls' | 'errors',
  numbersOf: (sum: Sum) => Numbers,
) {
  const range = calendarRange(query, ctx.now);
  assertFewPoints(range);
  const { completeUntil, ...uncounted } = await findUncounted(ctx, range);
  const groupBy = query.groupBy ?? 'all';
  const asked: CountQuery = { environment: query.environment, groupBy, top: { most, count: MAX_GROUPS } };
  const counts = await readCounts(ctx, range.buckets, uncounted, asked);
  const groups = await groupsOf(ctx, groupBy, namesIn(counts));
  const series = seriesOf(range, counts, most);
  const all = new Sum();
  for (const { total } of series) all.merge(total);
  return {
    ...presentRange(range),
    environment: query.environment,
    groupBy: query.groupBy ?? null,
    completeUntil: isoOrNull(completeUntil),
    total: numbersOf(all),
    series: series.map(({ name, total, points }) => ({
      ...(name === null ? OTHER : groups.get(name)!),
      total: numbersOf(total),
      points: points.map(({ at, sum }) => ({ ...presentStart(range, at), ...numbersOf(sum) })),
    })),
  };
}

interface Series {
  name: string | null;
  total: Sum;
  points: { at: number; sum: Sum }[];
}

/** Without calls there is no series; each has a point for every bucket. */
function seriesOf({ buckets }: CalendarRange, counts: readonly Counted[], most: 'calls' | 'errors'): Series[] {
  const found = new Map<string | null, Series>();
  for (const counted of counts) {
    let series = found.get(counted.name);
    if (!series) {
      series = { name: counted.name, total: new Sum(), points: buckets.map((_, at) => ({ at, sum: new Sum() })) };
      found.set(counted.name, series);
    }
    series.points[counted.bucket]!.sum.add(counted);
  }
  // Sketches that are merged already have few bins.
  for (const { total, points } of found.values()) for (const { sum } of points) total.merge(sum);
  const rank = ({ total }: Series) => (most === 'calls' ? total.calls : total.clientErrors + total.serverErrors);
  const isOther = ({ name }: Series) => Number(name === null);
  return [...found.values()].sort((a, b) => isOther(a) - isOther(b) || rank(b) - rank(a));
}

const namesIn = (counts: readonly Counted[]): string[] => [
  ...new Set(counts.flatMap(({ name }) => (name === null ? [] : [name]))),
];

const OTHER: Group = { of: 'other', id: null, name: null };

/** What the groups of `usage_hours` are called outside. */
export async function groupsOf(ctx: Reader, groupBy: Grouping, names: readonly string[]): Promise<Map<string, Group>> {
  if (groupBy === 'all') return new Map([['', { of: 'all', id: null, name: null }]]);
  if (groupBy !== 'key') return new Map(names.map((name) => [name, { of: groupBy, id: name, name: null }]));
  const ids = names.filter((name) => name !== NO_KEY).map(Number);
  const rows = await execute<{ id: number; name: string }>(ctx.db, KEY_NAMES, [ctx.organization.id, ids]);
  const keyNames = new Map(rows.map(({ id, name }) => [id, name]));
  return new Map(
    names.map((name): [string, Group] => {
      if (name === NO_KEY) return [name, { of: 'no_key', id: null, name: null }];
      const id = Number(name);
      return [name, { of: 'key', id: ctx.ids.encode('key', id), name: keyNames.get(id) ?? null }];
    }),
  );
}

const NO_KEY = '0';
const KEY_NAMES: Statement = {
  text: 'select id, name from api_keys where organization_id = $1 and id = any($2::bigint[])',
};

const presentRange = ({ from, to, interval, timeZone }: CalendarRange) => ({
  from: iso(from),
  to: iso(to),
  interval,
  timeZone,
});

export function presentStart({ buckets }: CalendarRange, at: number): { start: string; localStart: string } {
  const { from, offsetMs } = buckets[at]!;
  return { start: iso(from), localStart: localIso(from, offsetMs) };
}
