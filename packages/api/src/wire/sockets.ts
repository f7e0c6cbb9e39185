import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Context, createContext, type Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { toApiError } from '../contract/problem.ts';
import { type Header, refuseSocket } from './answer.ts';
import { CLOSE, closeWith } from './connection.ts';
import { observed } from './observed.ts';
import { createRefusalDelay, type RefusalDelay } from './refusal-delay.ts';
import { type ClientAddress, readRequest, requestIdOf } from './request.ts';

/** A request for an upgrade that has not been answered. */
export interface Handshake {
  ctx: Context;
  req: IncomingMessage;
  query: URLSearchParams;
  /** What the path has for each `{name}` of the pattern. */
  params: Record<string, string>;
  /** For an invalid credential that is known only on the open socket. */
  refusalDelay: RefusalDelay;
}

/** Upgrades connections at one path, in which `{name}` is any segment. */
export interface Upgrade {
  path: string;
  /**
   * Checks the handshake while a refusal is still an HTTP answer: throws what is answered. Returns the function that
   * serves the open socket.
   */
  open(handshake: Handshake): Promise<(socket: WebSocket) => void>;
}

export interface Sockets {
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** How many sockets are open, and how much is buffered for peers that have not read it. */
  stats(): { open: number; bufferedBytes: number };
  /** Closes them with 1001, so that their clients connect to another process. */
  close(): void;
}

interface SocketOptions {
  ports: Ports;
  clientAddress: ClientAddress;
  /** Runs before every upgrade: throws what is answered instead of the 101. */
  admit: (ctx: Context) => Promise<void>;
  upgrades: readonly Upgrade[];
  /** Writes the line of a handshake that was refused at a path. */
  onRefused: (ctx: Context, error: ApiError, path: string) => void;
  /** Sent with each refusal, as with every answer. */
  headers?: readonly Header[] | undefined;
}

export const MAX_MESSAGE_BYTES = 64 * 1024;
const DRAINING_RETRY_S = 1; // another process answers

/** Every upgraded connection, whatever its protocol. */
export function createSockets({
  ports,
  clientAddress,
  admit,
  upgrades,
  onRefused,
  headers = [],
}: SocketOptions): Sockets {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const routes = upgrades.map((upgrade) => ({ upgrade, pattern: patternOf(upgrade.path) }));
  const refusalDelay = createRefusalDelay();
  server.on('wsClientError', ({ message }, socket, req) => {
    const detail = `Open a WebSocket as RFC 6455 defines it: ${message}.`;
    const error = new ApiError('malformed_request', { detail });
    const source = { requestId: requestIdOf(req.headers), publicUrl: ports.env.PUBLIC_URL };
    refuseSocket(socket, error, source, [...headers, ['Sec-WebSocket-Version', '13']]);
  });

  async function open(ctx: Context, req: IncomingMessage) {
    if (req.headers.upgrade?.toLowerCase() !== 'websocket') {
      const detail = 'Only WebSockets are served by an upgrade: leave the `Upgrade` header out.';
      throw new ApiError('malformed_request', { detail });
    }
    // A target such as `//` names no path: an error here would end the process.
    const url = URL.parse(req.url ?? '/', 'http://localhost');
    const route = routes.find(({ pattern }) => url && pattern.test(url.pathname));
    if (!url || !route) throw new ApiError('operation_not_found');
    if (ports.process.draining) throw new ApiError('unavailable', { retryAfterS: DRAINING_RETRY_S });
    await admit(ctx);
    const params = { ...route.pattern.exec(url.pathname)?.groups };
    const serve = await route.upgrade.open({ ctx, req, query: url.searchParams, params, refusalDelay });
    return { path: route.upgrade.path, serve };
  }

  async function answer(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    observed(req).transport = 'socket';
    const ctx = createContext(ports, readRequest(req, requestIdOf(req.headers), clientAddress(req)));
    let opened: Awaited<ReturnType<typeof open>>;
    try {
      opened = await open(ctx, req);
    } catch (error) {
      return refuse(socket, ctx, error, req);
    }
    server.handleUpgrade(req, socket, head, (webSocket) => {
      webSocket.on('error', (error) => ports.log.debug({ err: error }, 'socket failed'));
      ports.connections.add(webSocket, opened.path);
      opened.serve(webSocket);
    });
  }

  function refuse(socket: Duplex, ctx: Context, error: unknown, { url = '/' }: IncomingMessage): void {
    const { request, responseHeaders } = ctx;
    const { requestId } = request;
    const known = toApiError(error);
    if (known.status < 500 || !ports.process.draining) onRefused(ctx, known, url.replace(/[?#].*$/s, ''));
    const { 'X-Request-Id': _, ...limits } = responseHeaders; // `refuseSocket` sends it
    const source = { requestId, publicUrl: ports.env.PUBLIC_URL };
    refuseSocket(socket, known, source, [...headers, ...Object.entries(limits)]);
  }

  return {
    upgrade(req, socket, head) {
      socket.on('error', () => socket.destroy());
      answer(req, socket, head).catch((error: unknown) => {
        ports.log.error({ err: error }, 'upgrade failed');
        socket.destroy();
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

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}
