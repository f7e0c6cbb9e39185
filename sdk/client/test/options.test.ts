import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthenticationError, NotFoundError, RentApi, type RentApiOptions } from '../src/index.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
const KEY = 'rapi_test_key';
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  return api.close();
});

const seen = (name: string) => api.requests.map(({ headers }) => headers[name]);
async function logIn(client: RentApi) {
  const answer = await client.auth.login({ email: 'a@example.com', password: 'right' });
  if ('mfaRequired' in answer) throw new Error('No account of these tests has a second factor.');
  return answer;
}

describe('an option', () => {
  it('that does not exist is refused, with those that do', () => {
    const options = { baseUrl: api.baseUrl, apikey: KEY } as RentApiOptions;
    expect(() => new RentApi(options)).toThrow(/^RentApi has no option `apikey`\. It has: baseUrl, apiKey, /);
    expect(() =>
      new RentApi({ baseUrl: api.baseUrl, apiKey: KEY }).withOptions({ timeout: 1 } as RentApiOptions),
    ).toThrow('RentApi has no option `timeout`.');
  });
});

describe('the environment', () => {
  it('gives the server and the key where the options do not', async () => {
    vi.stubEnv('RENTAPI_BASE_URL', `${api.baseUrl}/`);
    vi.stubEnv('RENTAPI_API_KEY', `${KEY}\n`);
    expect(await new RentApi().users.me.get()).toMatchObject({ id: 'usr_1' });
    await new RentApi({ apiKey: 'another' }).users.me.get().catch(() => undefined);
    expect(seen('authorization')).toEqual([`Bearer ${KEY}`, 'Bearer another']);
  });

  it('gives no key to a client of a user, nor to one without a credential', async () => {
    vi.stubEnv('RENTAPI_API_KEY', KEY);
    const session = { load: () => null, save: () => undefined };
    for (const options of [{ session }, { tokens: { accessToken: 'at_1' } }, { apiKey: null }])
      await new RentApi({ baseUrl: api.baseUrl, ...options }).users.me.get().catch(() => undefined);
    expect(seen('authorization')).toEqual([undefined, 'Bearer at_1', undefined]);
  });

  it('gives a key until a login: from then on the client is that of the user, after the logout too', async () => {
    vi.stubEnv('RENTAPI_API_KEY', KEY);
    const client = new RentApi({ baseUrl: api.baseUrl });
    await client.users.me.get();
    const { accessToken } = await logIn(client);
    await client.users.me.get();
    await client.auth.logout();
    await client.users.me.get().catch(() => undefined);
    const bearers = [`Bearer ${KEY}`, undefined, `Bearer ${accessToken}`, `Bearer ${accessToken}`, undefined];
    expect(seen('authorization')).toEqual(bearers);
  });

  it('may be unreadable, as in Deno without a permission, or absent', () => {
    vi.stubGlobal('process', {
      get env(): never {
        throw new Error('NotCapable');
      },
    });
    expect(() => new RentApi()).toThrow('RENTAPI_BASE_URL is not set');
    vi.stubGlobal('process', undefined);
    expect(() => new RentApi()).toThrow('RENTAPI_BASE_URL is not set');
    expect(() => new RentApi({ baseUrl: api.baseUrl })).not.toThrow();
  });
});

describe('an API key', () => {
  it.each([
    [undefined, 'undefined'],
    ['', 'empty'],
    [' \n', 'empty'],
    [7 as unknown as string, 'number'],
  ])('that is %j is refused at once, by the name of the setting', (apiKey, found) => {
    vi.stubEnv('RENTAPI_API_KEY', KEY);
    expect(() => new RentApi({ baseUrl: api.baseUrl, apiKey })).toThrow(
      `\`apiKey\` is ${found}. Is RENTAPI_API_KEY set? For a client without a key, pass null.`,
    );
  });

  it('may be undefined beside a session or tokens', () => {
    const session = { load: () => null, save: () => undefined };
    expect(() => new RentApi({ baseUrl: api.baseUrl, apiKey: undefined, session })).not.toThrow();
    expect(() => new RentApi({ baseUrl: api.baseUrl, apiKey: undefined, tokens: { accessToken: 'a' } })).not.toThrow();
  });

  it('loses the newline of the file that it was read from', async () => {
    await new RentApi({ baseUrl: api.baseUrl, apiKey: `${KEY}\n` }).users.me.get();
    expect(seen('authorization')).toEqual([`Bearer ${KEY}`]);
  });

  it('may be a function, which is asked before each try', async () => {
    const keys = ['rapi_old', KEY];
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: async () => `${keys.shift()}\n` });
    api.failNext({ status: 503, headers: { 'retry-after': '0' } });
    await client.users.me.get();
    expect(seen('authorization')).toEqual(['Bearer rapi_old', `Bearer ${KEY}`]);
    const vault = new RentApi({
      baseUrl: api.baseUrl,
      apiKey: () => Promise.reject(new Error('The vault is sealed.')),
    });
    await expect(vault.users.me.get()).rejects.toThrow('The vault is sealed.');
    await expect(new RentApi({ baseUrl: api.baseUrl, apiKey: () => '' }).users.me.get()).rejects.toThrow(
      '`apiKey` is empty.',
    );
    expect(api.requests).toHaveLength(2);
  });

  it('is refused in a web page, also from the environment, unless that is allowed; Node with a document is none', () => {
    const options = { baseUrl: api.baseUrl, apiKey: KEY };
    vi.stubGlobal('document', {});
    expect(() => new RentApi(options)).not.toThrow();
    vi.stubGlobal('process', { env: { RENTAPI_API_KEY: KEY }, versions: {} });
    expect(() => new RentApi(options)).toThrow('set `allowApiKeyInBrowser`');
    expect(() => new RentApi({ baseUrl: api.baseUrl })).toThrow('set `allowApiKeyInBrowser`');
    expect(() => new RentApi({ ...options, allowApiKeyInBrowser: true })).not.toThrow();
    expect(() => new RentApi({ baseUrl: api.baseUrl, apiKey: null })).not.toThrow();
  });
});

describe('headers', () => {
  it('are those of the client, under those of the call; null takes one away', async () => {
    const headers = { 'X-Team': 'core', 'x-skip': undefined, accept: 'application/json' };
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: KEY, headers });
    await client.users.me.get();
    await client.users.me.get({}, { headers: { 'x-team': 'web' } });
    await client.users.me.get({}, { headers: { 'x-team': null, 'User-Agent': 'mine' } });
    expect(seen('x-team')).toEqual(['core', 'web', undefined]);
    expect(seen('user-agent').at(-1)).toBe('mine');
    expect(seen('x-skip')).toEqual([undefined, undefined, undefined]);
    expect(seen('accept')[0]).toBe('application/json');
  });

  it('that carry a credential sign the calls, but not a login', async () => {
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: null, headers: { Authorization: `Bearer ${KEY}` } });
    await client.users.me.get();
    await logIn(client);
    expect(seen('authorization')).toEqual([`Bearer ${KEY}`, undefined]);
  });
});

describe('withOptions', () => {
  it('changes what it names and keeps the rest', async () => {
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: KEY, headers: { 'x-a': '1', 'x-b': '1' } });
    const other = client.withOptions({ organizationId: 'org_1', headers: { 'x-b': '2' } });
    await other.users.me.get();
    await client.users.me.get();
    expect([seen('x-a'), seen('x-b'), seen('x-organization-id')]).toEqual([
      ['1', '1'],
      ['2', '1'],
      ['org_1', undefined],
    ]);
  });

  it('shares the login, before and after it, and renews it once for all', async () => {
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: null });
    const patient = client.withOptions({ timeoutMs: 90_000 });
    await logIn(client);
    expect(await patient.tokens()).toEqual(await client.tokens());
    api.expireAccessTokens();
    await Promise.all([client.users.me.get(), patient.users.me.get()]);
    expect(api.seenAt('POST /api/v1/auth/refresh').length).toBeLessThanOrEqual(2);
    expect(await patient.tokens()).toEqual(await client.tokens());
    await patient.auth.logout();
    expect(await client.tokens()).toBeNull();
  });

  it('replaces the credential by another one of any kind', async () => {
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: KEY });
    await client
      .withOptions({ tokens: { accessToken: 'at_1' } })
      .users.me.get()
      .catch(() => undefined);
    await client
      .withOptions({ tokens: { accessToken: 'at_1' } })
      .withOptions({ apiKey: KEY })
      .users.me.get();
    expect(seen('authorization')).toEqual(['Bearer at_1', `Bearer ${KEY}`]);
  });
});

describe('client.request', () => {
  const client = () => new RentApi({ baseUrl: api.baseUrl, apiKey: KEY, organizationId: 'org_1' });

  it('calls an operation that has no method, with parameters, headers, repeats and one Idempotency-Key', async () => {
    api.failNext({ status: 'drop', afterEffect: true });
    const created = await client().request<{ id: string }>('post', '/api/v1/api-keys', {
      body: { name: 'ci', scopes: [] },
    });
    expect(created.id).toBe('key_1');
    expect(api.keys).toHaveLength(1);
    const [first, second] = seen('idempotency-key');
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).toBe(first);
    const input = { query: { limit: 1, tag: ['a', 'b'], none: undefined } };
    const { data, status } = await client().request('GET', '/api/v1/api-keys?x=1', input).withResponse();
    expect({ data, status }).toMatchObject({ data: { items: [{ id: 'key_1' }] }, status: 200 });
    expect(api.requests.at(-1)).toMatchObject({
      path: '/api/v1/api-keys?x=1&limit=1&tag=a&tag=b',
      headers: { 'x-organization-id': 'org_1' },
    });
  });

  it('throws the same errors, takes the same options and answers nothing where there is nothing', async () => {
    await expect(client().request('GET', '/api/v1/api-keys/key_9')).rejects.toBeInstanceOf(NotFoundError);
    await client().request('POST', '/api/v1/api-keys', { body: { name: 'a' } }, { idempotencyKey: 'mine' });
    expect(seen('idempotency-key').at(-1)).toBe('mine');
    expect(await client().request('DELETE', '/api/v1/api-keys/key_1')).toBeUndefined();
  });

  it('renews the session', async () => {
    const own = new RentApi({ baseUrl: api.baseUrl, apiKey: null });
    await logIn(own);
    api.expireAccessTokens();
    expect(await own.request('GET', '/api/v1/users/me')).toMatchObject({ id: 'usr_1' });
    await own.auth.logout();
    await expect(own.request('GET', '/api/v1/users/me')).rejects.toBeInstanceOf(AuthenticationError);
  });

  it('names no organization where the path does', async () => {
    await client().request('GET', '/api/v1/organizations/org_2');
    expect(seen('x-organization-id')).toEqual([undefined]);
  });

  it.each(['https://evil.example/', '//evil.example/', '/\\evil.example/', 'api/v1/users/me'])(
    'sends no credential to %s',
    async (path) => {
      await expect(client().request('GET', path)).rejects.toThrow('`path` must begin with one slash');
      expect(api.requests).toEqual([]);
    },
  );

  it.each([
    ['text', 'a=1', 'text/plain;charset=UTF-8'],
    ['parameters', new URLSearchParams({ a: '1' }), 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['bytes', new TextEncoder().encode('a=1'), undefined],
    ['a Blob', new Blob(['a=1'], { type: 'text/csv' }), 'text/csv'],
    ['JSON', [1], 'application/json'],
  ])('sends %s as it is', async (_, body, contentType) => {
    const sent: { type: string | null; text: string }[] = [];
    const echo: typeof fetch = async (url, init) => {
      const request = new Request(String(url), init);
      sent.push({ type: request.headers.get('content-type'), text: await request.text() });
      return Response.json({});
    };
    const own = new RentApi({ baseUrl: api.baseUrl, apiKey: KEY, fetch: echo });
    await own.request('PUT', '/x', { body });
    expect(sent).toEqual([{ type: contentType ?? null, text: Array.isArray(body) ? '[1]' : 'a=1' }]);
    await own.request('PUT', '/x', { body, contentType: 'application/x-own' });
    expect(sent[1]?.type).toBe('application/x-own');
  });
});

describe('fetchOptions', () => {
  it('reach fetch with every call, and so do credentials', async () => {
    const inits: (RequestInit & { dispatcher?: unknown })[] = [];
    const spy: typeof fetch = async (_, init) => {
      inits.push({ ...init });
      return Response.json({});
    };
    const dispatcher = { proxy: true };
    const options = { baseUrl: api.baseUrl, apiKey: KEY, fetch: spy, credentials: 'include' } as const;
    await new RentApi({ ...options, fetchOptions: { dispatcher, cache: 'no-store' } }).users.me.get();
    expect(inits).toMatchObject([{ dispatcher, cache: 'no-store', credentials: 'include', method: 'GET' }]);
  });
});

describe('what a client lends to other programs', () => {
  it('is its headers and, after a refusal, new ones', async () => {
    const client = new RentApi({
      baseUrl: `${api.baseUrl}/`,
      apiKey: null,
      organizationId: 'org_1',
      headers: { 'x-own': '1' },
    });
    expect(client.baseUrl).toBe(api.baseUrl);
    const { accessToken } = await logIn(client);
    const headers = await client.requestHeaders();
    expect(headers).toMatchObject({
      authorization: `Bearer ${accessToken}`,
      'x-organization-id': 'org_1',
      'x-own': '1',
    });
    expect(headers).not.toHaveProperty('idempotency-key');
    expect(await client.accessToken()).toBe(accessToken);
    expect(await client.recover(headers, 'access_token_expired')).toBe(true);
    const renewed = await client.requestHeaders({ change: true });
    expect(renewed.authorization).not.toBe(headers.authorization);
    expect(renewed['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(await new RentApi({ baseUrl: api.baseUrl, apiKey: KEY }).recover(headers, 'access_token_expired')).toBe(
      false,
    );
  });
});
