import type { EventType } from './event.ts';

type EventTypes = ReadonlyMap<string, EventType>;

/** What subscribers may name: an event type (`api_key.created`), all of a resource (`api_key.*`), or all (`*`). */
export function isEventPattern(eventTypes: EventTypes, pattern: string): boolean {
  if (pattern === '*') return true;
  return publicEventTypes(eventTypes).some(({ name }) => patternsOf(name).includes(pattern));
}

/** The patterns that match an event type. */
export function patternsOf(event: string): [type: string, resource: string, all: string] {
  const [resource] = event.split('.');
  return [event, `${resource}.*`, '*'];
}

/** Those that an organization's sockets and webhooks may see. */
export function publicEventTypes(eventTypes: EventTypes): EventType[] {
  return [...eventTypes.values()].filter(({ audience }) => audience === 'organization');
}
