import { z } from 'zod';
import { Timestamp } from '../contract/common-schemas.ts';
import { type DescribedEvent, visibleEvents } from '../events/catalogue.ts';
import type { EventType } from '../events/event.ts';
import type { Json } from './openapi.ts';

/** Each event as webhooks get it, as a component: `ApiKeyCreatedEvent`. */
export function eventSchemas(eventTypes: ReadonlyMap<string, EventType>): z.ZodType {
  return z.union(visibleEvents(eventTypes).map(deliveredSchema));
}

/** An event as webhooks get it. */
export function deliveredSchema({ name, description, data }: Pick<EventType, 'name' | 'description' | 'data'>) {
  return z
    .object({
      type: z.literal(name).meta({ description: 'What has happened.' }),
      timestamp: Timestamp.meta({ description: 'When it happened.' }),
      data: data.meta({ description: 'What it happened to, as it was then.' }),
    })
    .meta({ id: componentOf(name), description });
}

/** OpenAPI's name for what a server sends by itself. */
export function webhooksOf(events: readonly DescribedEvent[]): Json {
  return Object.fromEntries(events.map((event) => [event.name, { post: webhook(event) }]));
}

/** The headers of Standard Webhooks. */
export const SIGNED = [
  ['webhook-id', 'Names the event: the same for every attempt.'],
  ['webhook-timestamp', 'When it was sent, in seconds since 1970.'],
  ['webhook-signature', '`v1,` and the HMAC-SHA-256 of id, timestamp and body; one for each secret while two overlap.'],
].map(([name, description]) => ({ name, in: 'header', required: true, description, schema: { type: 'string' } }));

function webhook({ name, description, permission, version, example }: DescribedEvent): Json {
  return {
    operationId: `events.${name}`,
    summary: name,
    description: `${description}\n\nSent to webhooks that subscribe to it, and on the realtime socket, for those with \`${permission}\`.`,
    tags: ['Webhooks'],
    security: [],
    parameters: SIGNED,
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { $ref: `#/components/schemas/${componentOf(name)}` },
          example: { type: name, timestamp: '2026-01-31T12:00:00.000Z', data: example },
        },
      },
    },
    responses: { '2XX': { description: 'Received' } },
    'x-rentapi-access': { access: permission },
    'x-rentapi-version': version,
  };
}

export function componentOf(event: string): string {
  return `${event.replace(/(?:^|[._])(\w)/g, (_, first: string) => first.toUpperCase())}Event`;
}
