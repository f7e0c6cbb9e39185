import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createContext, type Ports } from '@rentapi/api/context';
import type { Feed } from '@rentapi/api/outbox/feed';
import { serveSocket } from '@rentapi/api/slices/realtime/socket';
import { type ClientAddress, readCall, requestIdOf } from '@rentapi/api/transports/call';
import { WebSocketServer } from 'ws';

const MAX_MESSAGE_BYTES = 16 * 1024;
const GOING_AWAY = 1001;

/** Everything that upgrades an HTTP connection. */
export function createSockets(ports: Ports, clientAddress: ClientAddress) {
  const realtime = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  let feed: Feed | undefined;

  return {
    serve(source: Feed): void {
      feed = source;
    },
    upgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
      socket.on('error', () => socket.destroy());
      const url = new URL(req.url ?? '/', 'http://localhost');
      if (url.pathname !== '/api/v1/ws/realtime') return refuse(socket, '404 Not Found');
      const source = feed;
      if (!source || ports.process.draining) return refuse(socket, '503 Service Unavailable');
      realtime.handleUpgrade(req, socket, head, (webSocket) => {
        webSocket.on('error', (error) => ports.log.debug({ err: error }, 'socket failed'));
        const ctx = createContext(ports, readCall(req, requestIdOf(req.headers), clientAddress(req)));
        void serveSocket(webSocket, ctx, source, url.searchParams);
      });
    },
    close(): void {
      for (const webSocket of realtime.clients) webSocket.close(GOING_AWAY, 'server is stopping');
      realtime.close();
    },
  };
}

function refuse(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
