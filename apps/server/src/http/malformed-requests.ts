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

/** Answers where Node would answer by itself, without our headers and without a code, or not at all. */
export function answerMalformedRequests(server: Server, publicUrl: string, headers: readonly Header[]): void {
  const responses = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (req, res) => responses.set(req.socket, res));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const response = responses.get(socket);
    // A second answer would be read as part of the one being sent, or as the answer to an earlier request.
    const isAnswering = response && !response.writableFinished && (response.headersSent || response.req.complete);
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswering) return void socket.destroy();
    const refusal = new ApiError(CODES[error.code ?? ''] ?? 'malformed_request');
    refuseSocket(socket, refusal, { requestId: requestIdOf({}), publicUrl }, headers);
  });
  server.on('connect', (req, socket) => {
    const error = new ApiError('malformed_request', { detail: 'Send the request to its server: this is no proxy.' });
    refuseSocket(socket, error, { requestId: requestIdOf(req.headers), publicUrl }, headers);
  });
  // An unknown `Expect` may be ignored (RFC 9110, 10.1.1).
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
}
