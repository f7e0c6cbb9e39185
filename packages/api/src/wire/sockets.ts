import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { type Header, refuseSocket } from './answer.ts';
import { CLOSE, closeWith } from './connection.ts';
import { requestIdOf } from './request.ts';

/** What upgrades a connection at one path. */
export interface Upgrade {
  path: string;
  /** Says its first word, and everything after, on an open socket. */
  serve(socket: WebSocket, req: IncomingMessage, query: URLSearchParams): void;
}

export interface Sockets {
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** How many are open, and what they hold for peers that have not read it. */
  stats(): { open: number; bufferedBytes: number };
  /** Closes them with 1001, so that their clients connect to another process. */
  close(): void;
}

const MAX_MESSAGE_BYTES = 64 * 1024;
const DRAINING_RETRY_S = 1; // another process answers

/** Every connection that is upgraded, whatever it speaks then. `headers` go with each refusal, as with every answer. */
export function createSockets(ports: Ports, upgrades: readonly Upgrade[], headers: readonly Header[] = []): Sockets {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const byPath = new Map(upgrades.map((upgrade) => [upgrade.path, upgrade]));
  server.on('wsClientError', ({ message }, socket, req) => {
    const detail = `Open a WebSocket as RFC 6455 defines it: ${message}.`;
    const error = new ApiError('malformed_request', { detail });
    refuseSocket(socket, error, requestIdOf(req.headers), [...headers, ['Sec-WebSocket-Version', '13']]);
  });

  return {
    upgrade(req, socket, head) {
      socket.on('error', () => socket.destroy());
      // A target such as `//` is none: what throws here would end the process.
      const url = URL.parse(req.url ?? '/', 'http://localhost');
      const upgrade = url && byPath.get(url.pathname);
      const refuse = (error: ApiError) => refuseSocket(socket, error, requestIdOf(req.headers), headers);
      if (!upgrade) return refuse(new ApiError('operation_not_found'));
      if (ports.process.draining) return refuse(new ApiError('unavailable', { retryAfterS: DRAINING_RETRY_S }));
      server.handleUpgrade(req, socket, head, (webSocket) => {
        webSocket.on('error', (error) => ports.log.debug({ err: error }, 'socket failed'));
        upgrade.serve(webSocket, req, url.searchParams);
      });
    },
    stats() {
      const clients = [...server.clients];
      return { open: clients.length, bufferedBytes: clients.reduce((sum, each) => sum + each.bufferedAmount, 0) };
    },
    close() {
      ports.feed.release();
      for (const webSocket of server.clients) closeWith(webSocket, CLOSE.goingAway, 'server is stopping');
      server.close();
    },
  };
}
