import type { AnyRouter } from '@trpc/server';
import { applyWSSHandler, type CreateWSSContextFnOptions } from '@trpc/server/adapters/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Context, createContext, type Ports } from '../context.ts';
import type { ApiError } from '../contract/errors.ts';
import { toApiError } from '../contract/problem.ts';
import { chargeFailedEntry, entryOfCall, watchCaller } from '../pipeline/live-caller.ts';
import { closeFor, drained, hasRoom, keepAlive, LAST_WORDS_MS, limitMessages } from '../wire/connection.ts';
import { parseJson } from '../wire/json.ts';
import { type ClientAddress, readRequest, requestIdOf } from '../wire/request.ts';
import type { Upgrade } from '../wire/sockets.ts';
import { withConnectionParams } from './trpc-connection-params.ts';

/** A link says in one message all that is asked for at once, and does not know how to say less. */
const MAX_MESSAGES_AT_ONCE = 100;

/**
 * tRPC over WebSocket (`wsLink`) at `/trpc`: the same procedures, judged call by call as over HTTP. A connection ends with the
 * credential it was opened with; its client connects again, with a new one, and its subscriptions go on where they were.
 */
export function trpcUpgrade(options: { router: AnyRouter; ports: Ports; clientAddress: ClientAddress }): Upgrade {
  const { router, ports, clientAddress } = options;
  const server = new WebSocketServer({ noServer: true }); // only to tell the stock handler of connections
  applyWSSHandler({
    wss: server,
    router,
    createContext: open,
    maxBatchSize: MAX_MESSAGES_AT_ONCE,
    experimental_encoder: { encode: (message) => JSON.stringify(message), decode: (data) => parseJson(String(data)) },
    onError({ error, path }) {
      const known = toApiError(error);
      if (known.status >= 500) ports.log.error({ err: known.cause ?? error, procedure: path }, 'request failed');
    },
  });

  /** Once for a connection: who opens it is asked now, and again for every call. */
  async function open({ req, res: socket, info }: CreateWSSContextFnOptions): Promise<Context> {
    const said = readRequest(req, requestIdOf(req.headers), clientAddress(req));
    // One header cannot stand for every call to come.
    const call = withConnectionParams(
      { ...said, idempotencyKey: undefined, ifMatch: undefined },
      info.connectionParams,
    );
    const ctx: Context = {
      ...createContext(ports, call),
      connection: { subscriptions: 0, drained: () => drained(socket), end: null },
    };
    if (call.authorization === undefined && call.apiKey === undefined) return ctx;
    try {
      const caller = watchCaller(await chargeFailedEntry(ctx, entryOfCall(ctx, null)), (reason) => end(socket, reason));
      socket.once('close', caller.close);
      if (socket.readyState !== socket.OPEN) caller.close();
    } catch (error) {
      const known = toApiError(error);
      const isStranger = known.status === 401 || known.status === 429;
      if (isStranger) closeFor(socket, known);
      // Whoever is known, and may not do this here, is told so by each call.
      if (isStranger || known.status >= 500) throw error;
    }
    return ctx;
  }

  /** Whoever only needs a newer token connects again at once. Whoever may no more is first told so, by each subscription. */
  function end(socket: WebSocket, reason: ApiError): void {
    if (reason.errorCode === 'access_token_expired') closeFor(socket, reason);
    else setTimeout(() => closeFor(socket, reason), LAST_WORDS_MS);
  }

  return {
    path: '/trpc',
    serve(socket, req) {
      keepAlive(socket);
      limitMessages(socket);
      const send = socket.send.bind(socket);
      // The stock handler answers without looking how much is unread.
      socket.send = ((...message: Parameters<typeof send>) => {
        if (hasRoom(socket)) send(...message);
      }) as typeof socket.send;
      server.emit('connection', socket, req);
    },
  };
}
