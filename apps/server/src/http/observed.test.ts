import { randomUUID } from 'node:crypto';
import type { Ports } from '@rentapi/api/context';
import { exampleId } from '@rentapi/api/contract/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInProcess } from '../../test/in-process-server.ts';

const PASSWORD = 'correct horse battery staple';
const TOKEN = 'metrics-token-of-the-tests-0123456789';

/** A running server, and the lines it logs. */
async function startServer(settings: Record<string, string> = {}) {
  const server = await startInProcess(settings);
  server.serve();
  const { url, lines } = server;
  return {
    ...server,
    async post(path: string, body: unknown, headers: Record<string, string> = {}) {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      return {
        status: response.status,
        headers: response.headers,
        body: JSON.parse((await response.text()) || 'null'),
      };
    },
    /** The log line of a request, which is written when its connection has released it. */
    async lineOf(requestId: string): Promise<Record<string, unknown>> {
      for (const until = Date.now() + 30_000; Date.now() < until; await new Promise((done) => setTimeout(done, 5))) {
        const found = lines.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId);
        if (found.length > 1) throw new Error(`${found.length} lines for one request`);
        if (found[0]) return found[0];
      }
      throw new Error(`no line for ${requestId}`);
    },
    async metric(name: string): Promise<number | undefined> {
      const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
      const line = (await response.text()).split('\n').find((each) => each.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1));
    },
  };
}

type Server = Awaited<ReturnType<typeof startServer>>;

describe('an observed server', () => {
  let server: Server;
  beforeAll(async () => void (server = await startServer({ METRICS_TOKEN: TOKEN })));
  afterAll(() => server.close());

  async function signUp() {
    const email = `${randomUUID()}@example.com`;
    await server.post('/api/v1/auth/register', { email, password: PASSWORD });
    const { body } = await server.post('/api/v1/auth/login', { email, password: PASSWORD });
    return { email, tokens: body, headers: { authorization: `Bearer ${body.accessToken}` } };
  }

  it('writes one line for a request: who called what, how it ended, and how long it took', async () => {
    const { headers, tokens } = await signUp();
    const requestId = randomUUID();
    const key = { name: 'CI', scopes: ['api_keys:read'] };
    const created = await server.post('/api/v1/api-keys', key, { ...headers, 'x-request-id': requestId });
    expect(created.status).toBe(201);
    expect(await server.lineOf(requestId)).toEqual({
      level: 'info',
      time: expect.any(String),
      msg: 'request',
      method: 'POST',
      url: '/api/v1/api-keys',
      procedure: 'apiKeys.create',
      status: 201,
      durationMs: expect.any(Number),
      bytes: expect.any(Number),
      requestId,
      ip: '127.0.0.1',
      userId: tokens.user.id,
      sessionId: expect.any(String),
      organizationId: tokens.user.defaultOrganizationId,
    });

    const listed = randomUUID();
    await fetch(`${server.url}/trpc/apiKeys.list?input=%7B%22limit%22%3A1%7D`, {
      headers: { 'x-api-key': created.body.secret, 'x-request-id': listed },
    });
    expect(await server.lineOf(listed)).toMatchObject({
      url: '/trpc/apiKeys.list',
      procedure: 'apiKeys.list',
      status: 200,
      keyId: created.body.id,
    });
  });

  it('logs a download as it logs every call', async () => {
    const { headers, tokens } = await signUp();
    const { id, defaultOrganizationId: organizationId } = tokens.user;
    const counted = () =>
      server.metric(`rentapi_requests_total{procedure="orgs.exportAuditLogs",transport="rest",status="200"}`);
    const before = (await counted()) ?? 0;
    const requestId = randomUUID();
    const response = await fetch(`${server.url}/api/v1/organizations/${organizationId}/audit-logs/export`, {
      headers: { ...headers, 'x-request-id': requestId },
    });
    await response.text();
    const line = await server.lineOf(requestId);
    expect(line).toMatchObject({ procedure: 'orgs.exportAuditLogs', status: 200, userId: id, organizationId });
    expect(await counted()).toBe(before + 1);
    const durations = 'rentapi_request_duration_seconds_count{procedure="orgs.exportAuditLogs",transport="rest"}';
    expect(await server.metric(durations)).toBeGreaterThan(0);
  });

  it('has no credential and no body in any line', async () => {
    const { email, tokens, headers } = await signUp();
    const created = await server.post('/api/v1/api-keys', { name: 'Very private name', scopes: ['*'] }, headers);
    const { secret } = created.body;
    await fetch(`${server.url}/api/v1/users/me?token=${secret}&access_token=${secret}`, { headers });
    await fetch(`${server.url}/trpc/users.me.get?input=${encodeURIComponent(JSON.stringify({ token: secret }))}`, {
      headers,
    });
    await server.post(
      '/trpc/apiKeys.create',
      { name: 'Very private name', scopes: ['api_keys:read'] },
      { 'x-api-key': secret },
    );
    await server.post('/api/v1/auth/login', { email, password: 'Wrong and secret too' });
    const last = randomUUID();
    await server.post('/api/v1/auth/refresh', { refreshToken: tokens.refreshToken }, { 'x-request-id': last });
    await server.lineOf(last);
    const log = server.lines.join('');
    const texts = [
      email,
      PASSWORD,
      'Wrong and secret',
      tokens.accessToken,
      tokens.refreshToken,
      secret,
      'private name',
      TOKEN,
    ];
    for (const text of texts) expect(log).not.toContain(text);
  });

  it('logs the cause of its own failure in the same line, and reports it once', async () => {
    const reported: unknown[] = [];
    server.ports.errors = { report: (...report) => void reported.push(report), close: async () => {} };
    const { verify } = server.ports.accessTokens;
    server.ports.accessTokens.verify = () => Promise.reject(new Error('the disk is full'));
    try {
      for (const [path, procedure] of [
        ['/api/v1/users/me', 'users.me.get'],
        ['/trpc/users.me.get', 'users.me.get'],
        [`/api/v1/organizations/${exampleId('org')}/audit-logs/export`, 'orgs.exportAuditLogs'],
      ]) {
        const requestId = randomUUID();
        const headers = { authorization: 'Bearer a.b.c', 'x-request-id': requestId };
        const response = await fetch(server.url + path, { headers });
        expect(response.status).toBe(500);
        expect(await response.text()).not.toContain('disk');
        const line = await server.lineOf(requestId);
        expect(line).toMatchObject({
          level: 'error',
          status: 500,
          code: 'internal_error',
          err: { message: 'the disk is full' },
        });
        const facts = { requestId, procedure };
        expect(reported.splice(0)).toEqual([[expect.objectContaining({ message: 'the disk is full' }), facts]]);
      }
    } finally {
      server.ports.accessTokens.verify = verify;
      server.ports.errors = null;
    }
  });

  it('makes a span of every call, with its request id and how it ended', async () => {
    const spans: { name: string; attributes: Record<string, unknown>; traceparent: string | undefined }[] = [];
    server.ports.tracer = {
      start: (name, { traceparent }, given) => {
        const span = { name, traceparent, attributes: { ...given } as Record<string, unknown> };
        return {
          setAttribute: (key: string, value: unknown) => void (span.attributes[key] = value),
          setStatus: () => {},
          end: () => void spans.push(span),
        } as unknown as ReturnType<NonNullable<Ports['tracer']>['start']>;
      },
      close: async () => {},
    };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await fetch(`${server.url}/api/v1/users/me`, { headers: { traceparent, 'x-request-id': 'traced' } });
    server.ports.tracer = null;
    expect(spans).toEqual([
      {
        name: 'users.me.get',
        traceparent,
        attributes: expect.objectContaining({
          'request.id': 'traced',
          'rentapi.transport': 'rest',
          'http.response.status_code': 401,
          'error.type': 'credentials_required',
        }),
      },
    ]);
  });

  it('keeps probes out of the log', async () => {
    const before = server.lines.length;
    await fetch(`${server.url}/health/liveness`);
    await fetch(`${server.url}/nowhere`);
    await expect.poll(() => server.lines.length).toBe(before + 1);
    expect(JSON.parse(server.lines.at(-1)!)).toMatchObject({ url: '/nowhere', status: 404 });
  });

  it('counts calls by procedure, transport and status, and requests without a procedure under one name', async () => {
    const { email, headers } = await signUp();
    const counted = (labels: string) => server.metric(`rentapi_requests_total{${labels}}`);
    const before = await counted('procedure="users.me.get",transport="rest",status="200"');
    await fetch(`${server.url}/api/v1/users/me`, { headers });
    expect(await counted('procedure="users.me.get",transport="rest",status="200"')).toBe((before ?? 0) + 1);
    await fetch(`${server.url}/trpc/users.me.get,users.me.get?batch=1`, { headers });
    expect(await counted('procedure="users.me.get",transport="trpc",status="200"')).toBeGreaterThanOrEqual(2);
    expect(
      await server.metric('rentapi_request_duration_seconds_count{procedure="users.me.get",transport="rest"}'),
    ).toBeGreaterThan(0);

    for (let at = 0; at < 5; at++) await fetch(`${server.url}/api/v1/guess-${at}`);
    for (let at = 0; at < 5; at++) await fetch(`${server.url}/trpc/guess.${at}`);
    const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    expect(text).not.toMatch(/guess[.-]\d/);
    expect(await counted('procedure="none",transport="rest",status="404"')).toBeGreaterThanOrEqual(5);

    await server.post('/api/v1/auth/login', { email, password: 'not the one' });
    expect(
      await server.metric('rentapi_refusals_total{procedure="auth.login",code="invalid_credentials"}'),
    ).toBeGreaterThanOrEqual(1);
    const key = { name: 'CI', scopes: ['api_keys:read'] };
    for (let at = 0; at < 2; at++) await server.post('/api/v1/api-keys', key, { ...headers, 'idempotency-key': email });
    expect(await server.metric('rentapi_idempotency_replays_total{procedure="apiKeys.create"}')).toBe(1);
    expect(await server.metric('rentapi_limiter_decisions_total{bucket="user",decision="allowed"}')).toBeGreaterThan(0);
  });

  it('measures calls in seconds', async () => {
    const { headers } = await signUp();
    const took = async () =>
      (await server.metric('rentapi_request_duration_seconds_sum{procedure="users.me.get",transport="rest"}')) ?? 0;
    const { verify } = server.ports.accessTokens;
    server.ports.accessTokens.verify = async (...given) => {
      await new Promise((resolve) => setTimeout(resolve, 120));
      return verify(...given);
    };
    try {
      const before = await took();
      await fetch(`${server.url}/api/v1/users/me`, { headers });
      const added = (await took()) - before;
      expect(added).toBeGreaterThan(0.1);
      expect(added).toBeLessThan(100); // as it would be in milliseconds
    } finally {
      server.ports.accessTokens.verify = verify;
    }
  });

  it('counts what a limit allows, and what it refuses', async () => {
    const strict = await startServer({ METRICS_TOKEN: TOKEN, RATE_LIMIT_PER_MINUTE: '3' });
    try {
      const statuses = [];
      for (let at = 0; at < 5; at++) statuses.push((await fetch(`${strict.url}/api/v1/users/me`)).status);
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
      const decided = (decision: string) =>
        strict.metric(`rentapi_limiter_decisions_total{bucket="source",decision="${decision}"}`);
      expect([await decided('allowed'), await decided('refused')]).toEqual([3, 2]);
    } finally {
      await strict.close();
    }
  });

  it('measures the process, the pool, sockets and the queues in the database', async () => {
    await signUp();
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/ws/realtime`);
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    expect(await server.metric('rentapi_sockets_open')).toBe(1);
    socket.close();
    await expect.poll(() => server.metric('rentapi_sockets_open')).toBe(0);
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'database_pool_connections{state="used"}',
      'database_pool_connections{state="free"}',
      'database_pool_connections{state="lane"}',
      'database_pool_pending',
      'rentapi_outbox_depth',
      'rentapi_outbox_oldest_seconds',
      'rentapi_unsequenced_oldest_seconds',
      'rentapi_jobs_due',
      'rentapi_jobs_running',
      'rentapi_jobs_dead',
    ]) {
      expect([name, await server.metric(name)]).toEqual([name, expect.any(Number)]);
    }
    // No worker runs here: the jobs of the registration wait.
    expect(await server.metric('rentapi_outbox_depth')).toBeGreaterThan(0);
  });

  it('gives metrics only with the token', async () => {
    const status = async (headers: Record<string, string>, init: RequestInit = {}) =>
      (await fetch(`${server.url}/metrics`, { ...init, headers })).status;
    expect(await status({ authorization: `Bearer ${TOKEN}` })).toBe(200);
    expect(await status({})).toBe(401);
    expect(await status({ authorization: `Bearer ${TOKEN}x` })).toBe(401);
    expect(await status({ authorization: `Bearer ${TOKEN}` }, { method: 'POST' })).toBe(405);
  });
});

describe('a server without METRICS_TOKEN that logs warnings only', () => {
  let server: Server;
  beforeAll(async () => void (server = await startServer({ LOG_LEVEL: 'warn' })));
  afterAll(() => server.close());

  it('gives metrics on this machine, and not through a proxy on it', async () => {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
    const proxied = await fetch(`${server.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.7' } });
    expect(proxied.status).toBe(403);
    await expect.poll(() => server.lines.length).toBe(1);
    expect(JSON.parse(server.lines[0]!)).toMatchObject({ level: 'warn', url: '/metrics', code: 'permission_denied' });
  });
});
