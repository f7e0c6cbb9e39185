import type { IncomingMessage, ServerResponse } from 'node:http';
import { redactUrl, withoutRedaction } from '@rentapi/platform/logger';
import type { Ports } from '../context.ts';
import { type KnownCaller, type Observed, observed } from '../wire/observed.ts';
import type { ClientAddress } from '../wire/request.ts';
import { noteAnswered } from './observe-usage.ts';

type Observe = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * One line for each request when it is over: who, what, how it went, how long; never what was sent or answered.
 * Requests without a procedure are counted here, because no guard saw them.
 */
export function createRequestObserver(ports: Ports, clientAddress: ClientAddress): Observe {
  // An error may carry anything; the other fields of a line are those below.
  const plain = withoutRedaction(ports.log);
  const log = { debug: plain, info: plain, warn: plain, error: ports.log };

  return (req, res) => {
    const began = performance.now();
    const request = observed(req);
    request.logged = true;
    const { socket, method, url = '/' } = req;
    const ip = clientAddress(req); // a closed socket has lost its peer's address
    const writtenBefore = socket.bytesWritten;

    res.on('close', () => {
      const status = res.statusCode;
      const bytes = socket.bytesWritten - writtenBefore;
      noteAnswered(ports, req, request, bytes);
      if (!request.counted) {
        const procedure = request.procedures[0] ?? 'none';
        ports.metrics.requests.inc({ procedure, transport: request.transport, status });
      }
      const level = levelOfRequest(status, request);
      if (!ports.log.isLevelEnabled(level)) return;
      log[level][level](
        {
          method,
          url: loggedUrl(url),
          ...(request.procedures.length > 0 && { procedure: request.procedures.join(',') }),
          status,
          ...(request.errors.length > 0 && { code: request.errors.map(({ errorCode }) => errorCode).join(',') }),
          ...(request.expected && { reason: request.errors[0]?.detail }),
          durationMs: Math.round((performance.now() - began) * 100) / 100,
          bytes,
          requestId: request.requestId ?? res.getHeader('X-Request-Id') ?? null,
          ip,
          ...callerFields(ports, request.caller),
          ...(!res.writableFinished && { aborted: true }),
          ...(request.failure !== undefined && { err: request.failure }),
        },
        'request',
      );
    });
  };
}

/** Attempts at what is not one's own, and too many of them, are what an operator looks for. */
const SUSPICIOUS = [401, 403, 429];

export function levelOf(status: number): 'info' | 'warn' | 'error' {
  if (status >= 500) return 'error';
  return SUSPICIOUS.includes(status) ? 'warn' : 'info';
}

function levelOfRequest(
  status: number,
  { failure, errors, expected, quiet }: Observed,
): 'debug' | 'info' | 'warn' | 'error' {
  if (expected) return 'info';
  if (failure !== undefined) return 'error'; // an answer that broke off in the middle has said 200 long before
  const level = levelOf(status);
  if (level !== 'info') return level;
  if (errors.some((error) => SUSPICIOUS.includes(error.status))) return 'warn';
  return quiet ? 'debug' : 'info';
}

/** A tRPC query's input is JSON in the URL, where parameter names do not show what is secret: it is left out. */
function loggedUrl(url: string): string {
  if (!url.startsWith('/trpc/')) return redactUrl(url);
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

export function callerFields({ ids }: Ports, caller: KnownCaller): Record<string, string> {
  const { userId, sessionId, keyId, organizationId } = caller;
  return {
    ...(userId !== undefined && { userId: ids.encode('usr', userId) }),
    ...(sessionId !== undefined && { sessionId }),
    ...(keyId !== undefined && { keyId: ids.encode('key', keyId) }),
    ...(organizationId !== undefined && { organizationId: ids.encode('org', organizationId) }),
  };
}
