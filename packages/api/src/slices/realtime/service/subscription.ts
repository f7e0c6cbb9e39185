import { ApiError } from '../../../contract/errors.ts';
import type { OrganizationPermission } from '../../../contract/permissions.ts';
import { visibleEvents } from '../../../events/catalogue.ts';
import type { EventType } from '../../../events/event.ts';
import { isEventPattern, patternsOf } from '../../../events/patterns.ts';
import { MAX_PATTERNS, TOPICS } from '../schemas.ts';

/** The events of an organization that one reader subscribed to, each pattern from its position on. */
export interface Subscription {
  /** Subscribes to events after `since`; for a pattern that is there already, the earlier position counts. */
  add(patterns: readonly string[], since: number): void;
  remove(patterns: readonly string[]): void;
  list(): string[];
  /** Each pattern with the position after which its events are wanted. */
  positions(): ReadonlyMap<string, number>;
  /** Whether this event at this position is subscribed to. */
  wants(event: string, position: number): boolean;
}

type EventTypes = ReadonlyMap<string, EventType>;

/** Patterns are event types (`api_key.created`), `api_key.*`, `*`, or topics: all types that begin with that word. */
export function createSubscription(eventTypes: EventTypes): Subscription {
  const since = new Map<string, number>();
  return {
    add(patterns, from) {
      for (const pattern of patterns) assertKnown(eventTypes, pattern);
      if (new Set([...since.keys(), ...patterns]).size > MAX_PATTERNS) {
        throw new ApiError('limit_reached', {
          detail: `One connection subscribes to at most ${MAX_PATTERNS} patterns: use \`resource.*\`, or another connection.`,
        });
      }
      for (const pattern of patterns) since.set(pattern, Math.min(from, since.get(pattern) ?? from));
    },
    remove(patterns) {
      for (const pattern of patterns) since.delete(pattern);
    },
    list: () => [...since.keys()],
    positions: () => new Map(since),
    wants: (event, position) =>
      topicsOf(event).some((pattern) => position > (since.get(pattern) ?? Number.POSITIVE_INFINITY)),
  };
}

/** What is sent once and not stored. */
const UNSTORED = ['api_call', 'notification'];

/** The patterns and topics that match an event type. `*` matches stored events only. */
export function topicsOf(event: string): string[] {
  if (UNSTORED.includes(event)) return [event];
  const [resource = ''] = event.split('.');
  return [...patternsOf(event), event.startsWith('webhook.delivery_') ? 'webhook_delivery' : resource];
}

/** Whether a member or key with these permissions may see events of this type. */
export function maySee(
  eventTypes: EventTypes,
  event: string,
  permissions: ReadonlySet<OrganizationPermission>,
): boolean {
  if (event === 'api_call') return permissions.has('api_keys:read');
  if (event === 'notification') return true; // it has a recipient
  const type = eventTypes.get(event);
  return type?.audience === 'organization' && Boolean(type.permission && permissions.has(type.permission));
}

function assertKnown(eventTypes: EventTypes, pattern: string): void {
  if ((TOPICS as readonly string[]).includes(pattern) || isEventPattern(eventTypes, pattern)) return;
  const names = visibleEvents(eventTypes).map(({ name }) => name);
  throw new ApiError('invalid_input', {
    detail: `\`${pattern}\` is no event type, pattern or topic: use one of ${[...TOPICS, ...names].join(', ')}.`,
  });
}
