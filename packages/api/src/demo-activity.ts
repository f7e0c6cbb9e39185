import { z } from 'zod';
import type { OrganizationContext, UserContext } from './context.ts';
import { iso } from './contract/common-schemas.ts';
import { ApiKeyCreated } from './slices/api-keys/events.ts';
import { ingestUsage } from './slices/metering/service/ingest.ts';
import { createMeter } from './slices/metering/service/meters.ts';
import { settle } from './slices/webhooks/delivery/settle.ts';
import { DeliveryModel } from './slices/webhooks/model.ts';
import { createWebhook, findWebhook } from './slices/webhooks/service/webhooks.ts';

const HOUR_MS = 3_600_000;
/** Partitions are made for calls of the last two days. */
const HOURS_OF_CALLS = 47;
/** One every eight hours, for a week. */
const DELIVERIES = 21;
const METER = { slug: 'tokens', name: 'Tokens', aggregation: 'sum', property: 'tokens' } as const;
const CUSTOMERS = ['customer-1', 'customer-2', 'customer-3'];
const CALLED = ['apiKeys.list', 'apiKeys.verify', 'usage.ingest', 'webhooks.list', 'members.list', 'analytics.usage'];

/** What a customer's organization shows after some days: calls, a meter with values, and a webhook with deliveries. */
export async function seedActivity(owner: UserContext & OrganizationContext, keyId: string): Promise<void> {
  noteCalls(owner, keyId);
  await meterTokens(owner);
  await deliver(owner);
}

/** Some of each hour of the past days, more in the afternoon; a few are refused. They are written as others are. */
function noteCalls({ ports, organization, ids, now }: OrganizationContext, keyId: string): void {
  for (let hour = 1; hour <= HOURS_OF_CALLS; hour++) {
    const at = new Date(now.getTime() - hour * HOUR_MS);
    const many = 4 + (at.getUTCHours() % 12 > 5 ? 3 : 0) + (hour % 3);
    for (let nth = 0; nth < many; nth++) {
      const occurredAt = new Date(at.getTime() + nth * 6 * 60_000);
      const place = hour * 10 + nth;
      ports.usage.note({
        callId: 0,
        occurredAt,
        organizationId: organization.id,
        keyId: ids.decode('key', keyId),
        userId: null,
        procedure: CALLED[place % CALLED.length]!,
        transport: 'rest',
        environment: 'live',
        status: place % 23 === 0 ? 429 : place % 17 === 0 ? 404 : 200,
        latencyUs: 3000 + ((place * 7919) % 40_000),
        bytesIn: 120,
        bytesOut: 900,
        ip: '127.0.0.1',
        userAgent: '@rentapi/sdk',
        cost: 0,
        requestId: `demo-${place}`,
      });
    }
  }
}

/** Of the last day: earlier usage is refused. */
async function meterTokens(owner: UserContext & OrganizationContext): Promise<void> {
  await createMeter(owner, METER);
  const events = Array.from({ length: 23 }, (_, hour) =>
    CUSTOMERS.map((externalId, nth) => ({
      transactionId: `demo-${hour}-${nth}`,
      meter: METER.slug,
      externalId,
      timestamp: iso(new Date(owner.now.getTime() - (hour + 0.5) * HOUR_MS)),
      properties: { tokens: 200 + ((hour * 137 + nth * 411) % 1800) },
    })),
  ).flat();
  await ingestUsage(owner, { events });
}

/** The webhook is disabled: its address is an example, to which nothing is to be sent. */
async function deliver(owner: UserContext & OrganizationContext): Promise<void> {
  const { ports, ids, now } = owner;
  const { id } = await createWebhook(owner, {
    url: 'https://example.com/webhooks',
    description: 'An example, with tests of the last days. Give it an address of yours, and enable it.',
    events: ['api_key.*', 'member.*'],
    enabled: false,
  });
  const webhook = await findWebhook(owner, id);
  const payload = z.record(z.string(), z.unknown()).parse(ApiKeyCreated.example);
  const failed = ports.env.WEBHOOK_RETRY_SCHEDULE_S.length;
  for (let ago = DELIVERIES; ago > 0; ago--) {
    const startedAt = new Date(now.getTime() - ago * 8 * HOUR_MS);
    const succeeded = ago % 9 !== 0;
    const sent = await DeliveryModel.add(owner, {
      webhookId: webhook.id,
      eventId: 2 ** 52 + ago,
      eventType: ApiKeyCreated.name,
      payload,
      status: 'PENDING',
      attempts: 1,
      step: succeeded ? 1 : failed,
      createdAt: startedAt,
    });
    const { url, eventVersion, headersSealed, secretSealed, overlapEndsAt } = webhook;
    const delivery = { ...sent, url, eventVersion, headersSealed, secretSealed, overlapEndsAt, data: null };
    const outcome = {
      startedAt,
      durationMs: 80 + ((ago * 37) % 240),
      succeeded,
      gone: false,
      statusCode: succeeded ? 204 : 500,
      error: succeeded ? null : 'The receiver answered 500.',
      requestHeaders: { 'content-type': 'application/json', 'webhook-id': ids.encode('evt', sent.eventId) },
      responseHeaders: {},
      responseBody: '',
      retryAfterMs: null,
    };
    await settle({ ...ports, clock: { now: () => startedAt } }, [[delivery, outcome]]);
  }
}
