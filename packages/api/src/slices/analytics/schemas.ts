import { z } from 'zod';
import { Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { exampleId } from '../../contract/ids.ts';

export const Environment = z
  .enum(['live', 'test'])
  .default('live')
  .meta({ description: 'Calls with keys of this environment; `live`, the default, includes calls without a key.' });

/** What is counted of some calls, and how long they took. */
const Counted = {
  requests: z.int().meta({ description: 'How many calls there were.', example: 1250 }),
  errors: z.int().meta({ description: 'How many of them had a status of 400 and above.', example: 25 }),
};

const latency = (share: string) =>
  z
    .number()
    .nullable()
    .meta({
      description: `Of all calls, ${share} took at most as many milliseconds; null without calls.`,
      example: 12.4,
    });

const P50 = latency('half');
const P95 = latency('95 %');
const P99 = latency('99 %');

export const GetRealTime = z.strictObject({
  minutes: z
    .int()
    .min(1)
    .max(60)
    .default(60)
    .meta({ description: 'How many of the last minutes `minutes` has, at most 60.', example: 5 }),
  environment: Environment,
});
export type GetRealTime = z.output<typeof GetRealTime>;

const LiveNumbers = {
  at: Timestamp.meta({ description: 'When these numbers were read.' }),
  ...Counted,
  p50Ms: P50,
  p95Ms: P95,
};

export const RealTimeAnalytics = z
  .object({
    ...LiveNumbers,
    minutes: z
      .array(
        z
          .object({ ...LiveNumbers, at: Timestamp.meta({ description: 'When the minute began.' }) })
          .meta({ id: 'AnalyticsMinute', description: 'A minute of the clock.' }),
      )
      .meta({ description: 'The last minutes, oldest first; the last one is not over yet.' }),
  })
  .meta({
    id: 'RealTimeAnalytics',
    description: 'The calls of the last 60 seconds, and of the last minutes one by one.',
  });
export type RealTimeAnalytics = z.output<typeof RealTimeAnalytics>;

/** What the socket of live numbers sends. */
export const AnalyticsMessage = z.object({ type: z.literal('analytics'), ...LiveNumbers }).meta({
  id: 'AnalyticsMessage',
  description: 'The calls of the last 60 seconds.',
  example: {
    type: 'analytics',
    at: '2026-01-31T12:00:42.000Z',
    requests: 1250,
    errors: 25,
    p50Ms: 12.4,
    p95Ms: 80.1,
  },
});

export const exampleRealTime: RealTimeAnalytics = {
  at: '2026-01-31T12:00:42.000Z',
  requests: 1250,
  errors: 25,
  p50Ms: 12.4,
  p95Ms: 80.1,
  minutes: [{ at: '2026-01-31T12:00:00.000Z', requests: 870, errors: 20, p50Ms: 12.6, p95Ms: 82.5 }],
};

const range = {
  from: TimestampInput.optional().meta({
    description: 'From this moment on; it is rounded down to the start of its hour or day. Required.',
    example: '2026-01-01T00:00:00Z',
  }),
  to: TimestampInput.optional().meta({
    description:
      'Up to this moment, rounded up to the end of its hour or day; now by default. At most 400 days after `from`.',
    example: '2026-01-08T00:00:00Z',
  }),
  interval: z
    .enum(['hour', 'day'])
    .default('day')
    .meta({ description: 'Whether a point is an hour or a day of the time zone. At most 1,000 points are answered.' }),
  timeZone: z
    .string()
    .min(1)
    .max(64)
    .default('UTC')
    .meta({ description: 'The IANA name of a time zone, whose hours and days are used.', example: 'Europe/Berlin' }),
  groupBy: z
    .enum(['key', 'procedure', 'status'])
    .optional()
    .meta({ description: 'One series for each key, procedure or status, instead of one for all calls.' }),
  environment: Environment,
};

export const AnalyticsQuery = z.strictObject(range);
export type AnalyticsQuery = z.output<typeof AnalyticsQuery>;

export const ReportQuery = AnalyticsQuery.extend({
  format: z.enum(['csv', 'ndjson', 'xlsx']).default('csv').meta({
    description: 'Comma-separated values with a heading, one JSON object for each line, or a workbook.',
  }),
});
export type ReportQuery = z.output<typeof ReportQuery>;

/** Which calls a series is about. */
const group = {
  of: z.enum(['all', 'key', 'no_key', 'procedure', 'status', 'other']).meta({
    description:
      'What the calls have in common: one key, no key, one procedure or one status. `other` are all groups after the first ten.',
    example: 'key',
  }),
  id: z
    .string()
    .nullable()
    .meta({
      description: 'The id of the key, the procedure, or the status; null otherwise.',
      example: exampleId('key'),
    }),
  name: z.string().nullable().meta({ description: 'The name of the key; null otherwise.', example: 'CI' }),
};
export type Group = z.output<z.ZodObject<typeof group>>;

const share = (of: string) =>
  z
    .number()
    .min(0)
    .max(1)
    .meta({ description: `${of}, as a share of all calls: from 0 to 1.`, example: 0.02 });

const usageNumbers = {
  ...Counted,
  errorRate: share('Errors'),
  bytesIn: z.int().meta({ description: 'Bytes of request bodies.', example: 48_000 }),
  bytesOut: z.int().meta({ description: 'Bytes of answers.', example: 910_000 }),
  cost: z.int().meta({ description: 'Credits that the calls have spent.', example: 0 }),
  p50Ms: P50,
  p95Ms: P95,
  p99Ms: P99,
};
export type UsageNumbers = z.output<z.ZodObject<typeof usageNumbers>>;

const errorNumbers = {
  requests: Counted.requests,
  clientErrors: z.int().meta({ description: 'How many had a status of 400 to 499.', example: 20 }),
  serverErrors: z.int().meta({ description: 'How many had a status of 500 and above.', example: 5 }),
  errorRate: share('Errors of both kinds'),
  clientErrorRate: share('Errors with a status of 400 to 499'),
  serverErrorRate: share('Errors with a status of 500 and above'),
};
export type ErrorNumbers = z.output<z.ZodObject<typeof errorNumbers>>;

/** An answer of series, whose points and totals have these numbers. */
function analytics<Numbers extends z.ZodRawShape>(name: string, description: string, numbers: Numbers) {
  const Total = z.object(numbers).meta({ id: `${name}Total`, description: 'What the calls of a range are together.' });
  const Point = z
    .object({
      start: Timestamp.meta({ description: 'When the hour or day begins.' }),
      localStart: z.string().meta({
        description: 'The same on the clocks of the time zone, with its offset from UTC.',
        example: '2026-01-31T13:00:00+01:00',
      }),
      ...numbers,
    })
    .meta({ id: `${name}Point`, description: 'The calls of an hour or day.' });
  const Series = z
    .object({
      ...group,
      total: Total.meta({ description: 'Of the whole series.' }),
      points: z.array(Point).meta({ description: 'One for each hour or day, oldest first, also without calls.' }),
    })
    .meta({ id: `${name}Series`, description: 'The calls of one group.' });
  return z
    .object({
      from: Timestamp.meta({ description: 'Where the first hour or day begins.' }),
      to: Timestamp.meta({ description: 'Where the last hour or day ends.' }),
      interval: z.enum(['hour', 'day']).meta({ description: 'What a point is.' }),
      timeZone: z.string().meta({ description: 'Whose hours and days.', example: 'Europe/Berlin' }),
      environment: z.enum(['live', 'test']).meta({ description: 'Of which keys.' }),
      groupBy: z.enum(['key', 'procedure', 'status']).nullable().meta({ description: 'What a series is about.' }),
      completeUntil: Timestamp.nullable().meta({
        description: 'From then on calls may be missing, because counting is behind; null where none are.',
      }),
      total: Total.meta({ description: 'Of all series.' }),
      series: z.array(Series).meta({ description: 'The largest first; a group without calls has none.' }),
    })
    .meta({ id: name, description });
}

export const UsageAnalytics = analytics('UsageAnalytics', 'Calls over time, and how long they took.', usageNumbers);
export type UsageAnalytics = z.output<typeof UsageAnalytics>;

export const ErrorAnalytics = analytics('ErrorAnalytics', 'Failed calls over time.', errorNumbers);
export type ErrorAnalytics = z.output<typeof ErrorAnalytics>;

export const exampleQuery = {
  from: '2026-01-30T23:00:00Z',
  to: '2026-01-31T23:00:00Z',
  interval: 'day',
  timeZone: 'Europe/Berlin',
  groupBy: 'key',
  environment: 'live',
};

const exampleRange = {
  from: '2026-01-30T23:00:00.000Z',
  to: '2026-01-31T23:00:00.000Z',
  interval: 'day',
  timeZone: 'Europe/Berlin',
  environment: 'live',
  groupBy: 'key',
  completeUntil: null,
} as const;
const exampleGroup = { of: 'key', id: exampleId('key'), name: 'CI' } as const;
const exampleStart = { start: '2026-01-30T23:00:00.000Z', localStart: '2026-01-31T00:00:00+01:00' };
const exampleUsageNumbers: UsageNumbers = {
  requests: 1250,
  errors: 25,
  errorRate: 0.02,
  bytesIn: 48_000,
  bytesOut: 910_000,
  cost: 0,
  p50Ms: 12.4,
  p95Ms: 80.1,
  p99Ms: 140.6,
};
const exampleErrorNumbers: ErrorNumbers = {
  requests: 1250,
  clientErrors: 20,
  serverErrors: 5,
  errorRate: 0.02,
  clientErrorRate: 0.016,
  serverErrorRate: 0.004,
};

export const exampleUsage: UsageAnalytics = {
  ...exampleRange,
  total: exampleUsageNumbers,
  series: [{ ...exampleGroup, total: exampleUsageNumbers, points: [{ ...exampleStart, ...exampleUsageNumbers }] }],
};
export const exampleErrors: ErrorAnalytics = {
  ...exampleRange,
  total: exampleErrorNumbers,
  series: [{ ...exampleGroup, total: exampleErrorNumbers, points: [{ ...exampleStart, ...exampleErrorNumbers }] }],
};
