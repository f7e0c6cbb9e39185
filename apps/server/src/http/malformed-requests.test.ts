import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { rawExchange } from '../../test/in-process-server.ts';
import { answerMalformedRequests } from './malformed-requests.ts';

let server: Server;
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

async function listen(handle: RequestListener): Promise<number> {
  server = createServer({ connectionsCheckingInterval: 20, headersTimeout: 100, requestTimeout: 200 }, handle);
  answerMalformedRequests(server, 'https://api.example.com', [['X-Content-Type-Options', 'nosniff']], 300);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

it.each([
  ['headers', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
  ['a body', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{'],
])('answers 408 to %s that do not arrive in time', async (_what, request) => {
  const port = await listen((req) => void req.resume());
  const { status, headers, body } = await rawExchange(port, request);
  expect([status, JSON.parse(body).code]).toEqual([408, 'request_timeout']);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

it('ignores proxy headers and unknown expectations instead of refusing the request', async () => {
  const port = await listen((_req, res) => void res.end('served'));
  const connecting = await rawExchange(port, 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n');
  expect([connecting.status, JSON.parse(connecting.body).code]).toEqual([400, 'malformed_request']);
  const head = 'Host: localhost\r\nConnection: close\r\n';
  const expecting = await rawExchange(port, `GET / HTTP/1.1\r\n${head}Expect: a-cake\r\n\r\n`);
  expect([expecting.status, expecting.body]).toEqual([200, 'served']);
});

it('answers the requests before it first, each with its own answer', async () => {
  const port = await listen((req, res) => void setTimeout(() => res.end(req.url), req.url === '/first' ? 50 : 0));
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const socket = connect(port, '127.0.0.1');
  socket.write(`${request('/first')}${request('/second')}HELLO\r\n\r\n`);
  const [first, second, refusal, ...more] = (await text(socket)).split(/(?=HTTP\/1\.1 \d)/);
  expect(more).toEqual([]);
  expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\/first/s);
  expect(second).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\/second/s);
  expect(refusal).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*"code":"malformed_request"/s);
});

it('answers a request before one whose body breaks off the rules', async () => {
  const port = await listen((req, res) => {
    if (req.url === '/first') setTimeout(() => res.end('first'), 50);
    else req.resume();
  });
  const socket = connect(port, '127.0.0.1');
  const broken = 'POST /second HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n';
  socket.write(`GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n${broken}`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*first.*HTTP\/1\.1 400 Bad Request\r\n/s);
});

it('never puts its answer into that of an earlier request', async () => {
  const port = await listen((_req, res) => {
    res.setHeader('Content-Length', 10);
    res.write('12345');
  });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  let received = '';
  socket.on('data', (chunk) => (received += chunk));
  await expect.poll(() => received).toContain('12345');
  socket.write('HELLO\r\n\r\n');
  await once(socket, 'close');
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n12345$/s);
});

it('never answers out of order, before an earlier request', async () => {
  const port = await listen(() => {}); // the server is still working
  expect((await rawExchange(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nHELLO\r\n\r\n')).status).toBeNaN();
});

it('releases a client that neither reads nor closes', async () => {
  const port = await listen(() => {});
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.write('HELLO\r\n\r\n');
  socket.resume();
  await once(socket, 'end');
  const open = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  await expect.poll(open).toBe(0);
  socket.destroy();
});
