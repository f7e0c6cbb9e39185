import type { Env } from '@rentapi/platform/env';
import { MAX_PAGE } from '../../contract/pagination.ts';
import { MAX_BATCH } from '../../contract/request-caps.ts';
import { MESSAGES_PER_SECOND } from '../../wire/connection.ts';
import { MAX_DEPTH, MAX_ENTRIES } from '../../wire/json.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/sockets.ts';
import { MAX_KEYS, MAX_OLD_SECRETS } from '../api-keys/service.ts';
import { MAX_SESSIONS } from '../auth/service/sessions.ts';
import { MAX_PENDING } from '../invitations/service/send.ts';
import { MAX_OWNED } from '../members/service/add.ts';
import { MAX_EVENTS } from '../metering/schemas.ts';
import { MAX_METERS } from '../metering/service/meters.ts';
import { MAX_METHODS } from '../payment-methods/service/set-up.ts';
import { MAX_OPEN_PAYMENTS } from '../payments/service/purchase.ts';
import { MAX_PATTERNS, MAX_REWINDS, MAX_SUBSCRIPTIONS } from '../realtime/schemas.ts';
import { MAX_GENERATIONS } from '../roles/inheritance.ts';
import { MAX_ASSIGNED } from '../roles/schemas.ts';
import { MAX_ROLES } from '../roles/service/write.ts';
import { MAX_PASSKEYS } from '../two-factor/service/register-passkey.ts';
import { MAX_DEVICES } from '../two-factor/service/trusted-device.ts';
import { MAX_WEBHOOKS } from '../webhooks/service/webhooks.ts';
import type { Cap } from './schemas.ts';
import { MAX_OVERRIDES } from './service/overrides.ts';

/** Every cap that no plan changes, from the constant that enforces it. A test finds those that are missing. */
export function capsOf({ BODY_LIMIT }: Pick<Env, 'BODY_LIMIT'>): Cap[] {
  return [
    cap('api_keys', MAX_KEYS, 'organization', 'Keys that are not revoked.'),
    cap('earlier_secrets', MAX_OLD_SECRETS, 'key', 'Earlier secrets in their grace period.'),
    cap('roles', MAX_ROLES, 'organization', 'Custom roles.'),
    cap('role_generations', MAX_GENERATIONS, 'role', 'Roles in one line of inheritance.'),
    cap('assigned_roles', MAX_ASSIGNED, 'member', 'Custom roles of a member.'),
    cap('invitations', MAX_PENDING, 'organization', 'Invitations that wait for an answer.'),
    cap('meters', MAX_METERS, 'organization', 'Meters, archived ones included.'),
    cap('payment_methods', MAX_METHODS, 'organization', 'Payment methods, those that wait for their payer too.'),
    cap('open_payments', MAX_OPEN_PAYMENTS, 'organization', 'Payments for credits that wait.'),
    cap('webhooks', MAX_WEBHOOKS, 'organization', 'Webhooks.'),
    cap('limit_overrides', MAX_OVERRIDES, 'organization', 'Overrides of limits that count now.'),
    cap('owned_organizations', MAX_OWNED, 'user', 'Organizations with this user as OWNER.'),
    cap('sessions', MAX_SESSIONS, 'user', 'Logins; one more ends the oldest.'),
    cap('passkeys', MAX_PASSKEYS, 'user', 'Passkeys.'),
    cap('trusted_devices', MAX_DEVICES, 'user', 'Devices that need no second factor; one more ends the oldest.'),
    cap('event_patterns', MAX_PATTERNS, 'connection', 'Patterns of events that are subscribed to.'),
    cap('connection_subscriptions', MAX_SUBSCRIPTIONS, 'connection', 'Subscriptions of a tRPC client.'),
    cap('replays', MAX_REWINDS, 'connection', 'Replays of past events that run at once.'),
    cap('messages', MESSAGES_PER_SECOND, 'connection', 'Messages a second that a socket may send.'),
    cap('message_bytes', MAX_MESSAGE_BYTES, 'message', 'Bytes of a message to a socket.'),
    cap('body_bytes', BODY_LIMIT, 'request', 'Bytes of a JSON body.'),
    cap('json_depth', MAX_DEPTH, 'request', 'Levels of objects and lists in a body.'),
    cap('json_entries', MAX_ENTRIES, 'request', 'Fields of an object, or items of a list, in a body.'),
    cap('batch_calls', MAX_BATCH, 'request', 'Calls in a tRPC batch.'),
    cap('usage_events', MAX_EVENTS, 'request', 'Events in a batch for meters.'),
    cap('page_items', MAX_PAGE, 'page', 'Items on a page of a list.'),
  ];
}

const cap = (name: string, limit: number, of: string, description: string): Cap => ({ name, limit, of, description });
