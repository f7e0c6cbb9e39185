import { NoContent, NoInput } from '../../contract/common-schemas.ts';
import { exampleId } from '../../contract/ids.ts';
import type { ProcedureLimit } from '../../contract/meta.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleKey } from '../api-keys/schemas.ts';
import {
  CreatedWebhook,
  CreateWebhook,
  DeliveryId,
  EventCatalogue,
  exampleAttempt,
  exampleDelivery,
  exampleSecret,
  exampleWebhook,
  ListDeliveries,
  ListWebhooks,
  RecoverWebhook,
  Recovery,
  RotateWebhookSecret,
  TestWebhook,
  UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryDetails,
  WebhookDeliveryPage,
  WebhookId,
  WebhookPage,
  WebhookStats,
  WebhookStatsInput,
} from './schemas.ts';
import { getDelivery, listDeliveries, recoverWebhook, retryDelivery, testWebhook } from './service/deliveries.ts';
import { listEventTypes } from './service/event-types.ts';
import { webhookStats } from './service/stats.ts';
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  rotateWebhookSecret,
  updateWebhook,
} from './service/webhooks.ts';

const tags: [Tag] = ['Webhooks'];

/** Each one calls a receiver outside. */
const sends: ProcedureLimit = { name: 'webhook-sends', by: 'organization', size: () => 100, windowS: 60 };

const REFUSED_SETTINGS = [
  'target_not_allowed',
  'header_not_allowed',
  'unknown_event_type',
  'unknown_event_version',
  'event_not_allowed',
] as const;

const webhookId = exampleWebhook.id;
const deliveryId = exampleDelivery.id;

export const webhooks = router({
  list: procedure({
    access: 'webhooks:read',
    openapi: {
      method: 'GET',
      path: '/webhooks',
      tags,
      summary: 'List webhooks',
      description: 'Newest first. Secrets and values of headers are never shown again.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: { items: [exampleWebhook], nextCursor: null } },
  })
    .input(ListWebhooks)
    .output(WebhookPage)
    .query(({ ctx, input }) => listWebhooks(ctx, input)),

  create: procedure({
    access: 'webhooks:create',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/webhooks',
      tags,
      summary: 'Create a webhook',
      description:
        'Events that happen from now on are sent to the address as Standard Webhooks. The secret is in this answer only. At most 100 in an organization.',
    },
    rest: { status: 201 },
    errors: [...REFUSED_SETTINGS, 'limit_reached'],
    example: {
      input: { url: exampleWebhook.url, events: exampleWebhook.events },
      output: { ...exampleWebhook, secret: exampleSecret },
    },
  })
    .input(CreateWebhook)
    .output(CreatedWebhook)
    .mutation(({ ctx, input }) => createWebhook(ctx, input)),

  eventTypes: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/webhooks/event-types',
      tags,
      summary: 'List all event types there are',
      description: 'With the JSON Schema and an example of their data, and the permission that a subscriber needs.',
    },
    example: {
      output: {
        items: [
          {
            name: 'api_key.created',
            description: 'An API key was created. The secret is not part of it.',
            version: 1,
            permission: 'api_keys:read',
            schema: { type: 'object' },
            example: exampleKey,
          },
        ],
        nextCursor: null,
      },
    },
  })
    .input(NoInput)
    .output(EventCatalogue)
    .query(({ ctx }) => listEventTypes(ctx)),

  get: procedure({
    access: 'webhooks:read',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/webhooks/{webhookId}',
      tags,
      summary: 'Get a webhook',
      description: 'Without its secret, which is shown at its creation only.',
    },
    example: { input: { webhookId }, output: exampleWebhook },
  })
    .input(WebhookId)
    .output(Webhook)
    .query(({ ctx, input }) => getWebhook(ctx, input.webhookId)),

  update: procedure({
    access: 'webhooks:update',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/webhooks/{webhookId}',
      tags,
      summary: 'Update a webhook',
      description:
        'You must have the permissions of the event types that you add, and of all its event types to change the address. What waits is sent to the new address; what happens while a webhook is disabled is not kept for it.',
    },
    errors: [...REFUSED_SETTINGS, 'version_mismatch'],
    example: {
      input: { webhookId, events: ['*'] },
      output: { ...exampleWebhook, events: ['*'] },
    },
  })
    .input(UpdateWebhook)
    .output(Webhook)
    .mutation(({ ctx, input }) => updateWebhook(ctx, input)),

  delete: procedure({
    access: 'webhooks:delete',
    openapi: {
      method: 'DELETE',
      path: '/webhooks/{webhookId}',
      tags,
      summary: 'Delete a webhook',
      description: 'Takes effect at once: what waits is not sent.',
    },
    rest: { status: 204 },
    errors: ['version_mismatch'],
    example: { input: { webhookId } },
  })
    .input(WebhookId)
    .output(NoContent)
    .mutation(({ ctx, input }) => deleteWebhook(ctx, input.webhookId)),

  rotateSecret: procedure({
    access: 'webhooks:update',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/webhooks/{webhookId}/rotate-secret',
      tags,
      summary: 'Rotate the secret of a webhook',
      description:
        'The webhook gets a new secret, which is in this answer only. Deliveries carry a signature of the earlier one too for `overlapSeconds`, at most 7 days.',
    },
    errors: ['version_mismatch'],
    example: {
      input: { webhookId, overlapSeconds: 86_400 },
      output: { ...exampleWebhook, secret: exampleSecret },
    },
  })
    .input(RotateWebhookSecret)
    .output(CreatedWebhook)
    .mutation(({ ctx, input }) => rotateWebhookSecret(ctx, input)),

  test: procedure({
    access: 'webhooks:test',
    limit: sends,
    audit: { none: 'it changes nothing; the delivery is kept' },
    openapi: {
      method: 'POST',
      path: '/webhooks/{webhookId}/test',
      tags,
      summary: 'Send an example to a webhook',
      description: 'The example of an event type, signed as a real one is; nothing else happens.',
    },
    rest: { status: 202 },
    errors: ['unknown_event_type', 'webhook_disabled'],
    example: {
      input: { webhookId, eventType: 'api_key.created' },
      output: {
        ...exampleDelivery,
        isTest: true,
        status: 'PENDING',
        attempts: 0,
        nextAttemptAt: exampleDelivery.createdAt,
        statusCode: null,
        settledAt: null,
      },
    },
  })
    .input(TestWebhook)
    .output(WebhookDelivery)
    .mutation(({ ctx, input }) => testWebhook(ctx, input)),

  recover: procedure({
    access: 'webhooks:update',
    limit: sends,
    audit: { none: 'it changes nothing; the attempts are kept' },
    openapi: {
      method: 'POST',
      path: '/webhooks/{webhookId}/recover',
      tags,
      summary: 'Send again what has failed',
      description:
        'Every delivery that was created from `since` to `until` (now by default) and has failed. A job sends them; `dryRun` only counts. The last 30 days can be recovered.',
    },
    rest: { status: 202 },
    errors: ['time_range_unbounded', 'time_range_reversed', 'time_range_too_long', 'webhook_disabled'],
    example: {
      input: { webhookId, since: '2026-01-31T00:00:00Z' },
      output: { jobId: exampleId('job'), count: 12 },
    },
  })
    .input(RecoverWebhook)
    .output(Recovery)
    .mutation(({ ctx, input }) => recoverWebhook(ctx, input)),

  stats: procedure({
    access: 'webhooks:read',
    openapi: {
      method: 'GET',
      path: '/webhooks/{webhookId}/stats',
      tags,
      summary: 'Get the statistics of a webhook',
      description: 'How many attempts succeeded and how long they took, in all and by day; of at most 30 days.',
    },
    example: {
      input: { webhookId, days: 7 },
      output: {
        attempts: 120,
        succeeded: 118,
        p50Ms: 104,
        p95Ms: 312.5,
        failingSince: null,
        successRate: 0.983,
        days: [{ day: '2026-01-31', attempts: 120, succeeded: 118, p50Ms: 104, p95Ms: 312.5 }],
      },
    },
  })
    .input(WebhookStatsInput)
    .output(WebhookStats)
    .query(({ ctx, input }) => webhookStats(ctx, input)),

  deliveries: router({
    list: procedure({
      access: 'webhooks:read',
      openapi: {
        method: 'GET',
        path: '/webhooks/{webhookId}/deliveries',
        tags,
        summary: 'List deliveries of a webhook',
        description: 'Newest first, of the last 30 days.',
      },
      errors: ['invalid_cursor', 'time_range_reversed'],
      example: { input: { webhookId, limit: 25 }, output: { items: [exampleDelivery], nextCursor: null } },
    })
      .input(ListDeliveries)
      .output(WebhookDeliveryPage)
      .query(({ ctx, input }) => listDeliveries(ctx, input)),

    get: procedure({
      access: 'webhooks:read',
      openapi: {
        method: 'GET',
        path: '/webhooks/{webhookId}/deliveries/{deliveryId}',
        tags,
        summary: 'Get a delivery',
        description: 'With its payload, and what was sent and answered at each attempt.',
      },
      example: {
        input: { webhookId, deliveryId },
        output: {
          ...exampleDelivery,
          payload: { type: 'api_key.created', timestamp: exampleDelivery.createdAt, data: exampleKey },
          attemptLog: [exampleAttempt],
        },
      },
    })
      .input(DeliveryId)
      .output(WebhookDeliveryDetails)
      .query(({ ctx, input }) => getDelivery(ctx, input)),

    retry: procedure({
      access: 'webhooks:update',
      limit: sends,
      audit: { none: 'it changes nothing; the attempts are kept' },
      openapi: {
        method: 'POST',
        path: '/webhooks/{webhookId}/deliveries/{deliveryId}/retry',
        tags,
        summary: 'Send a delivery again',
        description: 'At once, whatever its schedule says; the schedule begins anew if it fails.',
      },
      rest: { status: 202 },
      errors: ['delivery_already_succeeded', 'webhook_disabled'],
      example: {
        input: { webhookId, deliveryId },
        output: {
          ...exampleDelivery,
          status: 'PENDING',
          nextAttemptAt: '2026-01-31T18:00:00.000Z',
          statusCode: 500,
          error: 'The receiver answered 500.',
          settledAt: null,
        },
      },
    })
      .input(DeliveryId)
      .output(WebhookDelivery)
      .mutation(({ ctx, input }) => retryDelivery(ctx, input)),
  }),
});
