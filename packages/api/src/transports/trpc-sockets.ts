import type { IncomingMessage } from 'node:http';
import { type AnyRouter, getTRPCErrorShape, type TRPCError } from '@trpc/server';
import { applyWSSHandler, type CreateWSSContextFnOptions } from '@trpc/server/adapters/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ApiRequest, Context, Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { toApiError } from '../contract/problem.ts';
import { chargeFailedAttempt } from '../pipeline/limits.ts';
import {
  type AuthenticatedCaller,
  authenticateConnection,
  chargeFailedAuthentication,
  watchCaller,
} from '../pipeline/live-caller.ts';
import { hasLine, logRefused } from '../pipeline/observe-socket.ts';
import { createTraffic, type Traffic } from '../pipeline/observe-usage.ts';
import { takeRoom } from '../pipeline/open-limits.ts';
import {
  CLOSE,
  CREDENTIAL_TIMEOUT_MS,
  closeFor,
  closeWith,
  drained,
  hasRoom,
  keepAlive,
  LAST_MESSAGE_MS,
  limitMessages,
} from '../wire/connection.ts';
import { parseJson } from '../wire/json.ts';
import type { Handshake, Upgrade } from '../wire/sockets.ts';
import { withConnectionParams } from './trpc-connection-params.ts';

/** A link sends all calls that were made at once in one message, and cannot be limited. */
const MAX_MESSAGES_AT_ONCE = 100;

/** Messages of tRPC's own keep-alive. */
const KEEP_ALIVE = ['PING', 'PONG'];

/** An accepted handshake, and its caller where the headers contain a credential. */
interface Opened extends Handshake {
  caller: AuthenticatedCaller | null;
  /** Whether the credential comes in the first message. */
  isAnnounced: boolean;
  traffic: Traffic;
}

/**
 * tRPC over WebSocket (`wsLink`) at `/trpc`: the same procedures, checked call by call as over HTTP. A connection ends
 * with the credential it was opened with; its client connects again with a new one, and its subscriptions continue.
 */
export function trpcUpgrade({ router, ports }: { router: AnyRouter; ports: Ports }): Upgrade {
  const opened = new WeakMap<IncomingMessage, Opened>();
  const server = new WebSocketServer({ noServer: true }); // only to pass connections to the stock handler
  const config = router._def._config;
  applyWSSHandler({
    wss: server,
    router,
    createContext: createConnectionContext,
    maxBatchSize: MAX_MESSAGES_AT_ONCE,
    experimental_encoder: { encode: (message) => JSON.stringify(message), decode: (data) => parseJson(String(data)) },
    onError({ error, path, req }) {
      if (!hasLine(error)) logRefused(opened.get(req)!.ctx, error, { procedure: path });
    },
  });

  /**
   * Runs once for a connection. Its caller is authenticated here or at the handshake, and checked again for each call.
   */
  async function createConnectionContext({ req, res: socket, info }: CreateWSSContextFnOptions): Promise<Context> {
    // Set by `open`, the only function that passes connections over
    const { ctx, caller, isAnnounced, refusalDelay, traffic } = opened.get(req)!;
    try {
      const request = withConnectionParams(ctx.request, info.connectionParams);
      const connected: Context = {
        ...ctx,
        request,
        connection: { subscriptions: 0, drained: () => drained(socket), end: null, traffic },
      };
      const known = isAnnounced ? await authenticateOnce({ ...connected, now: ports.clock.now() }) : caller;
      if (!known) return connected;
      const leave = await takeRoom(known.ctx, 'sockets');
      ports.connections.assign(socket, known.ctx.organization.id);
      socket.once('close', leave);
      if (socket.readyState !== socket.OPEN) leave();
      const live = watchCaller(known, (reason) => end(socket, reason));
      socket.once('close', live.close);
      if (socket.readyState !== socket.OPEN) live.close();
      return { ...connected, credential: known.ctx.credential };
    } catch (error) {
      await refusalDelay(socket);
      reject(socket, ctx, toApiError(error));
      throw error;
    }
  }

  /** A rejection without an id makes the client continue its backoff; an open connection would reset it. */
  function reject(socket: WebSocket, ctx: Context, error: ApiError): void {
    if (socket.readyState !== socket.OPEN) return;
    const shape = getTRPCErrorShape({
      config,
      ctx,
      error: error as TRPCError,
      type: 'unknown',
      path: undefined,
      input: undefined,
    });
    socket.send(JSON.stringify({ id: null, error: shape }));
    closeFor(socket, error);
  }

  return {
    path: '/trpc',
    async open(handshake) {
      // A connection carries many calls, and these headers belong to one.
      const ofOneCall = { idempotencyKey: undefined, ifMatch: undefined, ifNoneMatch: undefined };
      const request = { ...handshake.ctx.request, ...ofOneCall };
      const ctx = { ...handshake.ctx, request };
      const isAnnounced = handshake.query.get('connectionParams') === '1';
      const caller = isAnnounced ? null : await authenticateOnce(ctx);
      return (socket) => {
        const traffic = createTraffic(ports);
        opened.set(handshake.req, { ...handshake, ctx, caller, isAnnounced, traffic });
        if (!caller) requireFirstMessage(socket, ctx, isAnnounced);
        keepAlive(socket);
        limitMessages(socket);
        const send = socket.send.bind(socket);
        // The stock handler answers without checking how much is unread.
        socket.send = ((...message: Parameters<typeof send>) => {
          traffic.sent(Buffer.byteLength(String(message[0])));
          if (hasRoom(socket)) send(...message);
        }) as typeof socket.send;
        socket.on('message', (data) => traffic.received(Buffer.byteLength(String(data))));
        socket.once('close', traffic.close);
        server.emit('connection', socket, handshake.req);
      };
    },
  };
}

/**
 * Null without a credential, which costs the source of the connection, and for a known caller that is refused here:
 * each of its calls is answered with the reason.
 */
async function authenticateOnce(ctx: Context): Promise<AuthenticatedCaller | null> {
  if (!hasCredential(ctx.request)) {
    await chargeFailedAttempt(ctx, new ApiError('credentials_required'));
    return null;
  }
  try {
    return await chargeFailedAuthentication(ctx, authenticateConnection(ctx, null));
  } catch (error) {
    const { status } = toApiError(error);
    if (status === 401 || status === 429 || status >= 500) throw error;
    return null;
  }
}

/** Closes a connection that neither calls nor sends its credential. One that was to send it has not paid yet. */
function requireFirstMessage(socket: WebSocket, ctx: Context, isAnnounced: boolean): void {
  const timer = setTimeout(() => {
    closeWith(socket, CLOSE.unauthenticated, 'no credential or call in time');
    if (isAnnounced) chargeFailedAttempt(ctx, new ApiError('credentials_required')).catch(() => {});
  }, CREDENTIAL_TIMEOUT_MS);
  socket.on('message', (data) => {
    if (!KEEP_ALIVE.includes(String(data))) clearTimeout(timer);
  });
  socket.once('close', () => clearTimeout(timer));
}

const hasCredential = ({ authorization, apiKey }: ApiRequest): boolean =>
  authorization !== undefined || apiKey !== undefined;

/** A client with an old token connects again at once. One that lost access first gets the reason as its answers. */
function end(socket: WebSocket, reason: ApiError): void {
  if (reason.errorCode === 'access_token_expired') closeFor(socket, reason);
  else setTimeout(() => closeFor(socket, reason), LAST_MESSAGE_MS);
}
