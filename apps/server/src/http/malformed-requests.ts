import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, type ErrorCode } from '@rentapi/api/contract/errors';
import { type Header, refuseSocket } from '@rentapi/api/wire/answer';
import { requestIdOf } from '@rentapi/api/wire/request';

/** Errors of Node's parser, by code. */
const CODES: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** How long a refusal waits for the answers to earlier requests. */
const WAIT_MS = 10_000;

/** Answers where Node would answer by itself, without our headers and without a code, or not at all. */
export function answerMalformedRequests(
  server: Server,
  publicUrl: string,
  headers: readonly Header[],
  waitMs: number = WAIT_MS,
): void {
  const unanswered = new WeakMap<Duplex, Set<ServerResponse>>();
  const refused = new WeakSet<Duplex>();
  server.on('request', (req, res) => {
    const responses = unanswered.get(req.socket) ?? new Set();
    unanswered.set(req.socket, responses.add(res));
    res.once('close', () => responses.delete(res));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    if (refused.has(socket)) return; // what follows cannot be read either
    refused.add(socket);
    const refusal = new ApiError(CODES[error.code ?? ''] ?? 'malformed_request');
    // A request of which the rest cannot be read gets this answer; those before it get their own first.
    const earlier = [...(unanswered.get(socket) ?? [])].filter((res) => res.headersSent || res.req.complete);
    void allClosed(earlier, waitMs).then((closed) => {
      if (closed && socket.writable) refuseSocket(socket, refusal, { requestId: requestIdOf({}), publicUrl }, headers);
      else socket.destroy();
    });
  });
  server.on('connect', (req, socket) => {
    const error = new ApiError('malformed_request', { detail: 'Send the request to its server: this is no proxy.' });
    refuseSocket(socket, error, { requestId: requestIdOf(req.headers), publicUrl }, headers);
  });
  // An unknown `Expect` may be ignored (RFC 9110, 10.1.1).
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
}

/** Whether all of them end in time. */
async function allClosed(responses: readonly ServerResponse[], waitMs: number): Promise<boolean> {
  if (responses.length === 0) return true;
  const timeout = AbortSignal.timeout(waitMs);
  const ends = responses.map((res) => res.closed || once(res, 'close', { signal: timeout }));
  return Promise.all(ends).then(
    () => true,
    () => false,
  );
}
