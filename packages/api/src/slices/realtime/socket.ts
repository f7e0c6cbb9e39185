import type { WebSocket } from 'ws';
import { type Context, createContext, type Ports } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { toApiError } from '../../contract/problem.ts';
import {
  type AuthenticatedCaller,
  chargeFailedEntry,
  type LiveCaller,
  watchCaller,
} from '../../pipeline/live-caller.ts';
import { CLOSE, closeFor, closeWith, drained, hasRoom, keepAlive, limitMessages } from '../../wire/connection.ts';
import { parseJson } from '../../wire/json.ts';
import { type ClientAddress, readRequest, requestIdOf } from '../../wire/request.ts';
import type { Upgrade } from '../../wire/sockets.ts';
import { ClientMessage, type ServerMessage } from './schemas.ts';
import { redeemTicket, redeemToken } from './service.ts';
import { type EventStream, openStream } from './stream.ts';

const AUTH_TIMEOUT_MS = 10_000;
const MAX_WAITING_MESSAGES = 20;

/** Somebody who was let in, and their events. */
interface Session {
  caller: LiveCaller;
  stream: EventStream;
}

/**
 * Speaks the realtime protocol on one open socket: a credential first (in the URL, or as the first message), then
 * `subscribe`, then the organization's events in order of `position`.
 */
export function serveSocket(socket: WebSocket, ctx: Context, query: URLSearchParams): void {
  let session: Session | undefined;
  /** Messages wait for each other: a `subscribe` sent right behind `auth` finds the caller known. */
  let turn = Promise.resolve();
  let waiting = 0;

  const say = (message: ServerMessage): void => {
    if (socket.readyState === socket.OPEN && hasRoom(socket)) socket.send(JSON.stringify(message));
  };
  const complain = (error: unknown): void => {
    const known = toApiError(error);
    if (known.status >= 500)
      ctx.ports.log.error({ err: known.cause ?? error, requestId: ctx.request.requestId }, 'socket message failed');
    say({ type: 'error', code: known.errorCode, detail: known.detail });
  };
  const refuse = (reason: ApiError): void => {
    complain(reason);
    closeFor(socket, reason);
  };

  async function enter(entry: AuthenticatedCaller): Promise<void> {
    const caller = watchCaller(entry, refuse);
    const stream = await openStream(caller, () => closeWith(socket, CLOSE.goingAway, 'server is stopping'));
    session = { caller, stream };
    socket.on('close', () => leave({ caller, stream }));
    if (socket.readyState !== socket.OPEN) return leave(session);
    ready(caller);
    tellAll(stream).catch((error) => ctx.ports.log.debug({ err: error }, 'socket ended'));
  }

  function leave({ caller, stream }: Session): void {
    caller.close();
    stream.close();
  }

  async function tellAll(stream: EventStream): Promise<void> {
    for (let events = await stream.next(); events.length > 0; events = await stream.next()) {
      for (const event of events) {
        say({ type: 'event', ...event });
        await drained(socket);
      }
    }
  }

  function ready({ expiresAt }: LiveCaller): void {
    say({ type: 'ready', expiresAt: expiresAt?.toISOString() ?? null });
  }

  /** The first time, or for longer than the token that is running out. */
  async function authenticate(token: string): Promise<void> {
    const now = { ...ctx, now: ctx.ports.clock.now() };
    if (!session) return admit(redeemToken(now, token, null));
    session.caller.renew(await chargeFailedEntry(now, redeemToken(now, token, session.caller.ctx.organization.id)));
    ready(session.caller);
  }

  /** Whoever brings no good credential has nothing more to say. */
  async function admit(entering: Promise<AuthenticatedCaller>): Promise<void> {
    try {
      await enter(await chargeFailedEntry(ctx, entering));
    } catch (error) {
      refuse(toApiError(error));
    }
  }

  async function subscribe(
    { stream }: Session,
    patterns: readonly string[],
    lastEventId?: string | null,
  ): Promise<void> {
    const from = lastEventId === undefined ? undefined : await stream.placeOf(lastEventId);
    const last = await stream.subscribe(patterns, from);
    say({ type: 'subscribed', events: stream.subscription.list(), lastEventId: last });
  }

  async function handle(message: ClientMessage): Promise<void> {
    if (message.action === 'ping') return say({ type: 'pong' });
    if (message.action === 'auth') return authenticate(message.token);
    if (!session)
      throw new ApiError('credentials_required', { detail: 'Send { "action": "auth", "token": "…" } first.' });
    if (message.action === 'subscribe') return subscribe(session, message.events, message.lastEventId);
    session.stream.subscription.remove(message.events);
    say({ type: 'subscribed', events: session.stream.subscription.list() });
  }

  keepAlive(socket);
  limitMessages(socket);
  socket.on('message', (data) => {
    if (++waiting > MAX_WAITING_MESSAGES) return closeWith(socket, CLOSE.tooMuch, 'sends faster than it is answered');
    turn = turn
      .then(() => handle(readMessage(String(data))))
      .catch(complain)
      .finally(() => waiting--);
  });
  const timer = setTimeout(
    () => session || closeWith(socket, CLOSE.unauthenticated, 'no credential in time'),
    AUTH_TIMEOUT_MS,
  );
  socket.on('close', () => clearTimeout(timer));

  const ticket = query.get('ticket');
  const token = query.get('token');
  if (ticket) turn = turn.then(() => admit(redeemTicket(ctx, ticket)));
  else if (token) turn = turn.then(() => admit(redeemToken(ctx, token, null)));
}

/** `/api/v1/ws/realtime`. */
export function realtimeUpgrade(ports: Ports, clientAddress: ClientAddress): Upgrade {
  return {
    path: '/api/v1/ws/realtime',
    serve(socket, req, query) {
      const ctx = createContext(ports, readRequest(req, requestIdOf(req.headers), clientAddress(req)));
      serveSocket(socket, ctx, query);
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
