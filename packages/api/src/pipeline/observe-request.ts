import type { IncomingMessage, ServerResponse } from 'node:http';
import { redactUrl, withoutRedaction } from '@rentapi/platform/logger';
import type { Ports } from '../context.ts';
import { type Observed, observed } from '../wire/observed.ts';
import type { ClientAddress } from '../wire/request.ts';

type Observe = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * One line for each request when it is over: who, what, how it went, how long; never what was sent or answered.
 * Requests without a procedure are counted here, because no guard saw them.
 */
export function createRequestObserver(ports: Ports, clientAddress: ClientAddress): Observe {
  // An error may contain anything; the other fields of a line are those below.
  const log = { debug: withoutRedaction(ports.log), info: withoutRedaction(ports.log), error: ports.log };

  return (req, res) => {
    const began = performance.now();
    const request = observed(req);
    request.logged = true;
    const { socket, method, url = '/' } = req;
    const ip = clientAddress(req); // a closed socket has lost its peer's address
    const writtenBefore = socket.bytesWritten;

    res.once('close', () => {
      const status = res.statusCode;
      if (!request.counted) {
        const procedure = request.procedures[0] ?? 'none';
        ports.metrics.requests.inc({ procedure, transport: request.transport, status });
      }
      // An answer that broke off in the middle had sent its status 200 before.
      const failed = status >= 500 || request.failure !== undefined;
      const level = failed ? 'error' : request.probe ? 'debug' : 'info';
      if (!ports.log.isLevelEnabled(level)) return;
      log[level][level](
        {
          method,
          url: loggedUrl(url),
          ...(request.procedures.length > 0 && { procedure: request.procedures.join(',') }),
          status,
          durationMs: Math.round((performance.now() - began) * 100) / 100,
          bytes: socket.bytesWritten - writtenBefore,
          requestId: res.getHeader('X-Request-Id') ?? null,
          ip,
          ...caller(ports, request),
          ...(!res.writableFinished && { aborted: true }),
          ...(request.failure !== undefined && { err: request.failure }),
        },
        'request',
      );
    });
  };
}

/** A tRPC query's input is JSON in the URL, where parameter names do not show what is secret: it is left out. */
function loggedUrl(url: string): string {
  if (!url.startsWith('/trpc/')) return redactUrl(url);
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function caller({ ids }: Ports, { actor, organizationId }: Observed): Record<string, string> {
  return {
    ...(actor?.kind === 'user' && { userId: ids.encode('usr', actor.user.id) }),
    ...(actor?.kind === 'key' && { keyId: ids.encode('key', actor.key.id) }),
    ...(organizationId !== null && { organizationId: ids.encode('org', organizationId) }),
  };
}
