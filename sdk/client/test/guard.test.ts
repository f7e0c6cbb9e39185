import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionError, PermissionDeniedError, RateLimitError, ServerError, TimeoutError } from '../src/errors.ts';
import {
  expressGuard,
  fetchGuard,
  type GuardClient,
  type GuardOptions,
  honoGuard,
  type VerifiedKey,
} from '../src/guard.ts';

const KEY = 'rapi_live_right';

const VALID: VerifiedKey = {
  valid: true,
  code: 'VALID',
  keyId: 'key_1',
  organizationId: 'org_1',
  externalId: 'customer-42',
  permissions: ['documents.*'],
  remaining: 9,
  resetAt: null,
  retryAfter: null,
  rateLimits: [],
  metadata: {},
};

type Asked = Parameters<GuardClient['apiKeys']['verify']>;

/** What the server answers next, and what it was asked. */
let answer: Partial<VerifiedKey> | Error;
let asked: Asked[];
let errors: unknown[];
const client: GuardClient = {
  apiKeys: {
    async verify(...call) {
      asked.push(call);
      if (answer instanceof Error) throw answer;
      return { ...VALID, ...answer };
    },
  },
};

afterEach(() => void vi.useRealTimers());
beforeEach(() => {
  answer = {};
  asked = [];
  errors = [];
});

/** The options that differ from test to test; a guard reads them with each request. */
let options: Omit<GuardOptions<unknown>, 'client'>;
const current = () => ({ client, onError: (error: unknown) => void errors.push(error), ...options });

const servers: Server[] = [];
async function listen(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
afterAll(() => {
  for (const server of servers) server.close();
});

/** The same service, behind each guard: it answers the customer of the key. */
const SERVICES = {
  async express() {
    const app = express();
    app.get(
      '/documents',
      (req, res, next) => expressGuard(current())(req, res, next),
      (_, res) => {
        res.json({ customer: res.locals['apiKey']?.externalId ?? null });
      },
    );
    const url = await listen(app);
    return (headers: Record<string, string>) => fetch(`${url}/documents`, { headers });
  },
  async hono() {
    const app = new Hono<{ Variables: { apiKey: VerifiedKey | null } }>();
    app.use('/documents', (context, next) => honoGuard<typeof context>(current())(context, next));
    app.get('/documents', (context) => context.json({ customer: context.get('apiKey')?.externalId ?? null }));
    return async (headers: Record<string, string>) => app.request('/documents', { headers });
  },
  async fetch() {
    const handle = (request: Request) =>
      fetchGuard(current(), (_, key) => Response.json({ customer: key?.externalId ?? null }))(request);
    return (headers: Record<string, string>) => handle(new Request('http://service/documents', { headers }));
  },
};

describe.each(Object.entries(SERVICES))('the guard of %s', (kind, start) => {
  let call: (headers: Record<string, string>) => Promise<Response>;
  beforeAll(async () => {
    call = await start();
  });
  beforeEach(() => {
    options = {};
  });

  const refusal = async (response: Response) => {
    const body = await response.json();
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ status: response.status, title: expect.any(String), detail: expect.any(String) });
    return [response.status, body.code];
  };

  it.each<Record<string, string>>([
    { authorization: `Bearer ${KEY}` },
    { authorization: `bearer   ${KEY}` },
    { 'x-api-key': KEY },
  ])('lets a valid key pass, with what is known of it: %j', async (headers) => {
    const response = await call(headers);
    expect([response.status, await response.json()]).toEqual([200, { customer: 'customer-42' }]);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.[0]).toMatchObject({ key: KEY });
  });

  it.each<Record<string, string>>([{}, { authorization: 'Basic eDp5' }, { authorization: 'Bearer' }])(
    'refuses a request without a key, and asks no server: %j',
    async (headers) => {
      const response = await call(headers);
      expect(await refusal(response)).toEqual([401, 'api_key_required']);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(asked).toEqual([]);
    },
  );

  it('refuses a text that is too long for a key, and does not send it', async () => {
    expect(await refusal(await call({ 'x-api-key': 'x'.repeat(501) }))).toEqual([401, 'invalid_api_key']);
    expect(asked).toEqual([]);
  });

  it.each([
    ['NOT_FOUND', 401, 'invalid_api_key'],
    ['DISABLED', 401, 'api_key_disabled'],
    ['EXPIRED', 401, 'api_key_expired'],
    ['FORBIDDEN', 403, 'address_not_allowed'],
    ['INSUFFICIENT_PERMISSIONS', 403, 'insufficient_permissions'],
    ['USAGE_EXCEEDED', 429, 'usage_exceeded'],
    ['RATE_LIMITED', 429, 'rate_limited'],
    ['A_LATER_REASON', 401, 'invalid_api_key'],
  ])('answers %s with %i %s', async (code, status, problem) => {
    answer = { valid: false, code };
    const response = await call({ 'x-api-key': KEY });
    expect(await refusal(response)).toEqual([status, problem]);
    expect(response.headers.has('www-authenticate')).toBe(status === 401);
    expect(response.headers.get('retry-after')).toBe(null);
  });

  it('says when to come again, and what is left of each limit', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const resetAt = new Date(Date.now() + 29_500).toISOString();
    const rateLimits = [
      { name: 'requests', remaining: 7, resetAt },
      { name: 'uploads', remaining: 0, resetAt: new Date(0).toISOString() },
    ];
    answer = { rateLimits };
    const passed = await call({ 'x-api-key': KEY });
    expect(passed.headers.get('ratelimit')).toMatch(/^"requests";r=7;t=30, "uploads";r=0;t=0$/);
    answer = { valid: false, code: 'RATE_LIMITED', retryAfter: 12, rateLimits };
    const limited = await call({ 'x-api-key': KEY });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '12']);
    expect(limited.headers.get('ratelimit')).toContain('"uploads";r=0');
  });

  it('asks each time, once, so that a revoked key passes no longer', async () => {
    expect((await call({ 'x-api-key': KEY })).status).toBe(200);
    answer = { valid: false, code: 'DISABLED' };
    expect((await call({ 'x-api-key': KEY })).status).toBe(401);
    expect(asked.map(([, sent]) => sent)).toEqual([
      { timeoutMs: 3000, maxRetries: 0 },
      { timeoutMs: 3000, maxRetries: 0 },
    ]);
  });

  const outages = [
    new ConnectionError('no network', { code: 'connection_failed' }),
    new TimeoutError('too late', { code: 'timeout' }),
    new ServerError('503', { code: 'unavailable', status: 503 }),
    new RateLimitError('429', { code: 'rate_limited', status: 429 }),
  ];
  const mistakes = [
    new PermissionDeniedError('403', { code: 'permission_denied', status: 403 }),
    new TypeError('a bug in an option'),
  ];

  it('refuses while keys cannot be verified, and reports why', async () => {
    for (const error of [...outages, ...mistakes]) {
      answer = error;
      const response = await call({ 'x-api-key': KEY });
      expect(await refusal(response)).toEqual([503, 'api_key_not_verified']);
      expect(response.headers.get('retry-after')).toBe('2');
      expect(errors.pop()).toBe(error);
    }
  });

  it('lets all pass in an outage where that is asked for, but not for a mistake of its own', async () => {
    options = { duringOutage: 'allow' };
    for (const error of outages) {
      answer = error;
      const response = await call({ 'x-api-key': KEY });
      expect([response.status, await response.json()]).toEqual([200, { customer: null }]);
      expect((await call({})).status).toBe(401);
    }
    for (const error of mistakes) {
      answer = error;
      expect((await call({ 'x-api-key': KEY })).status).toBe(503);
    }
  });

  it('sends what the options say, or decide for a request', async () => {
    options = { permissions: 'documents.read', cost: 5, rateLimits: [{ name: 'requests' }], timeoutMs: 500 };
    await call({ 'x-api-key': KEY });
    expect(asked.pop()).toMatchObject([
      { key: KEY, permissions: 'documents.read', cost: 5, rateLimits: [{ name: 'requests' }] },
      { timeoutMs: 500 },
    ]);
    options = { permissions: () => undefined, cost: () => 0, ip: () => '203.0.113.7', key: () => 'from elsewhere' };
    await call({});
    expect(asked.pop()?.[0]).toEqual({ key: 'from elsewhere', cost: 0, ip: '203.0.113.7' });
    options = {
      cost: () => {
        throw new TypeError('a bug');
      },
    };
    expect((await call({ 'x-api-key': KEY })).status).toBe(503);
  });

  it(kind === 'express' ? "sends the caller's address" : 'sends no address that it does not know', async () => {
    await call({ 'x-api-key': KEY });
    expect(asked.pop()?.[0].ip).toBe(kind === 'express' ? '127.0.0.1' : undefined);
  });
});

describe('the guard of Fetch', () => {
  it('passes on what else the runtime gives, and adds headers to an answer that cannot be changed', async () => {
    options = {};
    answer = { rateLimits: [{ name: 'requests', remaining: 7, resetAt: new Date(0).toISOString() }] };
    const origin = await listen((_, res) => void res.writeHead(201, { 'x-origin': 'yes' }).end('from the origin'));
    const handle = fetchGuard(current(), (_, __, env: { origin: string }) => fetch(env.origin));
    const response = await handle(new Request('http://service/', { headers: { 'x-api-key': KEY } }), { origin });
    expect([response.status, await response.text()]).toEqual([201, 'from the origin']);
    expect([response.headers.get('x-origin'), response.headers.get('ratelimit')]).toEqual([
      'yes',
      '"requests";r=7;t=0',
    ]);
  });
});
