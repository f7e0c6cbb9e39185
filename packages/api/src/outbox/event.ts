import type { z } from 'zod';
import type { OrganizationPermission } from '../contract/permissions.ts';

/**
 * Something that happened, under a name that outsiders rely on. `organization`: told to webhooks and sockets of its
 * organization, to whoever holds `permission`. `internal`: for the audit log and our own jobs.
 */
export interface EventType<Data extends z.ZodType = z.ZodType> {
  name: string;
  data: Data;
  audience: 'organization' | 'internal';
  permission?: OrganizationPermission;
}

export function event<Data extends z.ZodType>(
  name: string,
  options: { data: Data } & (
    | { audience: 'internal' }
    | { audience: 'organization'; permission: OrganizationPermission }
  ),
): EventType<Data> {
  return { name, ...options };
}
