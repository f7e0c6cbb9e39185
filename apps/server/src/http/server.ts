import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createApi } from '@rentapi/api/api';
import { ApiError } from '@rentapi/api/contract/errors';
import { toApiError } from '@rentapi/api/contract/problem';
import { DEMO_ADMIN } from '@rentapi/api/demo-data';
import { previewMails } from '@rentapi/api/mail-previews';
import { reportFailure } from '@rentapi/api/pipeline/observe';
import { createRequestObserver } from '@rentapi/api/pipeline/observe-request';
import { eventTypes, rawRoutes } from '@rentapi/api/slices/registry';
import { appRouter } from '@rentapi/api/slices/router';
import { describeContract } from '@rentapi/api/transports/describe-contract';
import { sendProblem } from '@rentapi/api/transports/rest';
import { setWithheldHeaders, withholdHeaders } from '@rentapi/api/wire/answer';
import { observed } from '@rentapi/api/wire/observed';
import { requestIdOf } from '@rentapi/api/wire/request';
import { normalizeTarget } from '@rentapi/api/wire/request-target';
import express from 'express';
import type { Runtime } from '../bootstrap.ts';
import { ASYNCAPI_FILE, OPENAPI_FILE } from '../files.ts';
import { pagesRouter } from '../pages/pages.ts';
import { securityHeaders } from '../security-headers.ts';
import { VERSION } from '../version.ts';
import { createClientAddress } from './client-address.ts';
import { createCors } from './cors.ts';
import { answerMalformedRequests } from './malformed-requests.ts';
import { createMetricsHandler } from './metrics.ts';

export interface HttpServer {
  port: number;
  /** From here on requests are served; before, they are answered 503. */
  serve(): void;
  /** Lets open requests finish, closes sockets with 1001, and resolves when nothing is open. */
  close(): Promise<void>;
}

/** A client that sends this slowly occupies a connection for nothing. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How often Node checks these two timeouts. */
const CHECK_TIMEOUTS_EVERY_MS = 2_000;
const DRAIN_TIMEOUT_MS = 18_000;

const LIVENESS_PATH = /^\/health\/liveness\/?(\?|$)/;
const ALIVE = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

const METRICS_PATH = /^\/metrics(\?|$)/;

/** Pages, although their paths are below the API. */
const DOCUMENT_PATH = /^\/api\/v1\/(?:openapi|asyncapi)\.(json|yaml)\/?(\?|$)/;

/** Listens at once, so that a port in use is found before anything is migrated. */
export async function createHttpServer(opened: Runtime): Promise<HttpServer> {
  const { ports, mailbox } = opened;
  const { env } = ports;
  const clientAddress = createClientAddress(env.TRUST_PROXY);
  const security = securityHeaders(env.CSP_MODE, env.PUBLIC_URL.startsWith('https:'));
  const api = createApi({ ports, clientAddress, headers: security.api });
  const observe = createRequestObserver(ports, clientAddress);
  const cors = createCors(env.CORS_ORIGINS, {
    carriesCookies: api.carriesCookies,
    // Before requests are served there may be no table of keys.
    admitsPreflight: async (req) => serveRequest !== undefined && api.admitsPreflight(req),
    sendFailure,
  });
  const apiHeaders = security.api.flat();
  let serveRequest: ((req: IncomingMessage, res: ServerResponse) => void) | undefined;

  // An offer of HTTP/2 (`curl --http2`) is ignored; so is an upgrade to a WebSocket before requests are served.
  const shouldUpgradeCallback = ({ headers }: IncomingMessage): boolean =>
    headers.upgrade?.toLowerCase() === 'websocket' && server.listenerCount('upgrade') > 0;
  const options = {
    shouldUpgradeCallback,
    connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS,
    requireHostHeader: false,
  };
  const server: Server = createServer(options, (req, res) => {
    const unreadable = normalizeTarget(req);
    const ofOrigin = cors.headersOf(req);
    withholdHeaders(res, ofOrigin.length > 0 ? [...apiHeaders, ...ofOrigin] : apiHeaders);
    observe(req, res);
    if (ports.process.draining || unreadable || !serveRequest || req.url === '*') setWithheldHeaders(res);
    if (ports.process.draining) res.setHeader('Connection', 'close');
    if (cors.answersPreflight(req, res)) return;
    if (unreadable) return sendRefusal(req, res, unreadable);
    if (req.url === '*') return res.writeHead(204).end(); // `OPTIONS *`, a ping
    if (serveRequest) return serveRequest(req, res);
    // A long migration is no failure: an orchestrator must not end the process during it.
    if (LIVENESS_PATH.test(req.url ?? '')) return res.writeHead(200, ALIVE).end('{"status":"ok"}');
    const starting = { detail: 'Starting: the database is being prepared.', retryAfterS: 2 };
    Object.assign(observed(req), { expected: true, counted: true });
    sendRefusal(req, res, new ApiError('unavailable', starting));
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  // If a balancer reuses a connection just as it is closed here, its client gets a 502.
  server.keepAliveTimeout = env.KEEP_ALIVE_TIMEOUT_MS;
  answerMalformedRequests(server, env.PUBLIC_URL, security.api);
  await listen(server, env.PORT, env.HOST);

  return {
    port: (server.address() as AddressInfo).port,
    serve() {
      serveRequest = createRequestListener();
      server.on('upgrade', normalizeTarget);
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

  function sendRefusal(
    req: IncomingMessage,
    res: ServerResponse,
    error: unknown,
    requestId = requestIdOf(req.headers),
  ): void {
    sendProblem(req, res, error, { requestId, publicUrl: env.PUBLIC_URL });
  }

  function countSocket(_: IncomingMessage, socket: Duplex): void {
    ports.metrics.openSockets.inc();
    socket.once('close', () => ports.metrics.openSockets.dec());
  }

  /** REST and tRPC find their own route; all else is a page, which Express routes. */
  function createRequestListener(): (req: IncomingMessage, res: ServerResponse) => void {
    const metrics = createMetricsHandler(ports);
    const pages = createPages();
    const servePage = (req: IncomingMessage, res: ServerResponse): void => {
      setWithheldHeaders(res);
      pages(req, res);
    };
    const serveApi = (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      if (!METRICS_PATH.test(req.url ?? '/')) return api.handle(req, res, () => servePage(req, res));
      setWithheldHeaders(res);
      return metrics(req, res);
    };
    return (req, res) => {
      if (DOCUMENT_PATH.test(req.url ?? '/')) return servePage(req, res);
      serveApi(req, res).catch((error: unknown) => sendFailure(req, res, error));
    };
  }

  function sendFailure(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const requestId = requestIdOf(req.headers);
    if (toApiError(error).status >= 500) {
      reportFailure({ ports, request: { requestId, observed: observed(req) } }, error);
    }
    sendRefusal(req, res, error, requestId);
  }

  function createPages(): express.Express {
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    app.use(
      pagesRouter({
        openapi: () => readFileSync(OPENAPI_FILE, 'utf8'),
        asyncapi: () => readFileSync(ASYNCAPI_FILE, 'utf8'),
        contract: () => describeContract(appRouter, rawRoutes, eventTypes),
        mailbox,
        mailKinds: () => previewMails(ports),
        production: env.production,
        version: VERSION,
        publicUrl: ports.env.PUBLIC_URL,
        signInUrl: env.CONSOLE_URL ?? `${env.PUBLIC_URL}/`,
        ...(env.SECURITY_CONTACT && { securityContact: env.SECURITY_CONTACT }),
        jwks: () => ports.accessTokens.jwks,
        calls: api.pages,
        demoAccount: env.SEED_DEMO ? DEMO_ADMIN : null,
        security,
      }),
    );
    app.use((req, res) => sendRefusal(req, res, new ApiError('operation_not_found')));
    app.use((error: unknown, req: express.Request, res: express.Response, _next: express.NextFunction) => {
      sendFailure(req, res, error);
    });
    return app;
  }
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
