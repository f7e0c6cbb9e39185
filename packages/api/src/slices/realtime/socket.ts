import { ApiCallMessage, ClientMessage, SubscribedMessage } from './schemas.ts';
import { type Conversation, callerUpgrade, type Peer } from './service/caller-socket.ts';
import { messageOf } from './service/event-message.ts';
import { type EventStream, openStream } from './service/stream.ts';

type OwnMessage = Exclude<ClientMessage, { action: 'auth' | 'ping' }>;

/** `/api/v1/ws/realtime`: `subscribe`, then the organization's events in order of `position`. */
export const realtimeUpgrade = callerUpgrade<OwnMessage>({
  path: '/api/v1/ws/realtime',
  access: 'userOrKey',
  name: 'ws.realtime',
  messages: ClientMessage,
  usage:
    'Send { "action": "auth", "token" }, { "action": "subscribe", "events": […], "lastEventId"? }, { "action": "unsubscribe", "events" } or { "action": "ping" }.',
  description: 'The events of an organization, as they happen: those that were subscribed to, in order.',
  replies: { subscribe: SubscribedMessage, unsubscribe: SubscribedMessage },
  sends: [ApiCallMessage],
  carries: () => true,
  converse: async (caller, peer) => follow(await openStream(caller, peer.goAway), peer),
});

function follow(stream: EventStream, { send, drained }: Peer): Conversation<OwnMessage> {
  const reply = (message: SubscribedMessage): void => send(message);

  async function subscribe(patterns: readonly string[], lastEventId?: string | null): Promise<void> {
    const from = lastEventId === undefined ? undefined : await stream.positionOf(lastEventId);
    const last = await stream.subscribe(patterns, from);
    reply({ type: 'subscribed', events: stream.subscription.list(), lastEventId: last });
  }

  return {
    async answer(message) {
      if (message.action === 'subscribe') return subscribe(message.events, message.lastEventId);
      stream.subscription.remove(message.events);
      reply({ type: 'subscribed', events: stream.subscription.list() });
    },
    async run() {
      for (let events = await stream.next(); events.length > 0; events = await stream.next()) {
        for (const event of events) {
          send(messageOf(event));
          if (!(await drained())) return;
        }
      }
    },
    close: stream.close,
  };
}
