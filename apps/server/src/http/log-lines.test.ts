import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInProcess } from '../../test/in-process-server.ts';

const PASSWORD = 'correct horse battery staple';
const TOKEN = 'metrics-token-of-the-tests-0123456789';

type Server = Awaited<ReturnType<typeof startInProcess>>;
let server: Server;
beforeAll(async () => {
  server = await startInProcess({ METRICS_TOKEN: TOKEN });
  server.serve();
});
afterAll(() => server.close());

const linesOf = (url: string, { lines } = server) =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['url'] === url);

/** The line of a request, which is written when its connection has let go of it. */
async function lineOf(url: string, from = server): Promise<Record<string, unknown>> {
  await expect.poll(() => linesOf(url, from).length).toBeGreaterThan(0);
  return linesOf(url, from).at(-1)!;
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
  const response = await fetch(server.url + path, { ...init, body: JSON.stringify(body) });
  return JSON.parse((await response.text()) || 'null');
}

describe('the line of a refused call', () => {
  let key: { id: string; secret: string };
  beforeAll(async () => {
    const email = `${randomUUID()}@example.com`;
    await post('/api/v1/auth/register', { email, password: PASSWORD });
    const { accessToken } = await post('/api/v1/auth/login', { email, password: PASSWORD });
    const wanted = { name: 'CI', scopes: ['api_keys:read'], rateLimitPerMinute: 4 };
    key = await post('/api/v1/api-keys', wanted, { authorization: `Bearer ${accessToken}` });
  });
  const call = (path: string) => fetch(server.url + path, { headers: { 'x-api-key': key.secret } });

  it('is a warning without a credential (V16.3.2)', async () => {
    await fetch(`${server.url}/api/v1/api-keys?limit=1`);
    expect(await lineOf('/api/v1/api-keys?limit=1')).toMatchObject({
      level: 'warn',
      status: 401,
      code: 'credentials_required',
    });
  });

  it('is a warning with the caller, the organization and the code without the permission (V16.2.1, V16.3.2)', async () => {
    await call('/api/v1/roles');
    expect(await lineOf('/api/v1/roles')).toMatchObject({
      level: 'warn',
      status: 403,
      code: 'permission_denied',
      keyId: key.id,
      organizationId: expect.stringMatching(/^org_/),
    });
  });

  it('names each call of a tRPC batch', async () => {
    await call('/trpc/apiKeys.list,roles.list?batch=1');
    expect(await lineOf('/trpc/apiKeys.list,roles.list')).toMatchObject({
      level: 'warn',
      code: 'permission_denied',
      keyId: key.id,
    });
  });

  it('is a warning with the caller above a limit (V16.3.3)', async () => {
    for (let at = 0; at < 5; at++) await call('/api/v1/api-keys?limit=2');
    expect(await lineOf('/api/v1/api-keys?limit=2')).toMatchObject({
      level: 'warn',
      status: 429,
      code: 'rate_limited',
      keyId: key.id,
    });
  });

  it('names the key that was revoked, and the session that has ended (V16.2.1)', async () => {
    const email = `${randomUUID()}@example.com`;
    await post('/api/v1/auth/register', { email, password: PASSWORD });
    const { accessToken, user } = await post('/api/v1/auth/login', { email, password: PASSWORD });
    const headers = { authorization: `Bearer ${accessToken}` };
    const revoked = await post('/api/v1/api-keys', { name: 'CI', scopes: ['api_keys:read'] }, headers);
    await fetch(`${server.url}/api/v1/api-keys/${revoked.id}`, { method: 'DELETE', headers });
    await fetch(`${server.url}/api/v1/api-keys?limit=3`, { headers: { 'x-api-key': revoked.secret } });
    const organizationId = user.defaultOrganizationId;
    const refused = { level: 'warn', status: 401 };
    expect(await lineOf('/api/v1/api-keys?limit=3')).toMatchObject({
      ...refused,
      code: 'api_key_revoked',
      keyId: revoked.id,
      organizationId,
    });

    await post('/api/v1/auth/logout', {}, headers);
    await fetch(`${server.url}/api/v1/api-keys?limit=4`, { headers });
    expect(await lineOf('/api/v1/api-keys?limit=4')).toMatchObject({
      ...refused,
      code: 'session_revoked',
      userId: user.id,
      sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('is information where nothing is suspicious', async () => {
    await fetch(`${server.url}/api/v1/nowhere`);
    expect(await lineOf('/api/v1/nowhere')).toMatchObject({ level: 'info', status: 404, code: 'operation_not_found' });
  });
});

describe('what needs no attention', () => {
  it('keeps the files of pages out of the log, and not what is missing among them', async () => {
    const [, asset] = /"(\/assets\/[^"]+\.css)"/.exec(await (await fetch(server.url)).text())!;
    expect((await fetch(server.url + asset)).status).toBe(200);
    await fetch(`${server.url}/assets/missing.css`);
    await lineOf('/assets/missing.css');
    expect(linesOf(asset!)).toEqual([]);
  });

  it('is a probe that finds the process stopping: a line with the reason, no stack, no report', async () => {
    const reported: unknown[] = [];
    server.ports.errors = { report: (...report) => void reported.push(report), close: async () => {} };
    server.ports.process.draining = true;
    try {
      for (const url of ['/health/readiness', '/trpc/system.readiness']) {
        expect((await fetch(server.url + url)).status).toBe(503);
        const line = await lineOf(url);
        expect(line).toMatchObject({ level: 'info', code: 'unavailable', reason: 'This process is stopping.' });
        expect(line).not.toHaveProperty('err');
      }
      expect(reported).toEqual([]);
    } finally {
      server.ports.process.draining = false;
      server.ports.errors = null;
    }
  });

  it('is any request while the process starts, which no metric counts', async () => {
    const starting = await startInProcess({ METRICS_TOKEN: TOKEN });
    try {
      expect((await fetch(`${starting.url}/health/readiness`)).status).toBe(503);
      const reason = 'Starting: the database is being prepared.';
      const line = await lineOf('/health/readiness', starting);
      expect(line).toMatchObject({ level: 'info', status: 503, code: 'unavailable', reason });
      expect(line).not.toHaveProperty('err');
      expect(await starting.ports.metrics.requests.get()).toMatchObject({ values: [] });
    } finally {
      await starting.close();
    }
  });
});

describe('health', () => {
  const details = async (headers: Record<string, string>) => {
    const get = async (path: string) => JSON.parse(await (await fetch(server.url + path, { headers })).text());
    const answer = await get('/health');
    const { serverVersion } = await get('/health/database');
    return [answer.status, answer.version, answer.environment, answer.database.serverVersion, serverVersion];
  };
  const all = ['ok', expect.any(String), 'test', expect.any(String), expect.any(String)];
  const forwarded = { 'x-forwarded-for': '203.0.113.7' };

  it('describes what runs on the machine itself and with METRICS_TOKEN', async () => {
    expect(await details({})).toEqual(all);
    expect(await details({ ...forwarded, authorization: `Bearer ${TOKEN}` })).toEqual(all);
  });

  it('gives others its status alone', async () => {
    expect(await details(forwarded)).toEqual(['ok', null, null, null, null]);
    expect(await details({ ...forwarded, authorization: `Bearer ${TOKEN}x` })).toEqual(['ok', null, null, null, null]);
  });
});

it('has no field that docs/security.md does not name (V16.1.1)', async () => {
  await fetch(`${server.url}/api/v1/api-keys?limit=2`);
  await lineOf('/api/v1/api-keys?limit=2');
  const page = readFileSync(new URL('../../../../docs/security.md', import.meta.url), 'utf8');
  const [section = ''] = /^## What logs contain$[^#]+/m.exec(page) ?? [];
  const named = [...section.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  const requests = server.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
  const unnamed = requests.flatMap((line) => Object.keys(line)).filter((field) => !named.includes(field));
  expect([...new Set(unnamed)].toSorted()).toEqual(['level', 'msg', 'time']);
});
