import type { Context } from '../../../context.ts';
import { describeEvents } from '../../../events/catalogue.ts';
import type { EventCatalogue } from '../schemas.ts';

/** Every type that webhooks may subscribe to, by name. */
export function listEventTypes({ ports }: Context): EventCatalogue {
  return { items: [...describeEvents(ports.eventTypes)], nextCursor: null };
}
