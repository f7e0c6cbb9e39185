import { NoContent } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import {
  CreateMeter,
  exampleMeter,
  IngestedUsage,
  IngestUsage,
  ListMeters,
  Meter,
  MeterId,
  MeterPage,
  MeterValues,
  ReadMeter,
} from './schemas.ts';
import { ingestUsage } from './service/ingest.ts';
import { archiveMeter, createMeter, listMeters } from './service/meters.ts';
import { readMeter } from './service/values.ts';

const tags: [Tag] = ['Metering'];

const meterId = exampleMeter.id;

/** Part of `usage`. */
export const meters = router({
  list: procedure({
    access: 'analytics:read',
    openapi: {
      method: 'GET',
      path: '/usage/meters',
      tags,
      summary: 'List meters',
      description: 'Newest first, archived ones too.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleMeter], nextCursor: null } },
  })
    .input(ListMeters)
    .output(MeterPage)
    .query(({ ctx, input }) => listMeters(ctx, input)),

  create: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'POST',
      path: '/usage/meters',
      tags,
      summary: 'Create a meter',
      description: 'It cannot be changed: what it has counted would mean something else.',
    },
    rest: { status: 201 },
    errors: ['meter_slug_taken', 'limit_reached'],
    example: {
      input: { slug: 'tokens', name: 'Tokens', aggregation: 'sum', property: 'tokens' },
      output: exampleMeter,
    },
  })
    .input(CreateMeter)
    .output(Meter)
    .mutation(({ ctx, input }) => createMeter(ctx, input)),

  values: procedure({
    access: 'analytics:read',
    openapi: {
      method: 'GET',
      path: '/usage/meters/{meterId}/values',
      tags,
      summary: 'Read a meter',
      description:
        'What it shows for a range of time, for each hour or day of it, for each key or customer. Values are exact, and include every event that was answered. Events may arrive for 24 hours, so the values of the last day can still change.',
    },
    errors: ['unknown_time_zone', 'time_range_unbounded', 'time_range_reversed', 'time_range_too_long'],
    example: {
      input: { meterId, from: '2026-01-31T00:00:00Z', to: '2026-02-01T00:00:00Z', groupBy: 'externalId' },
      output: {
        items: [
          {
            from: '2026-01-31T00:00:00.000Z',
            to: '2026-02-01T00:00:00.000Z',
            keyId: null,
            externalId: 'customer-42',
            value: 1200,
          },
        ],
        complete: true,
      },
    },
  })
    .input(ReadMeter)
    .output(MeterValues)
    .query(({ ctx, input }) => readMeter(ctx, input)),

  archive: procedure({
    access: 'billing:manage',
    openapi: {
      method: 'DELETE',
      path: '/usage/meters/{meterId}',
      tags,
      summary: 'Archive a meter',
      description: 'It takes no more events. Its values can still be read, and it keeps its slug.',
    },
    rest: { status: 204 },
    example: { input: { meterId } },
  })
    .input(MeterId)
    .output(NoContent)
    .mutation(({ ctx, input }) => archiveMeter(ctx, input.meterId)),
});

/** Part of `usage`. */
export const ingest = procedure({
  access: 'usage:write',
  openapi: {
    method: 'POST',
    path: '/usage/events',
    tags,
    summary: 'Send usage events',
    description:
      'All events of a batch are written, or none. Answered when they are stored: repeat a batch whose answer was lost, and each event is still counted once. A transaction id is known for 35 days. What a key of environment `test` sends is counted apart.',
  },
  rest: { status: 202 },
  idempotency: false,
  repeatable: true,
  audit: { none: 'the events themselves are kept' },
  errors: [
    'unknown_meter',
    'meter_archived',
    'transaction_id_reused',
    'usage_in_future',
    'usage_too_late',
    'usage_property_missing',
    'usage_value_missing',
    'usage_value_not_a_number',
    'usage_value_negative',
    'usage_value_too_large',
  ],
  example: {
    input: {
      events: [
        { transactionId: 'req-8f14e45f', meter: 'tokens', externalId: 'customer-42', properties: { tokens: 1200 } },
      ],
    },
    output: { accepted: 1, duplicates: 0 },
  },
})
  .input(IngestUsage)
  .output(IngestedUsage)
  .mutation(({ ctx, input }) => ingestUsage(ctx, input));
