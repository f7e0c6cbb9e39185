import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { ApiError } from '../contract/errors.ts';
import { type ProblemSource, toProblem } from '../contract/problem.ts';
import { dropUnread } from './connection.ts';

export type Header = readonly [name: string, value: string];

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The headers of every answer, name by name with its value, while it is open whether the answer is a short one. */
const WITHHELD = Symbol('withheld headers');
type Answer = ServerResponse & { [WITHHELD]?: readonly string[] | undefined };

/**
 * Leaves the headers of every answer to whatever answers: set one by one, they take longer than all else about a short
 * answer, and so does a timer. `endJson` sends them with its own; all other ways to answer begin with
 * `setWithheldHeaders`, and are dropped while they are not read.
 */
export function withholdHeaders(res: Answer, headers: readonly string[]): void {
  res[WITHHELD] = headers;
}

export function setWithheldHeaders(res: Answer): void {
  const headers = res[WITHHELD];
  if (!headers) return;
  res[WITHHELD] = undefined;
  dropUnread(res);
  for (let at = 0; at < headers.length; at += 2) res.setHeader(headers[at]!, headers[at + 1]!);
}

/** Answers with JSON. Headers and body leave in one write. */
export function endJson(
  req: IncomingMessage,
  res: Answer,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): void {
  const text = JSON.stringify(body);
  const withheld = res[WITHHELD];
  // The origin of an API key replaces what the settings say of it.
  if (withheld && !isBeingSent(req) && !('Access-Control-Allow-Origin' in headers)) {
    const all = withheld.slice();
    for (const name in headers) all.push(name, headers[name]!);
    all.push('Content-Length', String(Buffer.byteLength(text)));
    res.writeHead(status, all).end(text);
    // Mostly all of it is in the kernel's buffer by now; behind another answer it waits without a socket.
    if (res.socket?.writableLength !== 0) dropUnread(res);
    return;
  }
  setWithheldHeaders(res);
  res.statusCode = status;
  for (const name in headers) {
    if (name === 'Vary') res.appendHeader(name, headers[name]!);
    else res.setHeader(name, headers[name]!);
  }
  res.setHeader('Content-Length', Buffer.byteLength(text)); // Node leaves it out for HEAD on a last connection
  endAnswer(req, res, text);
}

const MAX_DISCARDED_BYTES = 32 * 1024 ** 2;
const DISCARD_TIMEOUT_MS = 10_000;

/**
 * Ends an answer. If the request is still being sent, the rest is read and discarded for a while: closing the
 * connection at once would reset it, and the client would lose the answer.
 */
export function endAnswer(req: IncomingMessage, res: ServerResponse, text?: string): void {
  if (!isBeingSent(req)) return void res.end(text);
  res.setHeader('Connection', 'close');
  if (text === undefined) res.flushHeaders();
  else {
    res.setHeader('Content-Length', Buffer.byteLength(text));
    res.write(text);
    res.flushHeaders(); // for HEAD, to which no body is written
  }
  discard(req, () => {
    if (!res.writableEnded) res.end();
  });
}

/** RFC 9110, 11.6.1. A token that was sent and is not valid is named as the reason (RFC 6750, 3.1). */
export function challengeOf({ refusesCredential }: ApiError): string {
  return refusesCredential ? 'Bearer error="invalid_token"' : 'Bearer';
}

/**
 * Whether a body is announced and has not arrived yet. Even a request without a body is not complete while its handler
 * begins.
 */
function isBeingSent({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}

/** Answers on a connection without a response object, after an upgrade or data that is not HTTP, and ends it. */
export function refuseSocket(socket: Duplex, error: ApiError, source: ProblemSource, headers: readonly Header[]): void {
  const problem = toProblem(error, source);
  const body = JSON.stringify(problem);
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `X-Request-Id: ${source.requestId}`,
    ...(problem.status === 401 ? [`WWW-Authenticate: ${challengeOf(error)}`] : []),
    ...(error.retryAfterS === undefined ? [] : [`Retry-After: ${error.retryAfterS}`]),
    'Connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  discard(socket, () => socket.destroy());
}

/** Reads and discards what still arrives, within bounds of time and amount. `done` is called once. */
function discard(source: Readable, done: () => void): void {
  let left = MAX_DISCARDED_BYTES;
  const timer = setTimeout(finish, DISCARD_TIMEOUT_MS);
  source.on('data', count).once('end', finish).once('error', finish).once('close', finish).resume();

  function count(chunk: Buffer): void {
    left -= chunk.length;
    if (left < 0) finish();
  }

  function finish(): void {
    clearTimeout(timer);
    source.off('data', count).off('end', finish).off('error', finish).off('close', finish);
    source.on('error', () => {}); // bytes left to read
    done();
  }
}
