import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Ports } from '@rentapi/api/context';
import { ApiError } from '@rentapi/api/contract/errors';
import { toApiError } from '@rentapi/api/contract/problem';
import { router } from '@rentapi/api/procedure';
import { system } from '@rentapi/api/slices/system/router';
import { createRestHandler, sendProblem } from '@rentapi/api/transports/rest';
import { requestIdOf } from '@rentapi/api/wire/request';
import { normalizeTarget } from '@rentapi/api/wire/request-target';
import { securityHeaders, setHeaders } from '../security-headers.ts';
import { createClientAddress } from './client-address.ts';
import { answerMalformedRequests } from './malformed-requests.ts';
import { createMetricsHandler } from './metrics.ts';

export interface ProbeServer {
  port: number;
  close(): Promise<void>;
}

/** Only an orchestrator and a scraper call it, both with requests that have no body. */
const REQUEST_TIMEOUT_MS = 10_000;

/** For a process that serves no clients: the same `/health…` and `/metrics` as an API process, and nothing else. */
export async function createProbeServer(ports: Ports, port: number): Promise<ProbeServer> {
  const { env } = ports;
  const clientAddress = createClientAddress(env.TRUST_PROXY);
  const health = createRestHandler({ rawRoutes: [], router: router({ system }), ports, clientAddress });
  const metrics = createMetricsHandler(ports);
  const { api: headers } = securityHeaders(env.CSP_MODE, env.PUBLIC_URL.startsWith('https:'));

  async function serveProbe(req: IncomingMessage, res: ServerResponse): Promise<void> {
    setHeaders(res, headers);
    const unreadable = normalizeTarget(req);
    if (unreadable) throw unreadable;
    if (/^\/metrics(\?|$)/.test(req.url!)) return metrics(req, res);
    return health(req, res, () => {
      throw new ApiError('operation_not_found');
    });
  }

  const server = createServer({ requireHostHeader: false }, (req, res) => {
    serveProbe(req, res).catch((error: unknown) => {
      const requestId = requestIdOf(req.headers);
      if (toApiError(error).status >= 500) ports.log.error({ err: error, requestId }, 'request failed');
      sendProblem(req, res, error, { requestId, publicUrl: env.PUBLIC_URL });
    });
  });
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  answerMalformedRequests(server, env.PUBLIC_URL, headers);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`Cannot listen on WORKER_PORT ${port}: ${error.message}`)));
    server.listen(port, env.HOST, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections(); // a probe that is cut off is repeated
      await closed;
    },
  };
}
