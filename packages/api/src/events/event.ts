import type { z } from 'zod';
import type { OrganizationPermission } from '../contract/permissions.ts';

/**
 * Something that happened, under a name that outsiders rely on. `organization`: told to webhooks and sockets of its
 * organization, to whoever holds `permission`. `internal`: for the audit log and our own jobs. `person`: the same, of
 * somebody's own account or session. That belongs to no organization: the one they happen to be in must not read it.
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
