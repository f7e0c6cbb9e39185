import type { z } from 'zod';
import type { OrganizationPermission } from '../contract/permissions.ts';

/**
 * Something that happened, under a name that customers rely on. Audiences: `organization` goes to webhooks and sockets
 * of the organization, for actors with `permission`. `internal` goes to the audit log and to jobs. `person` is internal
 * too, about a user's own account or session: it belongs to no organization, and none may read it.
 */
export interface EventType<Data extends z.ZodType = z.ZodType> {
  name: string;
  data: Data;
  audience: 'organization' | 'internal' | 'person';
  permission?: OrganizationPermission;
}

export function event<Data extends z.ZodType>(
  name: string,
  options: { data: Data } & (
    | { audience: 'internal' | 'person' }
    | { audience: 'organization'; permission: OrganizationPermission }
  ),
): EventType<Data> {
  return { name, ...options };
}
