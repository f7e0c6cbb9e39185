import { execute } from '@rentapi/platform/database';
import { createQuantileReader } from '@rentapi/platform/latency-sketch';
import { type Cell, csvOf, ndjsonOf, type Table, xlsxOf } from '@rentapi/platform/table-files';
import { ApiError } from '../../../contract/errors.ts';
import type { ReportQuery } from '../schemas.ts';
import { type CalendarRange, calendarRange } from './range.ts';
import {
  type Counted,
  countGroupsStatement,
  findUncounted,
  type Grouping,
  partsOf,
  type Reader,
  readCounts,
} from './read-counts.ts';
import { errorNumbers, groupsOf, presentStart, SHARES, usageNumbers } from './series.ts';

/** A sheet of a workbook has room for few more. */
const MAX_ROWS = 1_000_000;
/** How many are read at once, if the next hours or days have as many groups as the last. */
const ROWS_AT_ONCE = 1000;
const MAX_BUCKETS_AT_ONCE = 500;
/** Each takes a few megabytes for as long as its reader likes. */
const MAX_OPEN = 20;
const RETRY_AFTER_S = 10;

/** A file as it is made: it needs the memory of some rows, however large it becomes. */
export interface Report {
  type: string;
  fileName: string;
  chunks: AsyncIterable<string | Uint8Array>;
}

const FORMATS: Record<ReportQuery['format'], { type: string; make: (table: Table) => Report['chunks'] }> = {
  csv: { type: 'text/csv; charset=utf-8; header=present', make: csvOf },
  ndjson: { type: 'application/x-ndjson; charset=utf-8', make: ndjsonOf },
  xlsx: { type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', make: xlsxOf },
};

let open = 0;

/** All groups in all hours or days of a range that have calls. Throws before anything is sent. */
export async function openReport(ctx: Reader, query: ReportQuery, maxRows = MAX_ROWS): Promise<Report> {
  const range = calendarRange(query, ctx.now);
  const groupBy = query.groupBy ?? 'all';
  const uncounted = await whileOpen(async () => {
    const uncounted = await findUncounted(ctx, range);
    await assertFits(ctx, range, query, uncounted, maxRows);
    return uncounted;
  });
  const { type, make } = FORMATS[query.format];
  const table = {
    columns: [...START, ...GROUP_COLUMNS[groupBy], ...NUMBERS],
    batches: rowsOf(ctx, range, query, uncounted),
  };
  return { type, fileName: `usage-${dateOf(range, 0)}.${query.format}`, chunks: limited(make(table)) };
}

type Uncounted = Awaited<ReturnType<typeof findUncounted>>;
type ReportOf = Pick<ReportQuery, 'environment'> & { groupBy?: Grouping | undefined };

async function assertFits(
  { db, organization }: Reader,
  { buckets }: CalendarRange,
  { environment, groupBy = 'all' }: ReportOf,
  uncounted: Uncounted,
  maxRows: number,
): Promise<void> {
  const values = [organization.id, environment, maxRows + 1, ...partsOf(buckets, uncounted)];
  const [found] = await execute<{ count: number }>(db, countGroupsStatement(groupBy), values);
  if (found!.count > maxRows) throw new ApiError('report_too_large');
}

/** On the clocks of the zone. */
const dateOf = (range: CalendarRange, at: number): string => presentStart(range, at).localStart.slice(0, 10);

function takeOne(): void {
  if (open >= MAX_OPEN) throw new ApiError('overloaded', { retryAfterS: RETRY_AFTER_S });
  open++;
}

/** Counting the rows of a report is most of its work, and is refused as well where too many are open. */
async function whileOpen<Result>(work: () => Promise<Result>): Promise<Result> {
  takeOne();
  return work().finally(() => open--);
}

/** Refuses a report too many when its reader begins, and counts it until its reader has it or has gone. */
async function* limited(chunks: Report['chunks']): Report['chunks'] {
  takeOne();
  try {
    yield* chunks;
  } finally {
    open--;
  }
}

const START = ['start', 'localStart'] as const;
const GROUP_COLUMNS: Record<Grouping, readonly string[]> = {
  all: [],
  key: ['keyId', 'keyName'],
  procedure: ['procedure'],
  status: ['status'],
};
const NUMBERS = [
  'requests',
  'errors',
  'clientErrors',
  'serverErrors',
  'errorRate',
  'bytesIn',
  'bytesOut',
  'cost',
  'p50Ms',
  'p95Ms',
  'p99Ms',
] as const;

/** By time; in each hour or day by group. */
async function* rowsOf(
  ctx: Reader,
  range: CalendarRange,
  { environment, groupBy = 'all' }: ReportOf,
  uncounted: Uncounted,
): AsyncGenerator<Cell[][]> {
  const { buckets } = range;
  const quantiles = createQuantileReader();
  for (let from = 0, take = 1; from < buckets.length; ) {
    const counts = await readCounts(ctx, buckets.slice(from, from + take), uncounted, { environment, groupBy });
    const cells = await groupCells(ctx, groupBy, counts);
    yield counts.map((counted) => [
      ...Object.values(presentStart(range, from + counted.bucket)),
      ...cells(counted.name ?? ''),
      ...numberCells(counted, quantiles),
    ]);
    from += take;
    take = Math.min(MAX_BUCKETS_AT_ONCE, Math.max(1, Math.floor((ROWS_AT_ONCE * take) / Math.max(1, counts.length))));
  }
}

async function groupCells(
  ctx: Reader,
  groupBy: Grouping,
  counts: readonly Counted[],
): Promise<(name: string) => Cell[]> {
  if (groupBy === 'all') return () => [];
  if (groupBy === 'status') return (name) => [Number(name)];
  if (groupBy === 'procedure') return (name) => [name];
  const groups = await groupsOf(ctx, groupBy, [...new Set(counts.map(({ name }) => name ?? ''))]);
  return (name) => {
    const group = groups.get(name);
    return [group?.id ?? null, group?.name ?? null];
  };
}

function numberCells(counted: Counted, quantiles: ReturnType<typeof createQuantileReader>): Cell[] {
  const numbers = {
    ...usageNumbers(counted, quantiles(counted.latency, ...SHARES)),
    ...errorNumbers(counted),
  };
  return NUMBERS.map((name) => numbers[name]);
}
