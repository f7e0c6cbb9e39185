import { visibleEvents } from './catalogue.ts';
import type { EventType } from './event.ts';

type EventTypes = ReadonlyMap<string, EventType>;

/** What subscribers may name: an event type (`api_key.created`), all of a resource (`api_key.*`), or all (`*`). */
export function isEventPattern(eventTypes: EventTypes, pattern: string): boolean {
  if (pattern === '*') return true;
  return visibleEvents(eventTypes).some(({ name }) => patternsOf(name).includes(pattern));
}

/** The patterns that match an event type. */
export function patternsOf(event: string): [type: string, resource: string, all: string] {
  const [resource] = event.split('.');
  return [event, `${resource}.*`, '*'];
}
