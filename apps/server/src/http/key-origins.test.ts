import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInProcess } from '../../test/in-process-server.ts';

const NAMED = 'https://app.example.com';
const SHOP = 'https://shop.example.org';
const EVIL = 'https://evil.example';
const PASSWORD = 'correct horse battery staple';

let server: Awaited<ReturnType<typeof startInProcess>>;
let access: string;
let ofShop: Key;
let ofAnywhere: Key;

beforeAll(async () => {
  server = await startInProcess({ CORS_ORIGINS: NAMED, TRUST_PROXY: '1' });
  server.serve();
  const account = { email: 'ada@example.com', password: PASSWORD };
  await call('/api/v1/auth/register', { method: 'POST', body: account });
  const login = await call('/api/v1/auth/login', { method: 'POST', body: account });
  access = ((await login.json()) as { accessToken: string }).accessToken;
  ofShop = await makeKey({ allowedOrigins: [SHOP] });
  ofAnywhere = await makeKey({});
});
afterAll(() => server.close());

interface Key {
  id: string;
  secret: string;
}

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: object;
}

function call(path: string, { method = 'GET', headers = {}, body }: Call = {}) {
  return fetch(server.url + path, {
    method,
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
}

const asAda = (path: string, request: Call) =>
  call(path, { ...request, headers: { authorization: `Bearer ${access}`, ...request.headers } });

async function makeKey(settings: object) {
  const body = { name: 'web', scopes: ['*'], ...settings };
  return (await (await asAda('/api/v1/api-keys', { method: 'POST', body })).json()) as Key;
}

/** The CORS headers of an answer, each null where it is missing. */
const allowed = ({ status, headers }: Response) => ({
  status,
  origin: headers.get('access-control-allow-origin'),
  credentials: headers.get('access-control-allow-credentials'),
});

let sources = 0;
const newSource = () => ({ 'x-forwarded-for': `203.0.113.${++sources}` });

async function preflight(origin: string, path = '/api/v1/api-keys', headers: Record<string, string> = newSource()) {
  return call(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-api-key',
      ...headers,
    },
  });
}

describe('a preflight', () => {
  it('passes for an origin of the settings and for that of an active key, without cookies', async () => {
    for (const path of ['/api/v1/api-keys', '/trpc/apiKeys.create', '/api/v1/auth/refresh'])
      expect(allowed(await preflight(SHOP, path))).toEqual({ status: 204, origin: SHOP, credentials: null });
    const answer = await preflight(SHOP);
    expect(answer.headers.get('access-control-allow-headers')).toBe('x-api-key');
    expect(answer.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(answer.headers.get('vary')).toContain('Origin');
    expect(allowed(await preflight(NAMED))).toMatchObject({ status: 204, origin: NAMED });
  });

  it.each([EVIL, 'null', 'https://SHOP.example.org', `${SHOP}/`, `${SHOP}.evil.example`, `https://${'x'.repeat(400)}`])(
    'does not pass for %s',
    async (origin) => {
      expect(allowed(await preflight(origin))).toMatchObject({ origin: null });
    },
  );

  it('does not pass to pages, which are not for other origins', async () => {
    expect(allowed(await preflight(SHOP, '/docs'))).toMatchObject({ origin: null });
  });

  it('asks nothing for requests that are none, and for origins of the settings', async () => {
    const asked: string[] = [];
    const listen = ({ sql }: { sql: string }) => void (/allowed_origins @>/.test(sql) && asked.push(sql));
    server.ports.database.on('query', listen);
    await preflight(NAMED);
    await call('/api/v1/api-keys', { headers: { origin: EVIL } });
    await call('/api/v1/api-keys', { headers: { origin: SHOP, 'x-api-key': ofShop.secret } });
    await call('/api/v1/api-keys', { method: 'OPTIONS', headers: { origin: EVIL } });
    expect(asked).toEqual([]);
    await preflight(EVIL);
    server.ports.database.off('query', listen);
    expect(asked.length).toBeLessThanOrEqual(1);
  });

  it('for one invented origin after the other is refused before it asks the database', async () => {
    const limited = await startInProcess({ CORS_ORIGINS: NAMED, RATE_LIMIT_PER_MINUTE: '5' });
    try {
      limited.serve();
      const statuses: number[] = [];
      const asked: string[] = [];
      const listen = ({ sql }: { sql: string }) => void (/allowed_origins @>/.test(sql) && asked.push(sql));
      limited.ports.database.on('query', listen);
      for (let at = 0; at < 12; at++) {
        const headers = { origin: `https://a${at}.example`, 'access-control-request-method': 'GET' };
        const answer = await fetch(`${limited.url}/api/v1/api-keys`, { method: 'OPTIONS', headers });
        if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        statuses.push(answer.status);
      }
      expect(statuses.filter((status) => status === 204).length).toBeLessThanOrEqual(6);
      expect(statuses.at(-1)).toBe(429);
      expect(asked.length).toBeLessThanOrEqual(6);
    } finally {
      await limited.close();
    }
  });
});

describe('the request itself', () => {
  const list = (origin: string, secret: string, path = '/api/v1/api-keys') =>
    call(path, { headers: { origin, 'x-api-key': secret } });

  it('is judged by its own key, and its answer may be read by the pages of that key only', async () => {
    for (const path of [
      '/api/v1/api-keys',
      '/trpc/apiKeys.list',
      '/trpc/apiKeys.list,apiKeys.list?batch=1&input=%7B%7D',
    ])
      expect(allowed(await list(SHOP, ofShop.secret, path))).toEqual({ status: 200, origin: SHOP, credentials: null });
    expect(allowed(await list(EVIL, ofShop.secret))).toMatchObject({ status: 403, origin: null });
    expect(allowed(await list(NAMED, ofShop.secret))).toMatchObject({ status: 403, origin: NAMED });
    expect(allowed(await list(SHOP, ofAnywhere.secret))).toMatchObject({ status: 200, origin: null });
    const signedIn = await asAda('/api/v1/api-keys', { headers: { origin: SHOP } });
    expect(allowed(signedIn)).toMatchObject({ status: 200, origin: null });
    expect((await list(SHOP, ofShop.secret)).headers.get('vary')).toContain('Origin');
  });

  it('names an origin once that both the key and the settings allow', async () => {
    const { secret } = await makeKey({ allowedOrigins: [NAMED] });
    expect(allowed(await list(NAMED, secret))).toEqual({ status: 200, origin: NAMED, credentials: null });
  });

  it('shows its page why it is refused', async () => {
    const missing = await list(SHOP, ofShop.secret, '/api/v1/api-keys/key_00000000000000000000000000');
    expect(allowed(missing)).toMatchObject({ status: 404, origin: SHOP });
    const { id, secret } = await makeKey({ allowedOrigins: [SHOP] });
    await asAda(`/api/v1/api-keys/${id}`, { method: 'PATCH', body: { enabled: false } });
    const refused = await list(SHOP, secret);
    expect(allowed(refused)).toEqual({ status: 401, origin: SHOP, credentials: null });
    expect(await refused.json()).toMatchObject({ code: 'api_key_disabled' });
  });

  it('is never answered with leave for cookies', async () => {
    const headers = { origin: SHOP, 'x-api-key': ofShop.secret };
    for (const path of ['/api/v1/auth/refresh', '/api/v1/auth/login', '/api/v1/auth/logout'])
      expect(allowed(await call(path, { method: 'POST', headers, body: {} })).credentials).toBeNull();
  });

  it.each([
    ['a batch in parts', '/trpc/apiKeys.list?batch=1&input=%7B%7D', { 'trpc-accept': 'application/jsonl' }],
    ['a subscription', '/trpc/realtime.events?input=%7B%22events%22%3A%5B%22api_key.*%22%5D%7D', {}],
  ])('may be answered as %s, whose headers leave first', async (_, path, more) => {
    const controller = new AbortController();
    const response = await fetch(server.url + path, {
      headers: { origin: SHOP, 'x-api-key': ofShop.secret, ...more },
      signal: controller.signal,
    });
    expect(allowed(response)).toMatchObject({ origin: SHOP, credentials: null });
    controller.abort();
  });
});
