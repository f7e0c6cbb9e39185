import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInProcess } from '../../test/in-process-server.ts';

const ORIGIN = 'https://app.example.com';
const METRICS_TOKEN = 'metrics-token-of-the-tests-0123456789';

let server: Awaited<ReturnType<typeof startInProcess>>;
beforeAll(async () => {
  server = await startInProcess({ CORS_ORIGINS: ORIGIN, METRICS_TOKEN });
  server.serve();
});
afterAll(() => server.close());

async function ask(path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const response = await fetch(server.url + path, { ...init, headers: { origin: ORIGIN, ...headers } });
  await response.body?.cancel();
  return response;
}

const ORG = 'org_4d1k5r8x2m7q9w3t6v0z1b5c8f';
const BAD_TOKEN = { authorization: 'Bearer not.a.token' };
const BAD_KEY = { 'x-api-key': `rapi_live_${'x'.repeat(40)}` };
const STREAMED = { 'trpc-accept': 'application/jsonl' };

describe('a 401', () => {
  const surfaces = [
    '/api/v1/users/me',
    '/trpc/users.me.get',
    '/trpc/users.me.get,users.me.get?batch=1',
    `/api/v1/organizations/${ORG}/audit-logs/export`,
    '/metrics',
  ];

  it.each(surfaces)('of %s names the way to authenticate', async (path) => {
    const { status, headers } = await ask(path);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it.each(surfaces)('of %s names an invalid token as the reason (RFC 6750)', async (path) => {
    const { status, headers } = await ask(path, BAD_TOKEN);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
  });

  it.each(['/api/v1/api-keys', '/trpc/apiKeys.list'])('of %s names an invalid key, too', async (path) => {
    const { status, headers } = await ask(path, BAD_KEY);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"']);
  });

  it.each(['/api/v1/auth/login', '/trpc/auth.login'])('of %s blames no token for a wrong password', async (path) => {
    const body = JSON.stringify({ email: 'ada@example.com', password: 'not the one' });
    const { status, headers } = await ask(path, { 'content-type': 'application/json' }, { method: 'POST', body });
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('may be read by a page of another origin', async () => {
    const { headers } = await ask('/trpc/users.me.get');
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  });

  it('is not the status of a batch whose calls differ', async () => {
    const { status, headers } = await ask('/trpc/users.me.get,system.liveness?batch=1', BAD_TOKEN);
    expect([status, headers.get('www-authenticate')]).toEqual([207, null]);
  });
});

const varyOf = (headers: Headers) => new Set(headers.get('vary')?.toLowerCase().split(/, */));

describe('Vary', () => {
  it.each([
    ['/api/v1/users/me', {}, ['origin']],
    ['/health', {}, ['origin']],
    ['/nope', { accept: 'text/html' }, ['origin', 'accept']],
    ['/docs', {}, ['origin']],
    ['/openapi.json', {}, ['origin', 'accept-encoding']],
    ['/trpc/system.liveness', {}, ['origin', 'trpc-accept', 'accept']],
    ['/trpc/users.me.get', {}, ['origin', 'trpc-accept', 'accept']],
    ['/trpc/system.liveness?batch=1&input=%7B%7D', STREAMED, ['origin', 'trpc-accept', 'accept']],
    ['/trpc/realtime.events?input=%7B%7D', {}, ['origin', 'trpc-accept', 'accept']],
  ])('of %s contains the origin and everything else that the answer varies by', async (path, headers, names) => {
    expect(varyOf((await ask(path, headers)).headers)).toEqual(new Set(names));
  });

  it('of an asset contains both, too', async () => {
    const page = await (await fetch(`${server.url}/docs`)).text();
    const [, asset = ''] = /"(\/assets\/[^"]+)"/.exec(page) ?? [];
    expect(varyOf((await ask(asset)).headers)).toEqual(new Set(['origin', 'accept-encoding']));
  });
});

describe('Cache-Control', () => {
  it.each([
    ['/api/v1/users/me', {}],
    ['/api/v1/nope', {}],
    ['/nope', {}],
    ['/health', {}],
    ['/metrics', { authorization: `Bearer ${METRICS_TOKEN}` }],
    ['/trpc/system.liveness', {}],
    ['/trpc/users.me.get', {}],
    ['/trpc/system.liveness?batch=1&input=%7B%7D', STREAMED],
    ['/trpc/users.me.get,system.liveness?batch=1&input=%7B%7D', STREAMED],
    ['/trpc/system.liveness', STREAMED],
    ['/trpc/realtime.events?input=%7B%7D', {}],
  ])('of %s forbids storing the answer', async (path, headers) => {
    expect((await ask(path, headers)).headers.get('cache-control')).toContain('no-store');
  });
});

describe('a connection', () => {
  it('is kept after a refusal that needs no body', async () => {
    for (const path of ['/nope', '/api/v1/nope', '/api/v1/users/me', '/trpc/nope', '/%ff']) {
      expect([path, (await ask(path)).headers.get('connection')]).toEqual([path, 'keep-alive']);
    }
  });
});
