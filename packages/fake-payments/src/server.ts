import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a request fails; all but the first two and the last have had their effect before. */
export type Fault =
  | 'lose_request'
  | 'rate_limited'
  | 'lose_answer'
  | 'half_body'
  | 'html_502'
  | 'hang'
  | 'wrong_type'
  | 'unknown_word'
  | 'server_error';

export interface FakeRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface FakeAnswer {
  status: number;
  /** JSON; text as it is. */
  body: unknown;
  headers?: Record<string, string>;
}

/** Thrown by a handler. */
export class FakeRefusal extends Error {
  readonly answer: FakeAnswer;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`${status}`);
    this.answer = { status, body, headers };
  }
}

export interface FakeServer {
  url: string;
  /** What has arrived: `POST /v1/refunds`. */
  requests: string[];
  /** The next requests that match fail in this way. */
  fail(fault: Fault, match?: RegExp, times?: number): void;
  /** No more requests fail. */
  recover(): void;
  close(): Promise<void>;
}

export interface FakeHandlers {
  handle(request: FakeRequest, fault: Fault | null): FakeAnswer;
  /** The body of a 429. */
  rateLimited: unknown;
  /** What an answer looks like with an unknown word. */
  distort(body: unknown): unknown;
  /** Before the answer is sent. */
  beforeAnswer?(): Promise<void>;
  /** When a request gets no answer. */
  onHang?(): void;
  /** Faults are for these. */
  isApi(path: string): boolean;
}

export interface Listening {
  url: string;
  close(): Promise<void>;
}

/** Makes a listener reachable. */
export type Serve = (listener: RequestListener) => Promise<Listening>;

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_REQUESTS = 100_000;

/** An HTTP server on this machine that behaves as a provider does, including badly. */
export async function startFakeServer(handlers: FakeHandlers, serveWith: Serve = listenLocally): Promise<FakeServer> {
  const faults: { fault: Fault; match: RegExp; times: number }[] = [];
  const requests: string[] = [];
  function takeFault(line: string): Fault | null {
    const found = faults.find(({ match, times }) => times > 0 && match.test(line));
    if (!found) return null;
    found.times--;
    return found.fault;
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readBody(req);
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://fake');
    const line = `${req.method} ${pathname}`;
    if (requests.length < MAX_REQUESTS) requests.push(line);
    const fault = handlers.isApi(pathname) ? takeFault(line) : null;
    if (fault === 'lose_request') return void res.destroy();
    if (fault === 'rate_limited')
      return send(res, { status: 429, body: handlers.rateLimited, headers: { 'retry-after': '7' } });
    const request = { method: req.method!, path: pathname, query: searchParams, headers: req.headers, body };
    const answer = answerOf(handlers, request, fault);
    await handlers.beforeAnswer?.();
    if (fault === 'lose_answer') return void res.destroy();
    if (fault === 'hang') return handlers.onHang?.();
    if (fault === 'html_502') return send(res, { status: 502, body: '<html><body>Bad gateway</body></html>' });
    if (fault === 'wrong_type') return send(res, { status: 200, body: [] });
    if (fault === 'unknown_word') return send(res, { ...answer, body: handlers.distort(answer.body) });
    if (fault === 'half_body') return sendHalf(res, answer);
    send(res, answer);
  }

  const { url, close } = await serveWith((req, res) => {
    serve(req, res).catch(() => res.destroy());
  });
  return {
    url,
    requests,
    fail(fault, match = /./, times = 1) {
      faults.push({ fault, match, times });
    },
    recover() {
      faults.length = 0;
    },
    close,
  };
}

/** On a free port, for this machine only. */
export async function listenLocally(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answerOf(handlers: FakeHandlers, request: FakeRequest, fault: Fault | null): FakeAnswer {
  try {
    return handlers.handle(request, fault);
  } catch (error) {
    if (error instanceof FakeRefusal) return error.answer;
    throw error;
  }
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_BODY_BYTES) throw new Error('the body is too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function send(res: ServerResponse, { status, body, headers = {} }: FakeAnswer): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html; charset=utf-8' : 'application/json';
  res.writeHead(status, { 'content-type': type, ...headers });
  res.end(status === 204 ? undefined : isText ? body : JSON.stringify(body));
}

function sendHalf(res: ServerResponse, { status, body }: FakeAnswer): void {
  const text = JSON.stringify(body);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  res.write(text.slice(0, text.length / 2), () => res.destroy());
}
