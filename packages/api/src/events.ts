import type { EventType } from './outbox/event.ts';
import * as apiKeys from './slices/api-keys/events.ts';
import * as auth from './slices/auth/events.ts';
import * as invitations from './slices/invitations/events.ts';
import * as members from './slices/members/events.ts';
import * as organizations from './slices/organizations/events.ts';
import * as roles from './slices/roles/events.ts';
import * as users from './slices/users/events.ts';

/** Every event type of the product, by name. */
export const eventTypes: ReadonlyMap<string, EventType> = new Map(
  [apiKeys, auth, users, organizations, members, invitations, roles]
    .flatMap((slice) => Object.values(slice))
    .map((type) => [type.name, type as EventType]),
);
