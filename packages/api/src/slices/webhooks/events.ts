import { z } from 'zod';
import { exampleId } from '../../contract/ids.ts';
import { event } from '../../events/event.ts';
import { exampleDelivery, exampleWebhook, FailingWebhook, Webhook, WebhookDelivery } from './schemas.ts';

const ofWebhook = { data: Webhook, audience: 'organization', permission: 'webhooks:read' } as const;
const ofFailing = { ...ofWebhook, data: FailingWebhook } as const;
const ofDelivery = { data: WebhookDelivery, audience: 'organization', permission: 'webhooks:read' } as const;

export const WebhookCreated = event('webhook.created', {
  ...ofWebhook,
  description: 'A webhook was created. Its secret is not part of it.',
  example: exampleWebhook,
});
export const WebhookUpdated = event('webhook.updated', {
  ...ofWebhook,
  description: 'A webhook was changed: where it leads, what it gets, or whether it is enabled.',
  example: { ...exampleWebhook, enabled: false, updatedAt: '2026-02-01T09:00:00.000Z' },
});
export const WebhookSecretRotated = event('webhook.secret_rotated', {
  ...ofWebhook,
  description: 'A webhook got a new secret, which is not part of it. The earlier one signs too for the overlap.',
  example: { ...exampleWebhook, updatedAt: '2026-02-01T09:00:00.000Z' },
});
export const WebhookDeleted = event('webhook.deleted', {
  ...ofWebhook,
  description: 'A webhook was deleted: nothing is sent to it any more.',
  example: { ...exampleWebhook, enabled: false, updatedAt: '2026-02-01T09:00:00.000Z' },
});
export const WebhookDisabling = event('webhook.disabling', {
  ...ofFailing,
  description: 'A webhook has failed for half of the time after which it is disabled.',
  example: { ...exampleWebhook, failingSince: '2026-01-29T09:00:00.000Z' },
});
export const WebhookDisabled = event('webhook.disabled', {
  ...ofFailing,
  description: 'The server disabled a webhook: it failed for five days, or its receiver answered 410.',
  example: {
    ...exampleWebhook,
    enabled: false,
    disabledReason: 'FAILING',
    failingSince: '2026-01-27T09:00:00.000Z',
    updatedAt: '2026-02-01T09:00:00.000Z',
  },
});

export const WebhookNoticeMailed = event('webhook.notice_mailed', {
  data: z.object({
    userId: z.string(),
    email: z.string(),
    organization: z.string(),
    url: z.string(),
    notice: z.enum(['FAILING', 'DISABLED', 'GONE']),
  }),
  audience: 'internal',
  description: 'A person is mailed that a webhook of an organization fails, or was disabled.',
  example: {
    userId: exampleId('usr'),
    email: 'ada@example.com',
    organization: 'Acme',
    url: exampleWebhook.url,
    notice: 'FAILING',
  },
});

/** Of deliveries that are not about webhooks, and of no test: else each would cause the next. */
export const WebhookDeliverySucceeded = event('webhook.delivery_succeeded', {
  ...ofDelivery,
  description: 'A receiver has accepted an event. Not sent for events about webhooks.',
  example: exampleDelivery,
});
export const WebhookDeliveryFailed = event('webhook.delivery_failed', {
  ...ofDelivery,
  description: 'The last attempt to send an event has failed. Not sent for events about webhooks.',
  example: {
    ...exampleDelivery,
    status: 'FAILED',
    attempts: 8,
    statusCode: 500,
    error: 'The receiver answered 500.',
  },
});
