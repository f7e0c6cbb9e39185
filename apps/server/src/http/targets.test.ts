import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawExchange, startInProcess } from '../../test/in-process-server.ts';

let server: Awaited<ReturnType<typeof startInProcess>>;
beforeAll(async () => {
  server = await startInProcess();
  server.serve();
});
afterAll(() => server.close());

const ask = (target: string, { method = 'GET', headers = '' } = {}) =>
  rawExchange(server.port, `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`);
const codeOf = (body: string): string => JSON.parse(body).code;

describe('a request target', () => {
  it.each([
    ['/health', 200],
    ['/health/liveness', 200],
    ['/api/v1/users/me', 401],
    ['/trpc/users.me.get', 401],
    ['/metrics', 200],
    ['/docs', 200],
    ['/openapi.json', 200],
    ['/api/v1/openapi.json', 200],
    ['/asyncapi.json', 200],
    ['/openapi.yaml', 200],
    ['/api/v1/openapi.yaml', 200],
    ['/nope', 404],
  ])('in absolute form is served as %s is', async (path, status) => {
    expect((await ask(path)).status).toBe(status);
    for (const origin of [`http://127.0.0.1:${server.port}`, `HTTPS://localhost`]) {
      expect((await ask(origin + path)).status).toBe(status);
    }
  });

  it('in absolute form may leave out the path, and its host replaces `Host`', async () => {
    expect((await ask('http://localhost')).status).toBe(200);
    expect((await ask('http://localhost?x=1')).status).toBe(200);
    expect((await ask('http://evil.example/metrics')).status).toBe(403);
    expect((await ask('http://localhost/metrics')).status).toBe(200);
  });

  it.each([
    'ftp://localhost/health',
    'http://[/health',
    'http://x:99999/health',
    'http://',
    'http://user@localhost/health',
    '*',
    'health',
  ])('such as %s is refused as malformed', async (target) => {
    const { status, body } = await ask(target);
    expect([status, codeOf(body)]).toEqual([400, 'malformed_request']);
  });

  it('is read with its escaped letters decoded', async () => {
    for (const path of ['/api/v1/users/m%65', '/%61pi/v1/users/%6D%65', '/trpc/users%2Eme%2eget']) {
      expect([path, (await ask(path)).status]).toEqual([path, 401]);
    }
    for (const path of ['/he%61lth', '/docs/errors/not%5Ffound', '/d%6fcs', '/metri%63s', '/api/v1/open%61pi.json']) {
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
    }
    // An escaped slash does not separate segments.
    expect((await ask('/api/v1/users%2Fme')).status).toBe(404);
  });

  it.each([
    '/api/v1/users/%ff',
    '/api/v1/users/%zz',
    '/api/v1/users/me%',
    '/api/v1/roles?limit=%ff',
    '/api/v1/roles?limit=1%',
    '/trpc/%ff',
    '/trpc/roles.list?input=%ff',
    '/docs/errors/%ff',
    '/assets/%ff',
    '/dev/mail/%ff',
    '/health/%c3',
  ])('that is badly encoded is a 400: %s', async (target) => {
    const { status, headers, body } = await ask(target);
    expect(status).toBe(400);
    expect(body).toContain('malformed_request');
    expect(headers.get('content-type')).toMatch(/json/);
  });

  it('asks a server as a whole by `OPTIONS *`', async () => {
    expect((await ask('*', { method: 'OPTIONS' })).status).toBe(204);
  });

  it('keeps the input of a tRPC call out of the log in every spelling', async () => {
    const input = '?input=%7B%22password%22%3A%22hunter2%22%7D';
    for (const path of ['/trpc/auth.login', '/%74rpc/auth.login', '/%74rpc/%zz']) {
      for (const origin of ['', 'http://localhost']) await ask(origin + path + input);
    }
    expect(server.lines.join('')).toContain('/trpc/auth.login');
    expect(server.lines.join('')).not.toContain('hunter2');
  });
});

describe('a query', () => {
  it.each(['/health', '/health/liveness', '/health/readiness', '/health/database', '/health/db', '/health/cache'])(
    'of %s is ignored',
    async (path) => {
      for (const query of ['?ts=1', '?limit=1&limit=2', '?%zz']) {
        expect([query, (await ask(path + query)).status]).toEqual([query, 200]);
      }
    },
  );
});

describe.each(['openapi', 'asyncapi'])('the document of %s below the API', (name) => {
  it.each(['', '?v=2', '/', '/?v=2'])('is served with %j after its name as well', async (suffix) => {
    const digests = [];
    for (const path of [`/${name}.json`, `/api/v1/${name}.json`]) {
      const { status, headers, body } = await ask(path + suffix);
      const etag = headers.get('etag') ?? '';
      expect([status, headers.get('cache-control')]).toEqual([200, 'public, no-cache']);
      const head = await ask(path + suffix, { method: 'HEAD' });
      expect([head.status, head.headers.get('etag'), head.body]).toEqual([200, etag, '']);
      const again = await ask(path + suffix, { headers: `If-None-Match: ${etag}\r\n` });
      expect([again.status, again.body]).toEqual([304, '']);
      digests.push(createHash('sha256').update(body).digest('hex'));
    }
    expect(digests[0]).toBe(digests[1]);
  });
});

describe('OPTIONS', () => {
  it.each(['/nope', '/nope/at/all', '/api/v1/nope', '/trpcx'])('of %s is a 404', async (path) => {
    const { status, headers, body } = await ask(path, { method: 'OPTIONS' });
    expect([status, codeOf(body), headers.get('allow')]).toEqual([404, 'operation_not_found', null]);
  });

  it('of an operation and of a page names their methods', async () => {
    expect((await ask('/api/v1/users/me', { method: 'OPTIONS' })).headers.get('allow')).toContain('PATCH');
    expect((await ask('/docs', { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD');
  });
});
