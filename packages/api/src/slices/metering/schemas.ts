import { z } from 'zod';
import { CreatedAt, Metadata, Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { INTERVAL, MAX_DAYS, TIME_RANGE, TIME_ZONE } from '../../contract/time-range.ts';

const Aggregation = z.enum(['count', 'sum', 'max', 'unique', 'latest']).meta({
  id: 'Aggregation',
  description:
    'What the events add up to: their number, the sum or the maximum of their values, how many different values there are, or the latest value.',
  example: 'sum',
});
export type Aggregation = z.output<typeof Aggregation>;

const MAX_SLUG = 64;
const Slug = z
  .string()
  .max(MAX_SLUG, { abort: true })
  .regex(
    /^[a-z0-9][a-z0-9_.-]*$/,
    'must be lower case letters, digits, `_`, `.` and `-`, and begin with a letter or digit',
  )
  .meta({ description: 'Names the meter in events.', example: 'tokens', minLength: 1 });
const Property = z
  .string()
  .trim()
  .min(1)
  .max(40)
  .meta({ description: 'The property of the events that is aggregated.', example: 'tokens' });

export const Meter = z
  .object({
    id: id('mtr'),
    slug: z.string().meta({ description: 'Names the meter in events.', example: 'tokens' }),
    name: z.string().meta({ description: 'A name that people read.', example: 'Tokens' }),
    aggregation: Aggregation,
    property: z
      .string()
      .nullable()
      .meta({ description: 'The property of the events that is aggregated; null for `value`.', example: 'tokens' }),
    archivedAt: Timestamp.nullable().meta({ description: 'Since when it takes no more events; null while it does.' }),
    createdAt: CreatedAt,
  })
  .meta({ id: 'Meter', description: 'Something that is measured of your customers, from the events that you send.' });
export type Meter = z.output<typeof Meter>;

export const exampleMeter: Meter = {
  id: exampleId('mtr'),
  slug: 'tokens',
  name: 'Tokens',
  aggregation: 'sum',
  property: 'tokens',
  archivedAt: null,
  createdAt: '2026-01-31T12:00:00.000Z',
};

export const CreateMeter = z
  .strictObject({
    slug: Slug,
    name: z.string().trim().min(1).max(80).meta({ description: 'A name that people read.', example: 'Tokens' }),
    aggregation: Aggregation,
    property: Property.nullish().meta({
      description:
        'The property of the events that is aggregated. `unique` needs one, `count` takes none; the others use `value` without one.',
      example: 'tokens',
    }),
  })
  .refine(({ aggregation, property }) => aggregation !== 'unique' || property, {
    path: ['property'],
    message: 'is needed: the property whose different values are counted',
  })
  .refine(({ aggregation, property }) => aggregation !== 'count' || !property, {
    path: ['property'],
    message: 'must be left out: `count` counts events, whatever they contain',
  })
  .meta({ id: 'CreateMeter', description: 'A new meter.' });
export type CreateMeter = z.output<typeof CreateMeter>;

export const MeterId = z.strictObject({ meterId: id('mtr') });

export const ListMeters = pageInput({});
export type ListMeters = z.output<typeof ListMeters>;
export const MeterPage = page('MeterPage', Meter);
export type MeterPage = z.output<typeof MeterPage>;

const MAX_ID = 255;
const ExternalId = z
  .string()
  .min(1)
  .max(MAX_ID)
  .meta({ description: 'Who used it, in your own words: a customer, an account.', example: 'customer-42' });

const UsageEvent = z
  .strictObject({
    transactionId: z.string().min(1).max(MAX_ID).meta({
      description: 'Your own id of the event: the same event is counted once, however often it is sent.',
      example: 'req-8f14e45f',
    }),
    meter: z.string().min(1).max(MAX_SLUG).meta({ description: "The meter's slug.", example: 'tokens' }),
    value: z.number().optional().meta({
      description:
        'What is aggregated by a sum, max or latest meter without a property, 0 to 1,000,000,000,000; others ignore it. Kept to 18 decimals.',
      example: 1200,
    }),
    externalId: ExternalId.optional(),
    keyId: id('key').optional().meta({ description: 'The API key with which it was used: one of the organization.' }),
    timestamp: TimestampInput.optional().meta({
      description: 'When it was used: within the last 24 hours, now if left out.',
    }),
    properties: Metadata.optional().meta({
      description: 'The property that the meter aggregates; others are not kept.',
    }),
  })
  .meta({ id: 'UsageEvent', description: 'That something was used.' });
export type UsageEvent = z.output<typeof UsageEvent>;

export const MAX_EVENTS = 1000;
export const IngestUsage = z
  .strictObject({
    events: z
      .array(UsageEvent)
      .min(1)
      .max(MAX_EVENTS)
      .meta({ description: `At most ${MAX_EVENTS}. One that is refused refuses all.` }),
  })
  .meta({ id: 'IngestUsage', description: 'A batch of events.' });
export type IngestUsage = z.output<typeof IngestUsage>;

export const IngestedUsage = z
  .object({
    accepted: z.int().meta({ description: 'How many events were written.', example: 2 }),
    duplicates: z
      .int()
      .meta({ description: 'How many had been written before, or stood in the batch twice.', example: 0 }),
  })
  .meta({ id: 'IngestedUsage', description: 'What became of a batch. It is stored when this is answered.' });
export type IngestedUsage = z.output<typeof IngestedUsage>;

export const ReadMeter = MeterId.extend({
  from: TIME_RANGE.from
    .optional()
    .meta({ description: 'From this moment on. Required.', example: '2026-01-31T00:00:00Z' }),
  to: TIME_RANGE.to.optional().meta({
    description: `Up to this moment, which is not included; now if left out. At most ${MAX_DAYS.day} days later, with \`interval=hour\` ${MAX_DAYS.hour}.`,
  }),
  interval: INTERVAL.optional(),
  timeZone: TIME_ZONE.default('UTC'),
  keyId: id('key').optional().meta({ description: 'Only what was used with this key.' }),
  externalId: ExternalId.optional().meta({ description: 'Only what this customer of yours used.' }),
  environment: z
    .enum(['live', 'test'])
    .default('live')
    .meta({ description: 'What was sent with keys of this environment; `live` has what users sent, too.' }),
  groupBy: z
    .enum(['key', 'externalId'])
    .optional()
    .meta({ description: 'One value for each key or customer that used something.' }),
});
export type ReadMeter = z.output<typeof ReadMeter>;

const MeterValue = z
  .object({
    from: Timestamp.meta({ description: 'From this moment on.' }),
    to: Timestamp.meta({ description: 'Up to this moment, which is not included.' }),
    keyId: id('key').nullable().meta({ description: 'With `groupBy=key`: the key; null for events without one.' }),
    externalId: z
      .string()
      .nullable()
      .meta({ description: 'With `groupBy=externalId`: the customer; null for events without one.' }),
    value: z
      .number()
      .nullable()
      .meta({ description: 'Null for the maximum and the latest value of no events.', example: 1200 }),
  })
  .meta({ id: 'MeterValue', description: 'What a meter shows for a part of a range.' });

export const MAX_VALUES = 2000;
export const MeterValues = z
  .object({
    items: z.array(MeterValue).meta({
      description:
        'In the order of time. Without groups, parts without events are there too; with groups, the largest first.',
    }),
    complete: z.boolean().meta({
      description: `False where there are more than ${MAX_VALUES} values: ask for a shorter range, or for one key or customer.`,
    }),
  })
  .meta({ id: 'MeterValues', description: 'What a meter shows.' });
export type MeterValues = z.output<typeof MeterValues>;
