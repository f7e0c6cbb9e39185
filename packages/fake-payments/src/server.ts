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
  /** Answers a request of this process as the server would, without a socket. */
  answer(target: string, init: RequestInit): Promise<Response>;
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
  let isClosed = false;
  function takeFault(line: string): Fault | null {
    const found = faults.find(({ match, times }) => times > 0 && match.test(line));
    if (!found) return null;
    found.times--;
    return found.fault;
  }

  async function reply(request: FakeRequest): Promise<Reply> {
    const line = `${request.method} ${request.path}`;
    if (requests.length < MAX_REQUESTS) requests.push(line);
    const fault = handlers.isApi(request.path) ? takeFault(line) : null;
    if (fault === 'lose_request') return LOST;
    if (fault === 'rate_limited')
      return whole({ status: 429, body: handlers.rateLimited, headers: { 'retry-after': '7' } });
    const answer = answerOf(handlers, request, fault);
    await handlers.beforeAnswer?.();
    if (fault === 'lose_answer') return LOST;
    if (fault === 'hang') {
      handlers.onHang?.();
      return { ends: 'never' };
    }
    if (fault === 'html_502') return whole({ status: 502, body: '<html><body>Bad gateway</body></html>' });
    if (fault === 'wrong_type') return whole({ status: 200, body: [] });
    if (fault === 'unknown_word') return whole({ ...answer, body: handlers.distort(answer.body) });
    if (fault === 'half_body') return { ...whole(answer), ends: 'in_the_middle' };
    return whole(answer);
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readBody(req);
    const { pathname: path, searchParams: query } = new URL(req.url ?? '/', 'http://fake');
    send(res, await reply({ method: req.method!, path, query, headers: req.headers, body }));
  }

  const { url, close } = await serveWith((req, res) => {
    serve(req, res).catch(() => res.destroy());
  });
  return {
    url,
    requests,
    async answer(target, init) {
      if (isClosed) throw noConnection('fetch failed', 'ECONNREFUSED');
      return respond(await reply(requestOf(new URL(target), init)), init);
    },
    fail(fault, match = /./, times = 1) {
      faults.push({ fault, match, times });
    },
    recover() {
      faults.length = 0;
    },
    async close() {
      isClosed = true;
      await close();
    },
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

/** What becomes of a request: an answer, of which only half arrives, or none. */
type Reply = Written | { ends: 'at_once' } | { ends: 'never' };

interface Written {
  ends: 'well' | 'in_the_middle';
  status: number;
  headers: Record<string, string>;
  text: string;
}

const LOST: Reply = { ends: 'at_once' };

function whole({ status, body, headers = {} }: FakeAnswer): Written {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html; charset=utf-8' : 'application/json';
  const text = status === 204 ? '' : isText ? body : JSON.stringify(body);
  return { ends: 'well', status, headers: { 'content-type': type, ...headers }, text };
}

function send(res: ServerResponse, reply: Reply): void {
  if (reply.ends === 'never') return;
  if (reply.ends === 'at_once') return void res.destroy();
  const { ends, status, headers, text } = reply;
  if (ends === 'well') return void res.writeHead(status, headers).end(text);
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  res.write(text.slice(0, text.length / 2), () => res.destroy());
}

/** As `fetch` does, which fails where the connection is lost. */
function respond(reply: Reply, { signal }: RequestInit): Promise<Response> | Response {
  if (reply.ends === 'never') {
    return new Promise((_, reject) => {
      const end = () => reject(signal?.reason);
      if (signal?.aborted) end();
      else signal?.addEventListener('abort', end, { once: true });
    });
  }
  if (reply.ends === 'at_once') throw noConnection('fetch failed', 'UND_ERR_SOCKET');
  const { ends, status, headers, text } = reply;
  if (ends === 'well') return new Response(status === 204 ? null : text, { status, headers });
  const half = new ReadableStream({
    start: (body) => body.enqueue(Buffer.from(text.slice(0, text.length / 2))),
    pull: (body) => body.error(noConnection('terminated', 'UND_ERR_SOCKET')),
  });
  return new Response(half, { status, headers });
}

const noConnection = (message: string, code: string): TypeError =>
  new TypeError(message, { cause: Object.assign(new Error(code), { code }) });

function requestOf({ pathname: path, searchParams: query }: URL, init: RequestInit): FakeRequest {
  const { method = 'GET', headers, body } = init;
  return {
    method,
    path,
    query,
    headers: Object.fromEntries(new Headers(headers)),
    body:
      typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0),
  };
}
