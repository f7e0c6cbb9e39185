import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Ports } from '../context.ts';
import { CLOSE, closeWith } from './connection.ts';

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

/** Every connection that is upgraded, whatever it speaks then. */
export function createSockets(ports: Ports, upgrades: readonly Upgrade[]): Sockets {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const byPath = new Map(upgrades.map((upgrade) => [upgrade.path, upgrade]));

  return {
    upgrade(req, socket, head) {
      socket.on('error', () => socket.destroy());
      // A target such as `//` is none: what throws here would end the process.
      const url = URL.parse(req.url ?? '/', 'http://localhost');
      const upgrade = url && byPath.get(url.pathname);
      if (!upgrade) return refuse(socket, '404 Not Found');
      if (ports.process.draining) return refuse(socket, '503 Service Unavailable');
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

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
