import { z } from 'zod';
import { CreatedAt, Timestamp, TimestampInput, UpdatedAt } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { OrganizationPermission } from '../roles/schemas.ts';
import { MAX_HEADER_NAME, MAX_HEADER_VALUE, MAX_HEADERS, READ } from './headers.ts';

const Url = z
  .string()
  .max(2000)
  .meta({ description: 'Where events are sent: https on port 443 or 8443.', example: 'https://example.com/webhooks' });
const Description = z.string().max(500).meta({ description: 'What it is for.' });
const Pattern = z.string().min(1).max(100);
const Events = z
  .array(Pattern)
  .min(1)
  .max(100)
  .meta({ description: 'Event types, `api_key.*` for all of a resource, or `*` for all.', example: ['api_key.*'] });
const Headers = z
  .record(z.string().min(1).max(READ.name), z.string().max(READ.value))
  .refine((headers) => Object.keys(headers).length <= READ.headers, `must be at most ${MAX_HEADERS}`)
  .meta({
    description: `Sent with every delivery: at most ${MAX_HEADERS}, with names of at most ${MAX_HEADER_NAME} and values of at most ${MAX_HEADER_VALUE} characters. Values are stored encrypted and not shown again.`,
    maxProperties: READ.headers,
    example: { Authorization: 'Bearer receiver-token' },
  });
const EventVersion = z.int().min(1).max(1000);

export const DISABLED_REASONS = ['FAILING', 'GONE'] as const;

export const Webhook = z
  .object({
    id: id('whk'),
    url: Url,
    description: Description.nullable(),
    events: Events,
    eventVersion: EventVersion.meta({
      description: 'The newest form of payloads that it gets: later forms of an event are sent in this one.',
      example: 1,
    }),
    headerNames: z.array(z.string()).meta({ description: 'Names of the headers sent with every delivery.' }),
    enabled: z.boolean().meta({ description: 'While false, nothing is sent, and events are not kept for it.' }),
    disabledReason: z.enum(DISABLED_REASONS).nullable().meta({
      description:
        'Why the server disabled it: `FAILING` for five days of failures, `GONE` for an answer 410; null otherwise.',
    }),
    createdBy: id('usr').nullable().meta({ description: 'The user who created it; null if that was a key.' }),
    createdAt: CreatedAt,
    updatedAt: UpdatedAt,
  })
  .meta({ id: 'Webhook', description: 'An address of yours that is called when something happens.' });
export type Webhook = z.output<typeof Webhook>;

const FailingSince = Timestamp.nullable().meta({
  description:
    'Since when every attempt has failed; null where the last one succeeded. Begins anew after two days without one.',
});

export const FailingWebhook = Webhook.extend({ failingSince: FailingSince }).meta({
  id: 'FailingWebhook',
  description: 'A webhook whose receiver does not accept events.',
});

export const exampleWebhook: Webhook = {
  id: exampleId('whk'),
  url: 'https://example.com/webhooks',
  description: null,
  events: ['api_key.*'],
  eventVersion: 1,
  headerNames: [],
  enabled: true,
  disabledReason: null,
  createdBy: exampleId('usr'),
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};
export const exampleSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=';

export const CreateWebhook = z
  .strictObject({
    url: Url,
    events: Events,
    description: Description.nullish(),
    headers: Headers.optional(),
    enabled: z.boolean().optional().meta({ description: 'True by default.' }),
    eventVersion: EventVersion.optional().meta({ description: 'The newest form of payloads by default.' }),
  })
  .meta({ id: 'CreateWebhook', description: 'A new webhook.' });
export type CreateWebhook = z.output<typeof CreateWebhook>;

export const CreatedWebhook = Webhook.extend({
  secret: z.string().meta({ description: 'Verifies signatures; shown once.', example: exampleSecret }),
}).meta({ id: 'CreatedWebhook', description: 'The webhook, with its secret.' });
export type CreatedWebhook = z.output<typeof CreatedWebhook>;

export const WebhookId = z.strictObject({ webhookId: id('whk') });

export const UpdateWebhook = WebhookId.extend({
  url: Url.optional(),
  events: Events.optional(),
  description: Description.nullish(),
  headers: Headers.optional().meta({ description: 'Replaces all headers; `{}` removes them.' }),
  enabled: z.boolean().optional().meta({
    description: 'True enables it again after the server has disabled it; what failed meanwhile can be recovered.',
  }),
  eventVersion: EventVersion.optional().meta({ description: 'The newest form of payloads that it gets.' }),
}).meta({ id: 'UpdateWebhook', description: 'A missing field stays unchanged; null clears it.' });
export type UpdateWebhook = z.output<typeof UpdateWebhook>;

const MAX_OVERLAP_S = 7 * 86_400;

export const RotateWebhookSecret = WebhookId.extend({
  overlapSeconds: z.int().min(0).max(MAX_OVERLAP_S).default(86_400).meta({
    description:
      'How long deliveries carry a signature of the earlier secret too; a day by default. Rotated again within that time, only the last two secrets sign.',
  }),
}).meta({ id: 'RotateWebhookSecret', description: 'How to replace the secret of a webhook.' });
export type RotateWebhookSecret = z.output<typeof RotateWebhookSecret>;

export const TestWebhook = WebhookId.extend({
  eventType: z.string().max(100).meta({ description: 'The type whose example is sent.', example: 'api_key.created' }),
}).meta({ id: 'TestWebhook', description: 'Which example to send.' });
export type TestWebhook = z.output<typeof TestWebhook>;

export const ListWebhooks = pageInput({});
export type ListWebhooks = z.output<typeof ListWebhooks>;
export const WebhookPage = page('WebhookPage', Webhook);

export const DELIVERY_STATUSES = ['PENDING', 'SUCCEEDED', 'FAILED'] as const;
const DeliveryStatus = z.enum(DELIVERY_STATUSES);

export const WebhookDelivery = z
  .object({
    id: id('dlv'),
    webhookId: id('whk'),
    eventId: id('evt').meta({ description: 'The `webhook-id` header: the same for every attempt.' }),
    eventType: z.string().meta({ description: 'What happened.', example: 'api_key.created' }),
    isTest: z.boolean().meta({ description: 'Whether it is an example that was asked for.' }),
    status: DeliveryStatus.meta({ description: '`FAILED` when the last attempt of the schedule has failed.' }),
    attempts: z.int().meta({ description: 'How often it was sent.', example: 1 }),
    nextAttemptAt: Timestamp.nullable().meta({ description: 'When it is sent next; null when it is settled.' }),
    statusCode: z.int().nullable().meta({ description: 'The status of the last answer; null where there was none.' }),
    error: z.string().nullable().meta({ description: 'Why the last attempt failed; null where it did not.' }),
    createdAt: CreatedAt,
    settledAt: Timestamp.nullable().meta({ description: 'When it succeeded or failed for good; null until then.' }),
  })
  .meta({ id: 'WebhookDelivery', description: 'An event on its way to a webhook.' });
export type WebhookDelivery = z.output<typeof WebhookDelivery>;

export const exampleDelivery: WebhookDelivery = {
  id: exampleId('dlv'),
  webhookId: exampleWebhook.id,
  eventId: exampleId('evt'),
  eventType: 'api_key.created',
  isTest: false,
  status: 'SUCCEEDED',
  attempts: 1,
  nextAttemptAt: null,
  statusCode: 204,
  error: null,
  createdAt: '2026-01-31T12:00:00.000Z',
  settledAt: '2026-01-31T12:00:00.250Z',
};

const HeaderFields = z.record(z.string(), z.string());

export const WebhookAttempt = z
  .object({
    number: z.int().meta({ description: '1 for the first.', example: 1 }),
    startedAt: Timestamp.meta({ description: 'When it was sent.' }),
    durationMs: z.int().meta({ description: 'How long it took, in milliseconds.', example: 118 }),
    succeeded: z.boolean().meta({ description: 'Whether the answer was 2xx.' }),
    statusCode: z.int().nullable().meta({ description: 'The status of the answer; null where there was none.' }),
    error: z.string().nullable().meta({ description: 'Why it failed; null where it did not.' }),
    requestHeaders: HeaderFields.meta({ description: 'What was sent; your own headers without their values.' }),
    responseHeaders: HeaderFields.nullable().meta({
      description: 'Of the answer, without cookies and the values of your own headers.',
    }),
    responseBody: z.string().nullable().meta({
      description:
        'The first 4,096 characters of the answer, without the values of your own headers; null where `payload` is.',
    }),
  })
  .meta({ id: 'WebhookAttempt', description: 'One attempt of a delivery. Kept for 30 days.' });
export type WebhookAttempt = z.output<typeof WebhookAttempt>;

export const exampleAttempt: WebhookAttempt = {
  number: 1,
  startedAt: '2026-01-31T12:00:00.132Z',
  durationMs: 118,
  succeeded: true,
  statusCode: 204,
  error: null,
  requestHeaders: { 'content-type': 'application/json', 'webhook-id': exampleDelivery.eventId },
  responseHeaders: { date: 'Sat, 31 Jan 2026 12:00:00 GMT' },
  responseBody: '',
};

export const WebhookDeliveryDetails = WebhookDelivery.extend({
  payload: z.unknown().meta({
    description:
      'The body that is sent: `{ type, timestamp, data }`; null where you do not have the permission of its event type.',
  }),
  attemptLog: z.array(WebhookAttempt).meta({ description: 'The latest 50 attempts, newest first.' }),
}).meta({ id: 'WebhookDeliveryDetails', description: 'A delivery with its payload and attempts.' });
export type WebhookDeliveryDetails = z.output<typeof WebhookDeliveryDetails>;

export const DeliveryId = WebhookId.extend({ deliveryId: id('dlv') });
export type DeliveryId = z.output<typeof DeliveryId>;

const Since = TimestampInput.meta({ description: 'From this moment on.' });
const Until = TimestampInput.meta({ description: 'Until before this moment.' });

export const ListDeliveries = pageInput({
  webhookId: id('whk'),
  status: DeliveryStatus.optional().meta({ description: 'Only deliveries of this status.' }),
  eventType: z.string().max(100).optional().meta({ description: 'Only deliveries of this event type.' }),
  since: Since.optional(),
  until: Until.optional(),
});
export type ListDeliveries = z.output<typeof ListDeliveries>;
export const WebhookDeliveryPage = page('WebhookDeliveryPage', WebhookDelivery);

export const RecoverWebhook = WebhookId.extend({
  since: Since.optional().meta({ description: 'From this moment on, at most 30 days ago. Required.' }),
  until: Until.optional(),
  dryRun: z.boolean().optional().meta({ description: 'Only counts what would be sent again.' }),
}).meta({ id: 'RecoverWebhook', description: 'Which failed deliveries to send again: at most the last 30 days.' });
export type RecoverWebhook = z.output<typeof RecoverWebhook>;

export const Recovery = z
  .object({
    jobId: id('job').nullable().meta({ description: 'The job that sends them; null for a dry run.' }),
    count: z.int().meta({ description: 'How many deliveries have failed in that time.', example: 12 }),
  })
  .meta({ id: 'WebhookRecovery', description: 'What is being sent again.' });
export type Recovery = z.output<typeof Recovery>;

export const WebhookStatsInput = WebhookId.extend({
  days: z.int().min(1).max(30).default(7).meta({ description: 'How many days in UTC, with today.', example: 7 }),
});
export type WebhookStatsInput = z.output<typeof WebhookStatsInput>;

const counts = {
  attempts: z.int().meta({ description: 'How often something was sent.', example: 120 }),
  succeeded: z.int().meta({ description: 'How many attempts were answered with 2xx.', example: 118 }),
  p50Ms: z.number().nullable().meta({ description: 'The median of their durations, to 1 %; null without attempts.' }),
  p95Ms: z.number().nullable().meta({ description: '95 % of them were not longer; null without attempts.' }),
};

export const WebhookStats = z
  .object({
    ...counts,
    failingSince: FailingSince,
    successRate: z.number().nullable().meta({ description: 'From 0 to 1; null without attempts.', example: 0.983 }),
    days: z
      .array(
        z
          .object({ day: z.iso.date().meta({ description: 'In UTC.', example: '2026-01-31' }), ...counts })
          .meta({ id: 'WebhookDayStats', description: 'The attempts of a day.' }),
      )
      .meta({ description: 'Days with attempts, newest first.' }),
  })
  .meta({ id: 'WebhookStats', description: 'How a webhook has been answering.' });
export type WebhookStats = z.output<typeof WebhookStats>;

export const EventCatalogue = z
  .object({
    items: z
      .array(
        z
          .object({
            name: z.string().meta({ description: 'The name of the type.', example: 'api_key.created' }),
            description: z.string().meta({ description: 'What happened.' }),
            version: z.int().meta({ description: 'The newest form of its data.', example: 1 }),
            permission: OrganizationPermission.meta({ description: 'Who may subscribe to it.' }),
            schema: z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema of its data.' }),
            example: z.unknown().meta({ description: 'Data as they are sent.' }),
          })
          .meta({ id: 'EventTypeEntry', description: 'A type of events.' }),
      )
      .meta({ description: 'Every type, by name.' }),
    nextCursor: z.null().meta({ description: 'All are on one page.' }),
  })
  .meta({ id: 'EventCatalogue', description: 'Every event type there is.' });
export type EventCatalogue = z.output<typeof EventCatalogue>;
