import type { EventType } from '../events/event.ts';
import * as apiKeys from './api-keys/events.ts';
import * as auth from './auth/events.ts';
import * as invitations from './invitations/events.ts';
import * as members from './members/events.ts';
import * as organizations from './organizations/events.ts';
import * as roles from './roles/events.ts';
import * as users from './users/events.ts';

/** Every event type of the product, by name. */
export const eventTypes: ReadonlyMap<string, EventType> = new Map(
  [apiKeys, auth, users, organizations, members, invitations, roles]
    .flatMap((slice) => Object.values(slice))
    .map((type) => [type.name, type as EventType]),
);
