import { z } from 'zod';
import { Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { PLAN_CODES } from '../../contract/plans.ts';
import { INTERVAL, MAX_DAYS, TIME_RANGE, TIME_ZONE } from '../../contract/time-range.ts';

const optional = { from: TIME_RANGE.from.optional(), to: TIME_RANGE.to.optional() };

export const GetKeyUsage = z.strictObject({
  keyId: id('key'),
  from: optional.from.meta({
    description: `The beginning, to a quarter of an hour; 30 days before \`to\` if left out, or 24 hours with \`interval=hour\`.`,
  }),
  to: optional.to.meta({
    description: `The end, to a quarter of an hour; now if left out. At most ${MAX_DAYS.day} days after \`from\`, with \`interval=hour\` ${MAX_DAYS.hour}.`,
  }),
  interval: INTERVAL.default('day').meta({ description: 'How long each part of the series is.' }),
  timeZone: TIME_ZONE.default('UTC'),
});
export type GetKeyUsage = z.output<typeof GetKeyUsage>;

const counts = {
  calls: z.int().meta({ description: 'How many calls there were.', example: 1250 }),
  errors: z.int().meta({ description: 'How many of them had a status of 400 and above.', example: 12 }),
  bytesIn: z.int().meta({ description: 'Bytes of the bodies of requests.', example: 40_960 }),
  bytesOut: z.int().meta({ description: 'Bytes of the answers, with their headers.', example: 1_048_576 }),
  cost: z.int().meta({ description: 'Credits that the calls have spent.', example: 0 }),
};

export const UsageCounts = z.object(counts).meta({ id: 'UsageCounts', description: 'What is counted of some calls.' });
export type UsageCounts = z.output<typeof UsageCounts>;

const range = {
  from: Timestamp.meta({ description: 'From when on calls are counted.' }),
  to: Timestamp.meta({ description: 'Until when.' }),
};

const UsagePart = z
  .object({
    at: Timestamp.meta({ description: 'When this part began; the first one begins with the range.' }),
    ...counts,
  })
  .meta({ id: 'UsagePart', description: 'The calls of an hour or a day.' });

export const KeyUsage = z
  .object({
    keyId: id('key'),
    ...range,
    interval: INTERVAL.meta({ description: 'How long each part is.' }),
    timeZone: TIME_ZONE,
    total: UsageCounts,
    series: z
      .array(UsagePart)
      .meta({ description: 'Each hour or day of the time zone, the earliest first; also those without calls.' }),
  })
  .meta({ id: 'KeyUsage', description: 'The calls that were made with an API key, over time.' });
export type KeyUsage = z.output<typeof KeyUsage>;

export const GetOrganizationUsage = z.strictObject({
  orgId: id('org'),
  from: optional.from.meta({
    description: 'The beginning, to a quarter of an hour; that of the month of `to`, in UTC, if left out.',
  }),
  to: optional.to.meta({
    description: `The end, to a quarter of an hour; now if left out. At most ${MAX_DAYS.day} days after \`from\`.`,
  }),
});
export type GetOrganizationUsage = z.output<typeof GetOrganizationUsage>;

const PlanLimit = z
  .object({
    name: z.string().meta({ description: 'Which limit, as in `RateLimit`.', example: 'plan-day' }),
    limit: z.int().meta({ description: 'Calls with live keys in one window.', example: 1000 }),
    windowS: z.int().meta({ description: 'How long a window is, in seconds.', example: 86_400 }),
    calls: z.int().meta({
      description: 'Calls with live keys in the last window, by quarters of an hour.',
      example: 250,
    }),
  })
  .meta({ id: 'PlanLimitUsage', description: 'How much of a limit of the plan was used.' });

export const OrganizationUsage = z
  .object({
    organizationId: id('org'),
    ...range,
    live: UsageCounts.meta({ description: 'Calls with keys of the environment `live`.' }),
    test: UsageCounts.meta({ description: 'Calls with keys of the environment `test`.' }),
    withoutKey: UsageCounts.meta({ description: 'Calls of signed-in users.' }),
    plan: z.enum(PLAN_CODES).meta({ description: "The organization's plan.", example: 'FREE' }),
    limits: z.array(PlanLimit).meta({ description: 'The limits of the plan that count calls, and what was used.' }),
  })
  .meta({ id: 'OrganizationUsage', description: 'The calls in an organization, and the limits of its plan.' });
export type OrganizationUsage = z.output<typeof OrganizationUsage>;

const exampleCounts: UsageCounts = { calls: 1250, errors: 12, bytesIn: 40_960, bytesOut: 1_048_576, cost: 0 };
const none: UsageCounts = { calls: 0, errors: 0, bytesIn: 0, bytesOut: 0, cost: 0 };

export const exampleKeyUsage: KeyUsage = {
  keyId: exampleId('key'),
  from: '2026-01-30T11:00:00.000Z',
  to: '2026-01-31T12:00:00.000Z',
  interval: 'day',
  timeZone: 'Europe/Berlin',
  total: exampleCounts,
  series: [
    { at: '2026-01-30T11:00:00.000Z', ...exampleCounts },
    { at: '2026-01-30T23:00:00.000Z', ...none },
  ],
};

export const exampleOrganizationUsage: OrganizationUsage = {
  organizationId: exampleId('org'),
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-01-31T12:00:00.000Z',
  live: exampleCounts,
  test: none,
  withoutKey: none,
  plan: 'FREE',
  limits: [
    { name: 'plan-hour', limit: 100, windowS: 3600, calls: 20 },
    { name: 'plan-day', limit: 1000, windowS: 86_400, calls: 250 },
  ],
};
