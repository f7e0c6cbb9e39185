import type { WebSocket } from 'ws';
import type { Context, OrganizationContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { toApiError } from '../../contract/problem.ts';
import type { Feed, StampedEvent } from '../../outbox/feed.ts';
import { apiCallTopic } from '../../pipeline/api-calls.ts';
import { parseJson } from '../../transports/json.ts';
import { ClientMessage, type ServerMessage } from './schemas.ts';
import { redeemTicket, redeemToken } from './service.ts';
import { createSubscription } from './subscription.ts';

const AUTH_TIMEOUT_MS = 10_000;
const PING_EVERY_MS = 30_000;
const MAX_BUFFERED_BYTES = 1024 ** 2;
const BACKLOG_PAGE = 500;

/** Close codes: 4401 as HTTP's 401, 4408 no credential in time, 1013 try again later (RFC 6455). */
const UNAUTHORIZED = 4401;
const AUTH_TIMED_OUT = 4408;
const TRY_AGAIN_LATER = 1013;

/**
 * Speaks the realtime protocol on one open socket: a credential first (in the URL, or as the first message), then
 * `subscribe`, then the organization's events in order of `position`.
 */
export async function serveSocket(socket: WebSocket, ctx: Context, feed: Feed, query: URLSearchParams): Promise<void> {
  const say = (message: ServerMessage): void => {
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.close(TRY_AGAIN_LATER, 'reads too slowly');
    else socket.send(JSON.stringify(message));
  };
  const complain = (error: unknown): void => {
    const known = toApiError(error);
    if (known.status >= 500)
      ctx.ports.log.error({ err: known.cause ?? error, requestId: ctx.call.requestId }, 'socket message failed');
    say({ type: 'error', code: known.errorCode, detail: known.detail });
  };
  keepAlive(socket);

  // Messages wait for each other: a `subscribe` sent right behind `auth` finds the caller known.
  let turn = Promise.resolve();
  let session: ReturnType<typeof openSession> | undefined;
  const enter = async (entering: Promise<OrganizationContext>): Promise<void> => {
    try {
      session = openSession(await entering, feed, say);
      say({ type: 'ready' });
    } catch (error) {
      complain(error);
      socket.close(UNAUTHORIZED, 'not authenticated');
    }
  };
  const handle = async (text: string): Promise<void> => {
    const message = readMessage(text);
    if (message.action === 'ping') return say({ type: 'pong' });
    if (message.action === 'auth') {
      if (session) throw new ApiError('ambiguous_credentials', { detail: 'This socket is authenticated already.' });
      return enter(redeemToken(ctx, message.token));
    }
    if (!session)
      throw new ApiError('credentials_required', { detail: 'Send { "action": "auth", "token": "…" } first.' });
    if (message.action === 'subscribe') return session.subscribe(message.events, message.lastEventId);
    session.unsubscribe(message.events);
  };
  socket.on('message', (data) => {
    turn = turn.then(() => handle(String(data))).catch(complain);
  });

  const timer = setTimeout(() => !session && socket.close(AUTH_TIMED_OUT, 'no credential in time'), AUTH_TIMEOUT_MS);
  socket.on('close', () => {
    clearTimeout(timer);
    session?.close();
  });

  const ticket = query.get('ticket');
  const token = query.get('token');
  if (ticket) turn = turn.then(() => enter(redeemTicket(ctx, ticket)));
  else if (token) turn = turn.then(() => enter(redeemToken(ctx, token)));
  await turn;
}

/** What an authenticated socket can do. */
function openSession(ctx: OrganizationContext, feed: Feed, say: (message: ServerMessage) => void) {
  const { organization, ids, ports } = ctx;
  const subscription = createSubscription(organization.permissions);
  let waiting: StampedEvent[] | null = null; // while a backlog is read, live events wait behind it

  const tell = (event: StampedEvent): void => {
    if (!subscription.wants(event.type)) return;
    say({
      type: 'event',
      id: ids.encode('evt', event.id),
      event: event.type,
      createdAt: event.createdAt.toISOString(),
      data: event.data,
    });
  };
  const unfollow = feed.follow(organization.id, (event) => {
    if (waiting) waiting.push(event);
    else tell(event);
  });
  const unlisten = ports.pubsub.subscribe(apiCallTopic(organization.id), (call) => {
    if (!subscription.list().includes('api_call') || !organization.permissions.has('api_keys:read')) return;
    say({ type: 'event', id: null, event: 'api_call', createdAt: ports.clock.now().toISOString(), data: call });
  });

  /** What was missed since an event, then what came meanwhile: in order, each once. */
  async function replay(lastEventId: string): Promise<void> {
    waiting = [];
    let replayed = 0;
    try {
      let after = ids.decode('evt', lastEventId);
      for (;;) {
        const page = await feed.since(organization.id, after, BACKLOG_PAGE);
        for (const event of page) tell(event);
        const last = page.at(-1);
        replayed = last?.position ?? replayed;
        if (!last || page.length < BACKLOG_PAGE) break;
        after = last.id;
      }
    } finally {
      const live = waiting;
      waiting = null;
      for (const event of live) if (event.position > replayed) tell(event);
    }
  }

  return {
    async subscribe(patterns: readonly string[], lastEventId?: string): Promise<void> {
      subscription.add(patterns);
      say({ type: 'subscribed', events: subscription.list() });
      if (lastEventId !== undefined) await replay(lastEventId);
    },
    unsubscribe(patterns: readonly string[]): void {
      subscription.remove(patterns);
      say({ type: 'subscribed', events: subscription.list() });
    },
    close(): void {
      unfollow();
      unlisten();
    },
  };
}

function readMessage(text: string): ClientMessage {
  const parsed = ClientMessage.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ApiError('invalid_input', {
    detail:
      'Send { "action": "auth", "token" }, { "action": "subscribe", "events": […], "lastEventId"? }, { "action": "unsubscribe", "events" } or { "action": "ping" }.',
  });
}

/** A peer that does not answer a ping by the next one is gone, whatever TCP says. */
function keepAlive(socket: WebSocket): void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_EVERY_MS);
  socket.on('close', () => clearInterval(timer));
}
