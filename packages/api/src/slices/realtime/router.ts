import { NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { exampleStats, RealtimeEvent, SocketStats, Ticket, WatchEvents } from './schemas.ts';
import { getSocketStats } from './service/stats.ts';
import { issueTicket } from './service/tickets.ts';
import { watchEvents } from './watch.ts';

const tags: [Tag] = ['Realtime'];

export const ws = router({
  ticket: procedure({
    access: 'userOrKey',
    openapi: {
      method: 'POST',
      path: '/ws/ticket',
      tags,
      summary: 'Get a ticket for the realtime socket',
      description: 'Works once, for 30 seconds, so that a URL holds no lasting credential.',
    },
    idempotency: false,
    audit: { none: 'opens a connection and changes nothing' },
    example: { output: { ticket: 'dGlja2V0LXRoYXQtd29ya3Mtb25jZS1hbmQtYnJpZWZseS4', expiresIn: 30 } },
  })
    .input(NoInput)
    .output(Ticket)
    .mutation(({ ctx }) => issueTicket(ctx)),

  stats: procedure({
    access: 'system:manage',
    openapi: {
      method: 'GET',
      path: '/ws/stats',
      tags,
      summary: 'Get what is connected to the sockets',
      description: 'Of all processes together, and of each. Processes know of each other through Redis.',
    },
    example: { output: exampleStats },
  })
    .input(NoInput)
    .output(SocketStats)
    .query(({ ctx }) => getSocketStats(ctx)),
});

/** The realtime socket's twin for tRPC clients, over WebSocket and server-sent events; no REST, so in no document. */
export const realtime = router({
  events: procedure({
    access: 'userOrKey',
    openapi: {
      method: 'GET',
      path: '/ws/events',
      tags,
      summary: 'Watch events of the current organization',
      description: 'As they happen, each under its id, with which a client resumes after a break.',
      enabled: false,
    },
    yields: RealtimeEvent,
    example: { input: { events: ['api_key.*'] } },
  })
    .input(WatchEvents)
    .subscription(({ ctx, input, signal }) => watchEvents(ctx, input, signal)),
});
