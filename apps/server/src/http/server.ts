import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createApi } from '@rentapi/api/api';
import { ApiError } from '@rentapi/api/contract/errors';
import { toApiError, toProblem } from '@rentapi/api/contract/problem';
import { DEMO_ADMIN } from '@rentapi/api/demo-data';
import { observed, reportFailure } from '@rentapi/api/pipeline/observe';
import { createRequestObserver } from '@rentapi/api/pipeline/observe-request';
import { ERRORS } from '@rentapi/api/slices/errors';
import { sendProblem } from '@rentapi/api/transports/rest';
import { requestIdOf } from '@rentapi/api/wire/request';
import express from 'express';
import type { Runtime } from '../bootstrap.ts';
import { pagesRouter } from '../pages/pages.ts';
import { securityHeaders, setHeaders } from '../security-headers.ts';
import { VERSION } from '../version.ts';
import { createClientAddress } from './client-address.ts';
import { createCors } from './cors.ts';
import { createMetricsHandler } from './metrics.ts';

export interface HttpServer {
  port: number;
  /** From here on requests are served; before, they are told to come back. */
  serve(): void;
  /** Lets requests under way finish, closes sockets with 1001, and resolves when nothing is open. */
  close(): Promise<void>;
}

/** A client that sends this slowly holds a connection for nothing. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const DRAIN_TIMEOUT_MS = 20_000;

const LIVENESS_PATH = '/health/liveness';
const ALIVE = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

const OPENAPI_PATH = '/api/v1/openapi.json';
const OPENAPI_FILE = new URL('../../../../docs/openapi.json', import.meta.url);

/** Listens at once, so that a port in use is known before anything is migrated. */
export async function createHttpServer(opened: Runtime): Promise<HttpServer> {
  const { ports, mailbox } = opened;
  const { env } = ports;
  const clientAddress = createClientAddress(env.TRUST_PROXY);
  const api = createApi({ ports, clientAddress });
  const observe = createRequestObserver(ports, clientAddress);
  let app: express.Express | undefined;

  // An offer of HTTP/2 (`curl --http2`) is no wish for a socket: it is answered as if it had not been made.
  const shouldUpgradeCallback = ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket';
  const server = createServer({ shouldUpgradeCallback }, (req, res) => {
    observe(req, res);
    if (app) return app(req, res);
    // A long migration is no death: whoever looks for one must not end the process in the middle of it.
    if (req.url === LIVENESS_PATH) return res.writeHead(200, ALIVE).end('{"status":"ok"}');
    const starting = { detail: 'Starting: the database is being prepared.', retryAfterS: 2 };
    refuse(req, res, new ApiError('unavailable', starting));
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  // A balancer that reuses a connection just as it is closed here answers its client with 502.
  server.keepAliveTimeout = env.KEEP_ALIVE_TIMEOUT_MS;
  server.on('clientError', refuseMalformed);
  await listen(server, env.PORT, env.HOST);

  return {
    port: (server.address() as AddressInfo).port,
    serve() {
      app = createApp();
      server.on('upgrade', countSocket);
      server.on('upgrade', api.sockets.upgrade);
    },
    async close() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      api.sockets.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT_MS);
      await closed;
      clearTimeout(timer);
    },
  };

  function countSocket(_: IncomingMessage, socket: Duplex): void {
    ports.metrics.openSockets.inc();
    socket.once('close', () => ports.metrics.openSockets.dec());
  }

  function createApp(): express.Express {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    const security = securityHeaders(env.CSP_MODE, ports.env.PUBLIC_URL.startsWith('https:'));
    const answersPreflight = createCors(env.CORS_ORIGINS);
    const metrics = createMetricsHandler(ports);

    app.use((req, res, next) => {
      setHeaders(res, security.api);
      if (ports.process.draining) res.setHeader('Connection', 'close');
      if (answersPreflight(req, res)) return;
      const url = req.url;
      if (/^\/metrics(\?|$)/.test(url)) return metrics(req, res);
      if (url === OPENAPI_PATH) return next(); // a page, though it lies below the API
      return api.handle(req, res, next);
    });
    app.use(
      pagesRouter({
        openapi: () => readFileSync(OPENAPI_FILE, 'utf8'),
        errors: ERRORS,
        mailbox,
        production: env.production,
        version: VERSION,
        publicUrl: ports.env.PUBLIC_URL,
        demoAccount: env.SEED_DEMO ? DEMO_ADMIN : null,
        security,
      }),
    );
    app.use((req, res) => refuse(req, res, new ApiError('operation_not_found')));
    app.use((error: unknown, req: express.Request, res: express.Response, _next: express.NextFunction) => {
      const requestId = requestIdOf(req.headers);
      if (error instanceof URIError) return refuse(req, res, new ApiError('operation_not_found'), requestId); // `/docs/errors/%ff`
      if (toApiError(error).status >= 500)
        reportFailure({ ports, request: { requestId, observed: observed(req) } }, error);
      refuse(req, res, error, requestId);
    });
    return app;
  }
}

function refuse(req: IncomingMessage, res: ServerResponse, error: unknown, requestId = requestIdOf(req.headers)): void {
  sendProblem(req, res, { 'X-Request-Id': requestId }, toProblem(error, requestId), toApiError(error).retryAfterS);
}

/** What is not even HTTP has no request to answer: the socket is all there is. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function listen(server: ReturnType<typeof createServer>, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} is in use: stop what uses it, or set another PORT.`)
          : new Error(`Cannot listen on ${host}:${port}: ${error.message}`),
      );
    });
    server.listen(port, host, resolve);
  });
}
