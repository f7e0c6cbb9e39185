import { z } from 'zod';
import type { Context } from '../../../context.ts';
import { publicEventTypes } from '../../../events/patterns.ts';
import type { EventCatalogue } from '../schemas.ts';

/** Every type that webhooks may subscribe to, by name. */
export function listEventTypes({ ports }: Context): EventCatalogue {
  const items = publicEventTypes(ports.eventTypes)
    .map(({ name, description, version, permission, data, example }) => ({
      name,
      description,
      version,
      permission: permission!, // events of an organization have one
      schema: z.toJSONSchema(data, { io: 'output' }),
      example,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { items, nextCursor: null };
}
