import type { z } from 'zod';
import type { OrganizationPermission } from '../contract/permissions.ts';

/**
 * Something that happened, under a name that customers rely on. Audiences: `organization` events go to webhooks and
 * sockets of the organization, for actors with `permission`. `internal` events go to the audit log and to jobs.
 * `person` events are internal too, and concern a user's own account or session: they belong to no organization, and
 * none may read them.
 */
export interface EventType<Data extends z.ZodType = z.ZodType> {
  name: string;
  /** What happened, for the document and the pages made from the contract. */
  description: string;
  data: Data;
  example: z.output<Data>;
  /** The version of the form of `data`: a change that readers would notice needs a new one. */
  version: number;
  /** How data of the version after it are shown in an earlier one, to those who rely on that. */
  earlier?: Readonly<Record<number, (data: unknown) => unknown>>;
  audience: 'organization' | 'internal' | 'person';
  permission?: OrganizationPermission;
}

export function event<Data extends z.ZodType>(
  name: string,
  options: Pick<EventType<Data>, 'description' | 'data' | 'example' | 'earlier'> & { version?: number } & (
      | { audience: 'internal' | 'person' }
      | { audience: 'organization'; permission: OrganizationPermission }
    ),
): EventType<Data> {
  return { name, version: 1, ...options };
}
