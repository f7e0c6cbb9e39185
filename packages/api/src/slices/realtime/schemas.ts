import { z } from 'zod';
import { Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';

export const Ticket = z
  .object({
    ticket: z.string().meta({ description: 'Open `/api/v1/ws/realtime?ticket=…` with it, once.' }),
    expiresIn: z.int().meta({ description: 'For how many seconds it works.', example: 30 }),
  })
  .meta({ id: 'Ticket', description: 'Opens the realtime socket once, in place of a credential.' });
export type Ticket = z.output<typeof Ticket>;

/** What every socket of a caller understands. */
export const AuthMessage = z
  .strictObject({
    action: z.literal('auth'),
    token: z.string().max(5000).meta({ description: 'An access token or an API key.' }),
  })
  .meta({
    id: 'AuthMessage',
    description: 'Authenticates the socket; later, with a newer token of the same user, keeps it open.',
    example: { action: 'auth', token: 'rapi_live_…' },
  });
export const PingMessage = z.strictObject({ action: z.literal('ping') }).meta({
  id: 'PingMessage',
  description: 'Shows that the connection works.',
  example: { action: 'ping' },
});
export type CommonMessage = z.output<typeof AuthMessage> | z.output<typeof PingMessage>;

/** What every socket of a caller sends. */
export const ReadyMessage = z
  .object({
    type: z.literal('ready'),
    expiresAt: Timestamp.nullable().meta({
      description: 'When it ends unless a newer token is sent; null where it lasts as long as the session or key.',
    }),
  })
  .meta({
    id: 'ReadyMessage',
    description: 'The socket is authenticated.',
    example: { type: 'ready', expiresAt: '2026-01-31T12:15:00.000Z' },
  });
export const PongMessage = z.object({ type: z.literal('pong') }).meta({
  id: 'PongMessage',
  description: 'Answers `ping`.',
  example: { type: 'pong' },
});
export const ErrorMessage = z
  .object({
    type: z.literal('error'),
    code: z.string().meta({ description: 'As in every other answer: `/docs/errors` explains each.' }),
    detail: z.string().meta({ description: 'What to do, as a sentence.' }),
    clientId: z.string().optional().meta({ description: 'Of the message that was refused, where it had one.' }),
  })
  .meta({
    id: 'ErrorMessage',
    description: 'A message was refused, or the socket is about to be closed.',
    example: { type: 'error', code: 'invalid_input', detail: 'Send { "action": "ping" }.' },
  });

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

export const SubscribeMessage = z
  .strictObject({
    action: z.literal('subscribe'),
    events: Patterns,
    lastEventId: LastEventId.nullish().meta({
      description: 'Also what has happened after this event; null is the position before the first.',
    }),
  })
  .meta({
    id: 'SubscribeMessage',
    description: 'Sends these events from now on.',
    example: { action: 'subscribe', events: ['api_key.*'] },
  });
export const UnsubscribeMessage = z.strictObject({ action: z.literal('unsubscribe'), events: Patterns }).meta({
  id: 'UnsubscribeMessage',
  description: 'Sends these events no longer.',
  example: { action: 'unsubscribe', events: ['api_key.*'] },
});

/** What a client sends on the realtime socket. */
export const ClientMessage = z.discriminatedUnion('action', [
  AuthMessage,
  SubscribeMessage,
  UnsubscribeMessage,
  PingMessage,
]);
export type ClientMessage = z.output<typeof ClientMessage>;

/** The same over tRPC, where the client's link sends `lastEventId` by itself after a reconnection. */
export const WatchEvents = z.strictObject({ events: Patterns, lastEventId: LastEventId.nullish() });
export type WatchEvents = z.output<typeof WatchEvents>;

/** The data of an `api_call`. */
export const ApiCall = z
  .object({
    keyId: id('key'),
    procedure: z.string().meta({ description: 'The operation that was called.', example: 'apiKeys.list' }),
    status: z.int().meta({ description: 'The status of the answer.', example: 200 }),
    durationMs: z.number().meta({ description: 'How long it took.', example: 4.2 }),
    requestId: z.string().meta({ description: 'The `X-Request-Id` of the answer.', example: 'req-1' }),
  })
  .meta({ description: 'A call that was made with an API key.' });

/** The data of a `notification`. */
export const Notification = z
  .object({
    title: z.string().min(1).max(200).meta({ description: 'What it is about.', example: 'Maintenance' }),
    text: z.string().min(1).max(4000).meta({
      description: 'What to know: plain text.',
      example: 'On Sunday from 02:00 to 03:00 UTC the API can only be read.',
    }),
  })
  .meta({ description: 'A notice from those who run the service.' });
export type Notification = z.output<typeof Notification>;

export const NotificationMessage = z
  .object({
    type: z.literal('event'),
    id: z.null().meta({ description: 'It is not stored, so it is sent once.' }),
    event: z.literal('notification'),
    createdAt: Timestamp.meta({ description: 'When it was sent.' }),
    data: Notification,
  })
  .meta({
    id: 'NotificationMessage',
    description: 'A notice to you, or to your organization, from those who run the service. It needs no subscription.',
    example: {
      type: 'event',
      id: null,
      event: 'notification',
      createdAt: '2026-01-31T12:00:00.000Z',
      data: { title: 'Maintenance', text: 'On Sunday from 02:00 to 03:00 UTC the API can only be read.' },
    },
  });
export type NotificationMessage = z.output<typeof NotificationMessage>;

export const RealtimeEvent = z
  .object({
    id: z.string().nullable(),
    event: z.string().meta({ example: 'api_key.created' }),
    createdAt: z.string(),
    data: z.unknown(),
  })
  .meta({
    id: 'RealtimeEvent',
    description: 'Something that happened. `api_call` and `notification` have no id: they are sent once, and not kept.',
  });
export type RealtimeEvent = z.output<typeof RealtimeEvent>;

/** What the server answers on the realtime socket, in addition to what every socket sends. */
export const SubscribedMessage = z
  .object({
    type: z.literal('subscribed'),
    events: z.array(z.string()).meta({ description: 'Everything that is subscribed to.' }),
    lastEventId: z.string().nullable().optional().meta({
      description: 'Where to go on if the connection ends before the next event; null where there has been none.',
    }),
  })
  .meta({
    id: 'SubscribedMessage',
    description: 'What the socket sends from now on.',
    example: { type: 'subscribed', events: ['api_key.*'], lastEventId: exampleId('evt') },
  });
export type SubscribedMessage = z.output<typeof SubscribedMessage>;

export const ApiCallMessage = z
  .object({
    type: z.literal('event'),
    id: z.null().meta({ description: 'It is not stored, so it is sent once.' }),
    event: z.literal('api_call'),
    createdAt: Timestamp.meta({ description: 'When the call ended.' }),
    data: ApiCall,
  })
  .meta({
    id: 'ApiCallMessage',
    description: 'A call was made with an API key. Needs `api_keys:read`, and the topic `api_call`.',
    example: {
      type: 'event',
      id: null,
      event: 'api_call',
      createdAt: '2026-01-31T12:00:00.000Z',
      data: { keyId: exampleId('key'), procedure: 'apiKeys.list', status: 200, durationMs: 4.2, requestId: 'req-1' },
    },
  });

/** What the realtime socket sends of what happens. */
export type SentEvent = { type: 'event' } & RealtimeEvent;

const Connections = z.int().meta({ description: 'Sockets that are open.', example: 12 });
const counts = {
  connections: Connections,
  subscriptions: z.int().meta({ description: 'Streams of events: of sockets and of tRPC subscriptions.', example: 14 }),
  queuedBytes: z.int().meta({ description: 'What was sent and is not read yet.', example: 2048 }),
  dropped: z
    .object({
      tooSlow: z.int().meta({ description: 'They did not read what was sent.', example: 0 }),
      tooMuch: z.int().meta({ description: 'They sent or opened more than is allowed.', example: 1 }),
    })
    .meta({ description: 'Sockets that were closed, since the process started.' }),
  paths: z
    .array(
      z.object({
        path: z.string().meta({ description: 'Where they were opened.', example: '/api/v1/ws/realtime' }),
        connections: Connections,
      }),
    )
    .meta({ description: 'By path, the most first.' }),
};

export const SocketStats = z
  .object({
    ...counts,
    organizations: z
      .array(z.object({ organizationId: id('org'), connections: Connections }))
      .meta({ description: 'The 20 with the most sockets, of the 1,000 that have most in each process.' }),
    processes: z
      .array(
        z.object({
          process: z.string().meta({
            description: 'Its machine, its number there, and four random characters.',
            example: 'api-1-17-9f2c',
          }),
          startedAt: Timestamp.meta({ description: 'When it started.' }),
          ...counts,
        }),
      )
      .meta({
        description: 'Each process by itself, at most 100; others than the one that answers as 15 seconds ago at most.',
      }),
  })
  .meta({ id: 'SocketStats', description: 'What is connected to the sockets of all processes.' });
export type SocketStats = z.output<typeof SocketStats>;

const exampleCounts = {
  connections: 12,
  subscriptions: 14,
  queuedBytes: 2048,
  dropped: { tooSlow: 0, tooMuch: 1 },
  paths: [{ path: '/api/v1/ws/realtime', connections: 12 }],
};
export const exampleStats: SocketStats = {
  ...exampleCounts,
  organizations: [{ organizationId: exampleId('org'), connections: 9 }],
  processes: [{ process: 'api-1-17-9f2c', startedAt: '2026-01-31T12:00:00.000Z', ...exampleCounts }],
};
