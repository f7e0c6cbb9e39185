import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawAnswer, rawExchange, startInProcess } from '../../test/in-process-server.ts';
import { createProbeServer, type ProbeServer } from './probe-server.ts';

type Server = Awaited<ReturnType<typeof startInProcess>>;
let starting: Server;
let server: Server;
let draining: Server;
let probes: ProbeServer;

beforeAll(async () => {
  const settings = { PUBLIC_URL: 'https://api.example.com' };
  [starting, server, draining] = await Promise.all([
    startInProcess(settings),
    startInProcess(settings),
    startInProcess(settings),
  ]);
  server.serve();
  draining.serve();
  draining.ports.process.draining = true;
  probes = await createProbeServer(starting.ports, 0);
});
afterAll(async () => {
  await probes?.close();
  await Promise.all([starting?.close(), server?.close(), draining?.close()]);
});

const HEAD = 'Host: localhost\r\nConnection: close\r\n';
const UPGRADE =
  'Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const HUGE = `Cookie: ${'x'.repeat(100_000)}\r\n`;
const get = (path: string, headers = HEAD) => `GET ${path} HTTP/1.1\r\n${headers}\r\n`;
const post = (path: string, body: string, headers: string) =>
  `POST ${path} HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n${headers}\r\n${body}`;

/** What is sent, to which server, and the status and code of the answer; null where the body is no problem document. */
const answers: [what: string, port: () => number, request: string, status: number, code: string | null][] = [
  ['a request while starting', () => starting.port, get('/api/v1/users/me'), 503, 'unavailable'],
  ['a page while starting', () => starting.port, get('/docs'), 503, 'unavailable'],
  ['liveness while starting', () => starting.port, get('/health/liveness?ts=1'), 200, null],
  [
    'a socket while starting',
    () => starting.port,
    get('/api/v1/ws/realtime', UPGRADE.replace('Upgrade\r', 'Upgrade, close\r')),
    503,
    'unavailable',
  ],
  ['an operation', () => server.port, get('/health'), 200, null],
  ['a refused call', () => server.port, get('/api/v1/users/me'), 401, 'credentials_required'],
  ['a refused tRPC call', () => server.port, get('/trpc/users.me.get'), 401, null],
  ['a tRPC ping', () => server.port, `HEAD /trpc/users.me.get HTTP/1.1\r\n${HEAD}\r\n`, 204, null],
  [
    'a preflight',
    () => server.port,
    `OPTIONS /api/v1/users/me HTTP/1.1\r\n${HEAD}Origin: https://a.example\r\n\r\n`,
    204,
    null,
  ],
  ['the server as a whole', () => server.port, `OPTIONS * HTTP/1.1\r\n${HEAD}\r\n`, 204, null],
  ['an unknown operation', () => server.port, get('/api/v1/nope'), 404, 'operation_not_found'],
  ['an unknown address', () => server.port, get('/nope'), 404, 'operation_not_found'],
  ['an unknown page', () => server.port, get('/nope', `${HEAD}Accept: text/html\r\n`), 404, null],
  ['a page', () => server.port, get('/docs'), 200, null],
  ['the document', () => server.port, get('/openapi.json'), 200, null],
  ['metrics', () => server.port, get('/metrics'), 200, null],
  ['refused metrics', () => server.port, get('/metrics', `${HEAD}Via: 1.1 proxy\r\n`), 403, 'permission_denied'],
  ['a target that cannot be read', () => server.port, get('/%ff'), 400, 'malformed_request'],
  [
    'malformed JSON',
    () => server.port,
    post('/api/v1/auth/login', '{', 'Content-Length: 1\r\n'),
    400,
    'malformed_json',
  ],
  ['what is not HTTP', () => server.port, 'HELLO\r\n\r\n', 400, 'malformed_request'],
  [
    'a request without a host',
    () => server.port,
    'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n',
    400,
    'malformed_request',
  ],
  [
    'two lengths',
    () => server.port,
    post('/api/v1/auth/login', '{}', 'Content-Length: 2\r\nContent-Length: 3\r\n'),
    400,
    'malformed_request',
  ],
  [
    'a chunk of no length',
    () => server.port,
    post('/api/v1/auth/login', 'xyz\r\n', 'Transfer-Encoding: chunked\r\n'),
    400,
    'malformed_request',
  ],
  ['too many headers', () => server.port, get('/health', HEAD + HUGE), 431, 'headers_too_large'],
  ['an unknown socket', () => server.port, get('/nope', UPGRADE), 404, 'operation_not_found'],
  [
    'a socket without a key',
    () => server.port,
    get('/trpc', UPGRADE.replace(/Sec-WebSocket-Key.*\r\n/, '')),
    400,
    'malformed_request',
  ],
  [
    'a socket of another version',
    () => server.port,
    get('/trpc', UPGRADE.replace('13', '12')),
    400,
    'malformed_request',
  ],
  ['a socket while stopping', () => draining.port, get('/trpc', UPGRADE), 503, 'unavailable'],
  ['a request while stopping', () => draining.port, get('/health/readiness'), 503, 'unavailable'],
  ['a probe', () => probes.port, get('/health/liveness'), 200, null],
  ['metrics of a worker', () => probes.port, get('/metrics'), 200, null],
  ['what a worker does not serve', () => probes.port, get('/api/v1/users/me'), 404, 'operation_not_found'],
  ['what is not HTTP, to a worker', () => probes.port, 'HELLO\r\n\r\n', 400, 'malformed_request'],
  ['a target that a worker cannot read', () => probes.port, get('/health/%ff'), 400, 'malformed_request'],
];

function assertSecure({ headers }: RawAnswer): void {
  const policy = headers.get('content-security-policy');
  expect(policy).toContain("base-uri 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("default-src 'none'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('strict-transport-security')).toContain('max-age=');
}

describe('security headers (V3.4.1, V3.4.3, V3.4.4, V3.4.6)', () => {
  it.each(answers)('are on the answer to %s', async (_what, port, request, status, code) => {
    const answer = await rawExchange(port(), request);
    expect(answer.status).toBe(status);
    assertSecure(answer);
    if (code === null) return;
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const problem = JSON.parse(answer.body);
    expect(problem).toMatchObject({
      status,
      code,
      type: `https://api.example.com/docs/errors/${code}`,
      requestId: expect.any(String),
    });
    expect(answer.headers.get('x-request-id')).toBe(problem.requestId);
  });
});
