import { z } from 'zod';
import { id } from '../../contract/ids.ts';

export const Ticket = z
  .object({
    ticket: z.string().meta({ description: 'Open `/api/v1/ws/realtime?ticket=…` with it, once.' }),
    expiresIn: z.int().meta({ description: 'For how many seconds it works.', example: 30 }),
  })
  .meta({ id: 'Ticket', description: 'Opens the realtime socket once, in place of a credential.' });
export type Ticket = z.output<typeof Ticket>;

/** What every socket of a caller understands. */
export const AuthMessage = z.strictObject({ action: z.literal('auth'), token: z.string().max(5000) });
export const PingMessage = z.strictObject({ action: z.literal('ping') });
export type CommonMessage = z.output<typeof AuthMessage> | z.output<typeof PingMessage>;

/** Subscriptions of one connection of a tRPC client. */
export const MAX_SUBSCRIPTIONS = 20;
/** Patterns of one connection. */
export const MAX_PATTERNS = 100;
/** Replays share their reads, so more of them cost no more reads; this bounds their memory. */
export const MAX_REWINDS = 20;

/** Topics in addition to event types. */
export const TOPICS = ['api_call', 'payment', 'webhook_delivery', 'notification'] as const;

const Pattern = z.string().min(1).max(100).meta({ id: 'EventPattern' });
const Patterns = z
  .array(Pattern)
  .min(1)
  .max(100)
  .meta({ description: 'Event types, patterns such as `api_key.*`, or topics.' });
const LastEventId = z.string().max(100);

/** What a client sends on a socket. `lastEventId: null`, as in `subscribed`, is the position before the first event. */
export const ClientMessage = z.discriminatedUnion('action', [
  AuthMessage,
  z.strictObject({ action: z.literal('subscribe'), events: Patterns, lastEventId: LastEventId.nullish() }),
  z.strictObject({ action: z.literal('unsubscribe'), events: Patterns }),
  PingMessage,
]);
export type ClientMessage = z.output<typeof ClientMessage>;

/** The same over tRPC, where the client's link sends `lastEventId` by itself after a reconnection. */
export const WatchEvents = z.strictObject({ events: Patterns, lastEventId: LastEventId.nullish() });
export type WatchEvents = z.output<typeof WatchEvents>;

/** The data of an `api_call`. */
export const ApiCall = z.object({
  keyId: id('key'),
  procedure: z.string(),
  status: z.int(),
  durationMs: z.number(),
  requestId: z.string(),
});

export const RealtimeEvent = z
  .object({
    id: z.string().nullable(),
    event: z.string().meta({ example: 'api_key.created' }),
    createdAt: z.string(),
    data: z.unknown(),
  })
  .meta({
    id: 'RealtimeEvent',
    description: 'Something that happened. `api_call` has no id: it is sent once, and not kept.',
  });
export type RealtimeEvent = z.output<typeof RealtimeEvent>;

/** What the server sends. */
export type ServerMessage =
  | { type: 'ready'; expiresAt: string | null }
  /** `lastEventId`: where to go on if the connection ends before the next event; null where there has been none. */
  | { type: 'subscribed'; events: string[]; lastEventId?: string | null }
  | ({ type: 'event' } & RealtimeEvent)
  | { type: 'pong' }
  | { type: 'error'; code: string; detail: string };
