import { ApiError } from '../../contract/errors.ts';
import type { OrganizationPermission } from '../../contract/permissions.ts';
import { eventTypes } from '../../events.ts';
import { TOPICS } from './schemas.ts';

/** Which of an organization's events one socket is told. */
export interface Subscription {
  add(patterns: readonly string[]): void;
  remove(patterns: readonly string[]): void;
  list(): string[];
  /** Whether this type is asked for, and its reader may see it. */
  wants(eventType: string): boolean;
}

/** Patterns are event types (`api_key.created`), `api_key.*`, or topics, which stand for all types that begin so. */
export function createSubscription(permissions: ReadonlySet<OrganizationPermission>): Subscription {
  const patterns = new Set<string>();
  return {
    add(asked) {
      for (const pattern of asked) assertKnown(pattern);
      for (const pattern of asked) patterns.add(pattern);
    },
    remove(asked) {
      for (const pattern of asked) patterns.delete(pattern);
    },
    list: () => [...patterns],
    wants(name) {
      const type = eventTypes.get(name);
      if (type?.audience !== 'organization' || !type.permission || !permissions.has(type.permission)) return false;
      const [resource = ''] = name.split('.');
      return patterns.has(name) || patterns.has(`${resource}.*`) || patterns.has('*') || patterns.has(resource);
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
