import type { WebSocket } from 'ws';
import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { toApiError } from '../../contract/problem.ts';
import { chargeFailedAttempt } from '../../pipeline/limits.ts';
import {
  type AuthenticatedCaller,
  chargeFailedAuthentication,
  type LiveCaller,
  watchCaller,
} from '../../pipeline/live-caller.ts';
import { ofOneCall } from '../../pipeline/observe.ts';
import { logRefused } from '../../pipeline/observe-socket.ts';
import { noteUsage } from '../../pipeline/observe-usage.ts';
import { takeRoom } from '../../pipeline/open-limits.ts';
import {
  CLOSE,
  CREDENTIAL_TIMEOUT_MS,
  closeFor,
  closeWith,
  drained,
  hasRoom,
  keepAlive,
  limitMessages,
} from '../../wire/connection.ts';
import { parseJson } from '../../wire/json.ts';
import type { RefusalDelay } from '../../wire/refusal-delay.ts';
import type { Upgrade } from '../../wire/sockets.ts';
import { messageOf } from './event-message.ts';
import { ClientMessage, type ServerMessage } from './schemas.ts';
import { redeemTicket, redeemToken } from './service.ts';
import { type EventStream, openStream } from './stream.ts';

/** As logs and usage name what is sent on this socket. */
const PROCEDURE = 'ws.realtime';
const MAX_WAITING_MESSAGES = 20;

/** An authenticated caller and their events. */
interface Session {
  caller: LiveCaller;
  stream: EventStream;
}

interface SocketOptions {
  ctx: Context;
  /** The caller that the URL authenticated; null where the first message has to. */
  authenticated: AuthenticatedCaller | null;
  refusalDelay: RefusalDelay;
}

/**
 * Speaks the realtime protocol on one open socket: a credential first (in the URL, or as the first message), then
 * `subscribe`, then the organization's events in order of `position`.
 */
export function serveSocket(socket: WebSocket, { ctx, authenticated, refusalDelay }: SocketOptions): void {
  let session: Session | undefined;
  /** Messages wait for each other: a `subscribe` sent right after `auth` finds the caller authenticated. */
  let turn = Promise.resolve();
  let waiting = 0;

  const isOpen = () => socket.readyState === socket.OPEN;
  const sendText = (text: string | Buffer): void => {
    if (isOpen() && hasRoom(socket)) socket.send(text, { binary: false });
  };
  const send = (message: ServerMessage): void => {
    sendText(JSON.stringify(message));
  };
  const sendError = ({ errorCode, detail }: ApiError): void => send({ type: 'error', code: errorCode, detail });
  const refuse = (error: unknown, call: Context, action: ClientMessage['action'] | undefined): ApiError => {
    const known = toApiError(error);
    logRefused(call, error, { procedure: PROCEDURE, action });
    sendError(known);
    return known;
  };
  const end = (reason: ApiError): void => {
    sendError(reason);
    closeFor(socket, reason);
  };

  async function begin(
    call: Context,
    authenticating: AuthenticatedCaller | Promise<AuthenticatedCaller>,
  ): Promise<void> {
    try {
      const authenticated = await authenticating;
      const leave = await takeRoom(authenticated.ctx, 'sockets');
      socket.on('close', leave);
      if (!isOpen()) return leave();
      const caller = watchCaller(authenticated, end);
      socket.on('close', caller.close);
      const stream = await openStream(caller, () => closeWith(socket, CLOSE.goingAway, 'server is stopping'));
      socket.on('close', stream.close);
      session = { caller, stream };
      if (!isOpen()) return close(session);
      sendReady(caller);
      sendEvents(stream).catch((error) => ctx.ports.log.debug({ err: error }, 'socket ended'));
    } catch (error) {
      const reason = refuse(error, call, 'auth');
      await refusalDelay(socket);
      closeFor(socket, reason);
    }
  }

  function close({ caller, stream }: Session): void {
    caller.close();
    stream.close();
  }

  async function sendEvents(stream: EventStream): Promise<void> {
    for (let events = await stream.next(); events.length > 0; events = await stream.next()) {
      for (const event of events) {
        sendText(messageOf(event));
        if (!(await drained(socket))) return;
      }
    }
  }

  function sendReady({ expiresAt }: LiveCaller): void {
    send({ type: 'ready', expiresAt: expiresAt?.toISOString() ?? null });
  }

  /** The first authentication, or a newer token before the old one expires. */
  async function authenticate(call: Context, token: string): Promise<void> {
    const organizationId = session?.caller.ctx.organization.id ?? null;
    const authenticating = chargeFailedAuthentication(call, redeemToken(call, token, organizationId));
    if (!session) return begin(call, authenticating);
    session.caller.renew(await authenticating);
    sendReady(session.caller);
  }

  async function subscribe({ stream }: Session, patterns: readonly string[], lastEventId?: string | null) {
    const from = lastEventId === undefined ? undefined : await stream.positionOf(lastEventId);
    const last = await stream.subscribe(patterns, from);
    send({ type: 'subscribed', events: stream.subscription.list(), lastEventId: last });
  }

  async function answer(text: string): Promise<void> {
    const began = performance.now();
    let call: Context = session?.caller.ctx ?? ctx;
    let action: ClientMessage['action'] | undefined;
    let status = 200;
    try {
      const message = readMessage(text);
      action = message.action;
      if (message.action === 'auth') call = ofOneCall({ ...ctx, now: ctx.ports.clock.now() });
      await handle(message, call);
    } catch (error) {
      ({ status } = refuse(error, call, action));
    }
    if (action === 'ping') return; // keeps the connection open, as a probe
    const durationMs = performance.now() - began;
    noteUsage(call, { procedure: PROCEDURE, status, durationMs, bytesIn: Buffer.byteLength(text) });
  }

  async function handle(message: ClientMessage, call: Context): Promise<void> {
    if (message.action === 'ping') return send({ type: 'pong' });
    if (message.action === 'auth') return authenticate(call, message.token);
    if (!session)
      throw new ApiError('credentials_required', { detail: 'Send { "action": "auth", "token": "…" } first.' });
    if (message.action === 'subscribe') return subscribe(session, message.events, message.lastEventId);
    session.stream.subscription.remove(message.events);
    send({ type: 'subscribed', events: session.stream.subscription.list() });
  }

  keepAlive(socket);
  limitMessages(socket);
  socket.on('message', (data) => {
    if (++waiting > MAX_WAITING_MESSAGES) return closeWith(socket, CLOSE.tooMuch, 'sends faster than it is answered');
    turn = turn.then(() => (isOpen() ? answer(String(data)) : undefined)).finally(() => waiting--);
  });
  const timer = setTimeout(() => {
    if (session) return;
    closeWith(socket, CLOSE.unauthenticated, 'no credential in time');
    chargeFailedAttempt(ctx, new ApiError('credentials_required')).catch(() => {});
  }, CREDENTIAL_TIMEOUT_MS);
  socket.on('close', () => clearTimeout(timer));

  if (authenticated) turn = begin(ctx, authenticated);
}

/** `/api/v1/ws/realtime`. */
export const realtimeUpgrade: Upgrade = {
  path: '/api/v1/ws/realtime',
  async open({ ctx, query, refusalDelay }) {
    const authenticated = await chargeFailedAuthentication(ctx, authenticateUrl(ctx, query));
    return (socket) => serveSocket(socket, { ctx, authenticated, refusalDelay });
  },
};

/** The caller behind `?ticket=` or, where the settings allow it, `?token=`. */
async function authenticateUrl(ctx: Context, query: URLSearchParams): Promise<AuthenticatedCaller | null> {
  const ticket = query.get('ticket');
  if (ticket) return redeemTicket(ctx, ticket);
  const token = query.get('token');
  if (!token) return null;
  if (ctx.ports.env.realtimeTokenInUrl) return redeemToken(ctx, token, null);
  throw new ApiError('credential_in_url');
}

function readMessage(text: string): ClientMessage {
  const parsed = ClientMessage.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ApiError('invalid_input', {
    detail:
      'Send { "action": "auth", "token" }, { "action": "subscribe", "events": […], "lastEventId"? }, { "action": "unsubscribe", "events" } or { "action": "ping" }.',
  });
}
