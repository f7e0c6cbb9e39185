import type { IncomingMessage, ServerResponse } from 'node:http';
import { redactUrl } from '@rentapi/platform/logger';
import type { Ports } from '../context.ts';
import type { ClientAddress } from '../transports/call.ts';
import { type Observed, observed } from './observe.ts';

type Level = 'debug' | 'info' | 'error';

/**
 * One line for each request when it is over — who, what, how it went, how long — and never what was sent or answered. What
 * named no procedure is counted here, because no guard saw it.
 */
export function observeRequest(
  ports: Ports,
  clientAddress: ClientAddress,
  req: IncomingMessage,
  res: ServerResponse,
): void {
  const began = performance.now();
  const request = observed(req);
  request.logged = true;
  const { socket, method, url = '/' } = req;
  const ip = clientAddress(req); // a closed socket has forgotten its peer
  const writtenBefore = socket.bytesWritten;

  res.once('close', () => {
    const status = res.statusCode;
    if (!request.counted) {
      const procedure = request.procedures[0] ?? 'none';
      ports.metrics.requests.inc({ procedure, transport: request.transport, status });
    }
    const level: Level = status >= 500 ? 'error' : url.startsWith('/health') ? 'debug' : 'info';
    if (!ports.log.isLevelEnabled(level)) return;
    ports.log[level](
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
}

/** A tRPC query's input is JSON in the URL, where no parameter's name tells what is secret: it is left out. */
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
