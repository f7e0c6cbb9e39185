import { z } from 'zod';
import { Timestamp } from '../contract/common-schemas.ts';
import { exampleId, id } from '../contract/ids.ts';
import type { EventType } from '../events/event.ts';
import { type DescribedEvent, visibleEvents } from './describe-contract.ts';
import type { Json } from './openapi.ts';

/** Each event as it is sent, as a component: `ApiKeyCreatedEvent`. */
export function eventSchemas(eventTypes: ReadonlyMap<string, EventType>): z.ZodType {
  return z.union(
    visibleEvents(eventTypes).map(({ name, description, data }) =>
      z
        .object({
          id: id('evt').meta({ description: 'Names the event: the same in every delivery.' }),
          event: z.literal(name).meta({ description: 'What has happened.' }),
          createdAt: Timestamp.meta({ description: 'When it happened.' }),
          data: data.meta({ description: 'What it happened to, as it was then.' }),
        })
        .meta({ id: componentOf(name), description }),
    ),
  );
}

/** OpenAPI's name for what a server sends by itself. */
export function webhooksOf(events: readonly DescribedEvent[]): Json {
  return Object.fromEntries(events.map((event) => [event.name, { post: webhook(event) }]));
}

function webhook({ name, description, permission, version, example }: DescribedEvent): Json {
  return {
    operationId: `events.${name}`,
    summary: name,
    description: `${description}\n\nSent on the realtime socket to actors with \`${permission}\`.`,
    tags: ['Realtime'],
    security: [],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { $ref: `#/components/schemas/${componentOf(name)}` },
          example: { id: exampleId('evt'), event: name, createdAt: '2026-01-31T12:00:00.000Z', data: example },
        },
      },
    },
    responses: { '2XX': { description: 'Received' } },
    'x-rentapi-access': { access: permission },
    'x-rentapi-version': version,
  };
}

function componentOf(event: string): string {
  return `${event.replace(/(?:^|[._])(\w)/g, (_, first: string) => first.toUpperCase())}Event`;
}
