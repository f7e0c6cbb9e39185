import { randomUUID } from 'node:crypto';
import { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rawExchange, startInProcess } from '../../test/in-process-server.ts';

const APP = 'https://app.example.com';
const PASSWORD = 'correct horse battery staple';
let server: Awaited<ReturnType<typeof startInProcess>>;
let token: string;

beforeAll(async () => {
  server = await startInProcess({ PUBLIC_URL: 'https://api.example.com', CORS_ORIGINS: APP });
  server.serve();
  const email = `${randomUUID()}@example.com`;
  const post = (path: string, body: unknown) =>
    fetch(`${server.url}/api/v1/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await post('register', { email, password: PASSWORD });
  const login = (await (await post('login', { email, password: PASSWORD })).json()) as { accessToken: string };
  token = login.accessToken;
});
afterAll(() => server?.close());

/** Differ with every request, or tell of the requests before. */
const OWN = /^(?:date|x-request-id|ratelimit.*|x-ratelimit.*)$/;

const OWN_FIELDS = /"(?:requestId|id|secret|prefix|last4|createdAt|updatedAt)":"[^"]*"/g;

async function answerTo(head: string, headers: Record<string, string>, body?: string) {
  const sent = {
    Host: 'localhost',
    Connection: 'close',
    ...headers,
    ...(body !== undefined && { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }),
  };
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`);
  const answer = await rawExchange(server.port, `${head} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
  const named = [...answer.headers].filter(([name]) => !OWN.test(name)).sort();
  return { status: answer.status, headers: named, body: answer.body.replace(OWN_FIELDS, '') };
}

const KEY = JSON.stringify({ name: 'CI', scopes: ['api_keys:read'] });

describe.each<[string, Record<string, string>]>([
  ['no page', {}],
  ['a page that may read it', { Origin: APP }],
  ['a page that may not', { Origin: 'https://elsewhere.example.com' }],
])('an answer to %s whose headers leave in one write is the one whose headers are set one by one', (_, origin) => {
  it.each([
    ['an operation', 'GET /api/v1/users/me', undefined, 200],
    ['its head', 'HEAD /api/v1/users/me', undefined, 200],
    ['a list', 'GET /api/v1/api-keys?limit=1', undefined, 200],
    ['a created resource', 'POST /api/v1/api-keys', KEY, 201],
    ['a refused body', 'POST /api/v1/api-keys', '{', 400],
    ['an alias', 'GET /api/v1/auth/me/', undefined, 200],
    ['OPTIONS', 'OPTIONS /api/v1/users/me', undefined, 204],
    ['another method', 'DELETE /health', undefined, 405],
    ['no operation', 'GET /api/v1/nope', undefined, 404],
    ['a raw route', 'GET /api/v1/organizations/none/audit-logs/export', undefined, null],
    ['a tRPC call', 'GET /trpc/users.me.get', undefined, 200],
    ['a tRPC batch', 'GET /trpc/users.me.get,system.liveness?batch=1', undefined, 200],
    ['a tRPC batch of several states', 'GET /trpc/users.me.get,nope?batch=1', undefined, 207],
    ['a refused tRPC call', 'GET /trpc/apiKeys.get', undefined, 400],
    ['a tRPC ping', 'HEAD /trpc/users.me.get', undefined, 204],
  ])('%s: %s', async (_, head, body, status) => {
    const caller = { Authorization: `Bearer ${token}`, ...origin };
    const short = await answerTo(head, caller, body);
    server.ports.process.draining = true; // the last answers of a process have their headers set one by one
    const long = await answerTo(head, caller, body);
    server.ports.process.draining = false;
    expect(short).toEqual(long);
    if (status !== null) expect(short.status).toBe(status);
    const vary = short.headers.find(([name]) => name === 'vary')?.[1];
    const isCall = head.includes('/trpc/') && !head.startsWith('HEAD');
    if (head.startsWith('OPTIONS') && 'Origin' in origin) expect(vary).toBeUndefined();
    else expect(vary).toBe(isCall ? 'Origin, trpc-accept, accept' : 'Origin');
  });

  it('sets no header by itself', async () => {
    const setHeader = vi.spyOn(ServerResponse.prototype, 'setHeader');
    await answerTo('GET /api/v1/users/me', { Authorization: `Bearer ${token}`, ...origin });
    expect(setHeader.mock.calls).toEqual([]);
    setHeader.mockRestore();
  });
});
