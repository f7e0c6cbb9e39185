import { ApiError } from '../../contract/errors.ts';
import type { OrganizationPermission } from '../../contract/permissions.ts';
import { eventTypes } from '../event-types.ts';
import { TOPICS } from './schemas.ts';

type Permissions = ReadonlySet<OrganizationPermission>;

/** Which of an organization's events one reader has asked for. */
export interface Subscription {
  add(patterns: readonly string[]): void;
  remove(patterns: readonly string[]): void;
  list(): string[];
  /** Whether this is asked for, and whoever holds these permissions may see it. */
  wants(event: string, permissions: Permissions): boolean;
}

const MAX_PATTERNS = 100;

/** Patterns are event types (`api_key.created`), `api_key.*`, `*`, or topics, which stand for all types that begin so. */
export function createSubscription(asked: readonly string[] = []): Subscription {
  const patterns = new Set(asked);
  return {
    add(more) {
      for (const pattern of more) assertKnown(pattern);
      if (new Set([...patterns, ...more]).size > MAX_PATTERNS) {
        throw new ApiError('limit_reached', {
          detail: `One connection subscribes to at most ${MAX_PATTERNS} patterns: use \`resource.*\`, or another connection.`,
        });
      }
      for (const pattern of more) patterns.add(pattern);
    },
    remove(given) {
      for (const pattern of given) patterns.delete(pattern);
    },
    list: () => [...patterns],
    wants(event, permissions) {
      if (event === 'api_call') return patterns.has(event) && permissions.has('api_keys:read');
      const type = eventTypes.get(event);
      if (type?.audience !== 'organization' || !type.permission || !permissions.has(type.permission)) return false;
      const [resource = ''] = event.split('.');
      return patterns.has(event) || patterns.has(`${resource}.*`) || patterns.has('*') || patterns.has(resource);
    },
  };
}

function assertKnown(pattern: string): void {
  if (pattern === '*' || (TOPICS as readonly string[]).includes(pattern)) return;
  const told = [...eventTypes.values()].filter((type) => type.audience === 'organization').map((type) => type.name);
  if (told.some((name) => name === pattern || `${name.split('.')[0]}.*` === pattern)) return;
  throw new ApiError('invalid_input', {
    detail: `\`${pattern}\` is no event type, pattern or topic: use one of ${[...TOPICS, ...told].join(', ')}.`,
  });
}
