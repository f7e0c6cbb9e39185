import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { exampleId } from '@rentapi/api/contract/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Person, startApp, type TestApp } from './app.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
});
afterAll(() => app.close());

const KEYS = '/api/v1/api-keys';
const good = { name: 'good', scopes: ['*'] };

/** The same bad input over both transports: the answer's status, its code, and the paths it complains about. */
interface Case {
  what: string;
  status: number;
  code: string;
  paths?: string[];
  rest: () => Promise<Answer>;
  trpc?: () => Promise<Answer>;
}

const post = (body: unknown, headers: Record<string, string> = {}) =>
  ada.request(KEYS, { method: 'POST', body, headers });
const mutate = (body: unknown, headers: Record<string, string> = {}) =>
  ada.request('/trpc/apiKeys.create', { method: 'POST', body, headers });
const query = (procedure: string, input: unknown) =>
  ada.request(`/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`);
const both = (body: unknown, headers?: Record<string, string>) => ({
  rest: () => post(body, headers),
  trpc: () => mutate(body, headers),
});
const withToken = (token: string) => {
  const headers = { authorization: `Bearer ${token}` };
  return {
    rest: () => app.request('/api/v1/users/me', { headers }),
    trpc: () => app.request('/trpc/users.me.get', { headers }),
  };
};
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

function forge(header: object, change: object = {}, key = 'not the key'): string {
  const [, payload = ''] = ada.tokens.accessToken.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...change };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
const header = () => JSON.parse(Buffer.from(ada.tokens.accessToken.split('.')[0]!, 'base64url').toString());

const cases: Case[] = [
  { what: 'malformed JSON', status: 400, code: 'malformed_json', ...both('{"name":') },
  {
    what: 'a body that is not UTF-8',
    status: 400,
    code: 'malformed_json',
    rest: () => rawPost(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
  },
  { what: 'JSON deeper than 32', status: 400, code: 'json_too_deep', ...both(`{"name":${nested(32)}}`) },
  { what: 'JSON 100,000 deep', status: 400, code: 'json_too_deep', ...both(nested(100_000)) },
  {
    what: 'a body over the limit',
    status: 413,
    code: 'body_too_large',
    ...both(JSON.stringify({ name: 'x'.repeat(1024 ** 2) })),
  },
  { what: 'a NUL character', status: 400, code: 'invalid_text', paths: ['name'], ...both({ ...good, name: 'a\0b' }) },
  {
    what: 'an unpaired surrogate',
    status: 400,
    code: 'invalid_text',
    paths: ['name'],
    ...both('{"name":"\\ud800","scopes":["*"]}'),
  },
  {
    what: 'a NUL in a key of metadata',
    status: 400,
    code: 'invalid_text',
    ...both('{"name":"x","scopes":["*"],"metadata":{"a\\u0000":1}}'),
  },
  {
    what: 'a content type that is not JSON',
    status: 415,
    code: 'unsupported_media_type',
    ...both('name=x', { 'content-type': 'application/x-www-form-urlencoded' }),
  },
  {
    what: 'a compressed body',
    status: 415,
    code: 'unsupported_media_type',
    ...both(good, { 'content-encoding': 'gzip' }),
  },
  {
    what: 'an unknown field',
    status: 400,
    code: 'invalid_input',
    paths: ['colour'],
    ...both({ ...good, colour: 'red' }),
  },
  {
    what: '__proto__',
    status: 400,
    code: 'invalid_input',
    paths: ['__proto__'],
    ...both('{"name":"x","scopes":["*"],"__proto__":{"admin":true}}'),
  },
  {
    what: '__proto__ spelled in escapes',
    status: 400,
    code: 'invalid_input',
    ...both('{"name":"x","scopes":["*"],"\\u005f_proto__":{}}'),
  },
  { what: 'a body that is no object', status: 400, code: 'invalid_input', ...both('[1]') },
  { what: 'missing fields', status: 400, code: 'invalid_input', paths: ['name', 'scopes'], ...both({}) },
  {
    what: 'an unknown scope',
    status: 400,
    code: 'invalid_input',
    paths: ['scopes.0'],
    ...both({ ...good, scopes: ['all'] }),
  },
  {
    what: 'an address range that is none',
    status: 400,
    code: 'invalid_input',
    paths: ['ipAllowList.0'],
    ...both({ ...good, ipAllowList: ['10.0.0.0/33'] }),
  },
  { what: 'metadata with a list in it', status: 400, code: 'invalid_input', ...both({ ...good, metadata: { a: [] } }) },
  {
    what: 'an id of another kind',
    status: 400,
    code: 'invalid_input',
    paths: ['keyId'],
    rest: () => ada.request(`${KEYS}/${ada.id}`),
    trpc: () => query('apiKeys.get', { keyId: ada.id }),
  },
  {
    what: 'an id that decodes to nothing',
    status: 404,
    code: 'not_found',
    rest: () => ada.request(`${KEYS}/key_${'7'.repeat(25)}0`),
    trpc: () => query('apiKeys.get', { keyId: `key_${'7'.repeat(25)}0` }),
  },
  {
    what: 'a second spelling of an id',
    status: 404,
    code: 'not_found',
    rest: () => ada.request(`${KEYS}/key_${'0'.repeat(25)}1`),
    trpc: () => query('apiKeys.get', { keyId: `key_${'0'.repeat(25)}1` }),
  },
  {
    what: 'a tampered cursor',
    status: 400,
    code: 'invalid_cursor',
    rest: () => ada.request(`${KEYS}?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAA`),
    trpc: () => query('apiKeys.list', { cursor: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA' }),
  },
  {
    what: 'a limit over 100',
    status: 400,
    code: 'invalid_input',
    paths: ['limit'],
    rest: () => ada.request(`${KEYS}?limit=101`),
    trpc: () => query('apiKeys.list', { limit: 101 }),
  },
  {
    what: 'a limit that is no number',
    status: 400,
    code: 'invalid_input',
    paths: ['limit'],
    rest: () => ada.request(`${KEYS}?limit=ten`),
    trpc: () => query('apiKeys.list', { limit: '10' }),
  },
  {
    what: 'no credential',
    status: 401,
    code: 'credentials_required',
    rest: () => app.request(KEYS),
    trpc: () => app.request('/trpc/apiKeys.list'),
  },
  {
    what: 'two credentials',
    status: 400,
    code: 'ambiguous_credentials',
    ...both(good, { 'x-api-key': 'rapi_live_x' }),
  },
  { what: 'a token that is none', status: 401, code: 'invalid_access_token', ...withToken('abc') },
  {
    what: 'a forged token',
    status: 401,
    code: 'invalid_access_token',
    rest: () => withToken(forge(header())).rest(),
    trpc: () => withToken(forge(header())).trpc(),
  },
  {
    what: 'a token without a signature (alg none)',
    status: 401,
    code: 'invalid_access_token',
    rest: () =>
      withToken(
        `${forge({ ...header(), alg: 'none' })
          .split('.')
          .slice(0, 2)
          .join('.')}.`,
      ).rest(),
  },
  {
    what: 'a key with a bad checksum',
    status: 401,
    code: 'invalid_api_key',
    rest: () => app.request(KEYS, { headers: { 'x-api-key': `rapi_live_${'a'.repeat(36)}` } }),
    trpc: () => app.request('/trpc/apiKeys.list', { headers: { 'x-api-key': `rapi_live_${'a'.repeat(36)}` } }),
  },
  {
    what: 'an unknown path',
    status: 404,
    code: 'operation_not_found',
    rest: () => ada.request('/api/v1/nothing'),
    trpc: () => ada.request('/trpc/nothing.here'),
  },
  {
    what: 'a path that is badly encoded',
    status: 400,
    code: 'malformed_request',
    rest: () => ada.request(`${KEYS}/%E0%A4%A`),
  },
  {
    what: 'a query that is badly encoded',
    status: 400,
    code: 'malformed_request',
    rest: () => ada.request(`${KEYS}?cursor=%ff`),
    trpc: () => ada.request('/trpc/apiKeys.list?input=%ff'),
  },
  {
    what: 'an unknown method',
    status: 405,
    code: 'method_not_allowed',
    rest: () => ada.request(KEYS, { method: 'DELETE' }),
    trpc: () => ada.request('/trpc/apiKeys.list', { method: 'DELETE' }),
  },
  {
    what: 'a mutation by GET',
    status: 405,
    code: 'method_not_allowed',
    rest: () => ada.request('/api/v1/auth/logout'),
    trpc: () => ada.request('/trpc/auth.logout'),
  },
  {
    what: 'an unknown query parameter',
    status: 400,
    code: 'invalid_input',
    paths: ['page'],
    rest: () => ada.request(`${KEYS}?page=2`),
    trpc: () => query('apiKeys.list', { page: 2 }),
  },
  {
    what: 'a query parameter where the input is a body',
    status: 400,
    code: 'invalid_input',
    paths: ['name'],
    rest: () => ada.request(`${KEYS}?name=x`, { method: 'POST', body: good }),
  },
  {
    what: 'a field in both spellings',
    status: 400,
    code: 'invalid_input',
    paths: ['rateLimitPerHour'],
    rest: () => post({ ...good, rate_limit_per_hour: 1, rateLimitPerHour: 2 }),
  },
  {
    what: 'a NUL in the path',
    status: 400,
    code: 'invalid_text',
    paths: ['keyId'],
    rest: () => ada.request(`${KEYS}/key_%00`),
  },
  {
    what: 'an idempotency key with spaces',
    status: 400,
    code: 'invalid_idempotency_key',
    ...both(good, { 'idempotency-key': 'a b' }),
  },
];

describe.each(cases)('$what', ({ status, code, paths, ...ways }) => {
  for (const way of (['rest', 'trpc'] as const).filter((way) => ways[way])) {
    it(`is refused over ${way} with its own code, and nothing is written`, async () => {
      const before = await footprint();
      const answer = await ways[way]!();
      expect(await footprint()).toEqual(before);
      const problem = way === 'rest' ? answer.body : answer.body.error.data.problem;
      expect([answer.status, problem.code, problem.status]).toEqual([status, code, status]);
      expect(problem.type).toBe(`${app.ports.env.PUBLIC_URL}/docs/errors/${code}`);
      expect(problem.requestId).toBe(answer.headers.get('x-request-id'));
      if (paths) expect(problem.errors.map((error: { path: string }) => error.path)).toEqual(paths);
      if (way === 'rest') expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(JSON.stringify(answer.body)).not.toMatch(/stack|node_modules|\.ts:/);
    });
  }
});

it('names the supported methods in Allow', async () => {
  expect((await ada.request(KEYS, { method: 'PUT', body: {} })).headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
  const options = await app.request(KEYS, { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS']);
});

it('refuses an expired token by its own code', async () => {
  app.advance(901_000);
  const { rest, trpc } = withToken(ada.tokens.accessToken);
  const answers = [(await rest()).body.code, (await trpc()).body.error.data.problem.code];
  app.advance(-901_000);
  expect(answers).toEqual(['access_token_expired', 'access_token_expired']);
});

it.each([
  ['typ', { typ: 'JWT' }],
  ['alg', { alg: 'HS512' }],
  ['kid', { kid: 'other' }],
  ['jku', { kid: undefined, jku: 'https://evil.example' }],
])('refuses a token whose %s is not ours, even signed with a key it brings', async (_, change) => {
  expect((await withToken(forge({ ...header(), ...change }, {}, '')).rest()).body.code).toBe('invalid_access_token');
});

it('says of each wrong field what it must be, not what a library calls it', async () => {
  const { body } = await post({ name: '', scopes: ['fly:*'], expiresAt: 'tomorrow' });
  expect(body.errors).toEqual([
    { path: 'name', message: 'must have at least 1 character' },
    { path: 'scopes.0', message: 'is none of the values that the reference lists' },
    { path: 'expiresAt', message: 'must be a date and time such as 2026-01-31T12:00:00Z' },
  ]);
  expect((await mutate({})).body.error.data.problem.errors[0]).toEqual({ path: 'name', message: 'is required' });
});

it('names the header, the parameter or the protocol that is wrong, not a body that was not sent', async () => {
  for (const organization of ['nope', exampleId('org')]) {
    const answer = await ada.request(KEYS, { headers: { 'x-organization-id': organization } });
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    expect(answer.body.detail).toContain('`X-Organization-Id`');
  }
  const { problem } = (await ada.request('/trpc/apiKeys.get?input={bad')).body.error.data;
  expect([problem.code, problem.detail]).toEqual(['malformed_json', expect.stringContaining('parameter `input`')]);
  const plain = await app.request('/api/v1/ws/realtime?ticket=x');
  expect([plain.status, plain.body.code]).toEqual([426, 'upgrade_required']);
  expect(plain.headers.get('upgrade')).toBe('websocket');
});

it('refuses more than 20 calls in one batch, and answers 20 one by one', async () => {
  const batch = (calls: number) => ada.request(`/trpc/${Array(calls).fill('users.me.get').join(',')}?batch=1`);
  const twenty = await batch(20);
  expect([twenty.status, twenty.body.length]).toEqual([200, 20]);
  const more = await batch(21);
  expect([more.status, more.body.error.data.problem.code]).toEqual([400, 'batch_too_large']);
  const thousand = await batch(1000);
  expect([thousand.status, thousand.body.error.data.problem.code]).toEqual([400, 'batch_too_large']);
});

it('gives each call of a batch its own answer', async () => {
  const { status, body } = await ada.request(
    `/trpc/users.me.get,apiKeys.get?batch=1&input=${encodeURIComponent('{"1":{"keyId":"x"}}')}`,
  );
  expect([status, body[0].result.data.id, body[1].error.data.problem.code]).toEqual([207, ada.id, 'invalid_input']);
});

it('does not wait for the rest of a body it refuses', async () => {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  const answered = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
  socket.write(
    `POST ${KEYS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ada.tokens.accessToken}\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n{`,
  );
  expect(await answered).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  socket.destroy();
});

it('does not count a client that is cut off within its body as a server failure', async () => {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  );
  const before = app.logs.length;
  await sleep(100);
  socket.resetAndDestroy();
  await sleep(200);
  expect(app.logs.slice(before)).toEqual([]);
});

it('keeps every secret out of the log', async () => {
  await app.request('/api/v1/auth/login', { method: 'POST', body: { email: ada.email, password: 'wrong password' } });
  const log = app.logs.join('');
  for (const secret of [ada.tokens.accessToken, ada.tokens.refreshToken, ada.password, 'wrong password'])
    expect(log).not.toContain(secret);
});

/** The number of rows in each table that a call could write. */
async function footprint(): Promise<unknown> {
  const tables = [
    'users',
    'organizations',
    'sessions',
    'api_keys',
    'events',
    'audit_logs',
    'outbox',
    'idempotency_keys',
  ];
  return Promise.all(tables.map(async (table) => [table, (await app.rows(table).count().first())?.['count']]));
}

async function rawPost(body: Buffer): Promise<Answer> {
  const response = await fetch(app.url + KEYS, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { authorization: `Bearer ${ada.tokens.accessToken}`, 'content-type': 'application/json' },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
