import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Hooks, type Logger, RentApi, VERSION } from '../src/index.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => {
  vi.unstubAllGlobals();
  return api.close();
});

const SECRET = 'rapi_test_key';

function recordingLogger() {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (message: string, ...details: unknown[]) =>
      void lines.push([level, message, ...details.map(String)].join(' '));
  const logger: Logger = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
  return { lines, logger };
}

/** Each hook's name and what it was given. */
function recordingHooks() {
  const seen: [string, Record<string, unknown>][] = [];
  const record = (name: string) => (info: object) => void seen.push([name, { ...info }]);
  const hooks: Hooks = {
    request: record('request'),
    response: record('response'),
    retry: record('retry'),
    error: record('error'),
  };
  return { seen, hooks };
}

describe('hooks', () => {
  it('see each try, its answer and the wait before the next', async () => {
    const { seen, hooks } = recordingHooks();
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: SECRET, hooks });
    api.failNext({ status: 503, headers: { 'retry-after': '0' } });
    await client.apiKeys.list({ limit: 3 });
    const call = { operationId: 'apiKeys.list', method: 'GET', url: `${api.baseUrl}/api/v1/api-keys?limit=3` };
    expect(seen).toEqual([
      ['request', { ...call, attempt: 1 }],
      ['response', { ...call, attempt: 1, status: 503, requestId: 'req_1', durationMs: expect.any(Number) }],
      ['retry', { ...call, attempt: 1, delayMs: expect.any(Number), error: expect.objectContaining({ status: 503 }) }],
      ['request', { ...call, attempt: 2 }],
      ['response', { ...call, attempt: 2, status: 200, requestId: 'req_header', durationMs: expect.any(Number) }],
    ]);
  });

  it('see a failure once, with the error that the caller gets; without an answer there is no response', async () => {
    const { seen, hooks } = recordingHooks();
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: SECRET, hooks, maxRetries: 0 });
    const thrown: unknown = await client.apiKeys.get({ keyId: 'key_9' }).catch((error: unknown) => error);
    expect(seen.map(([name]) => name)).toEqual(['request', 'response', 'error']);
    expect(seen.at(-1)?.[1]).toMatchObject({ error: thrown, requestId: 'req_1', attempt: 1 });
    seen.length = 0;
    api.failNext({ status: 'drop' });
    await client.users.me.get().catch(() => undefined);
    expect(seen.map(([name]) => name)).toEqual(['request', 'error']);
  });

  it('see a renewal of the session as calls of their own', async () => {
    const { seen, hooks } = recordingHooks();
    const client = new RentApi({ baseUrl: api.baseUrl, hooks });
    await client.auth.login({ email: 'a@example.com', password: 'right' });
    api.expireAccessTokens();
    seen.length = 0;
    await client.users.me.get();
    expect(seen.map(([name, { operationId, attempt }]) => `${name} ${operationId} ${attempt}`)).toEqual([
      'request users.me.get 1',
      'response users.me.get 1',
      'request auth.refresh 1',
      'response auth.refresh 1',
      'retry users.me.get 1',
      'request users.me.get 2',
      'response users.me.get 2',
    ]);
  });

  it('do not change a call by failing, at once or later; the failure is logged', async () => {
    const { lines, logger } = recordingLogger();
    const hooks: Hooks = {
      request() {
        throw new Error('at once');
      },
      response: () => Promise.reject(new Error('later')),
      retry: () => Promise.reject(new Error('later')),
      error() {
        throw new Error('at once');
      },
    };
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: SECRET, hooks, logger });
    api.failNext({ status: 503, headers: { 'retry-after': '0' } });
    expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
    await expect(client.apiKeys.get({ keyId: 'key_9' })).rejects.toMatchObject({ code: 'not_found' });
    expect(lines).toContain('warn [rentapi] The hook `request` failed. Error: at once');
    expect(lines).toContain('warn [rentapi] The hook `response` failed. Error: later');
    expect(lines).toContain('warn [rentapi] The hook `retry` failed. Error: later');
    expect(lines).toContain('warn [rentapi] The hook `error` failed. Error: at once');
  });

  it('may fail where the logger fails too', async () => {
    const broken = () => {
      throw new Error('The disk is full.');
    };
    const logger: Logger = { error: broken, warn: broken, info: broken, debug: broken };
    const client = new RentApi({
      baseUrl: api.baseUrl,
      apiKey: SECRET,
      logger,
      logLevel: 'debug',
      hooks: { request: broken },
    });
    expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
  });
});

describe('a logger', () => {
  it.each([
    ['off', []],
    ['warn', []],
    ['info', ['info']],
    ['debug', ['debug', 'debug', 'info', 'debug', 'debug']],
  ] as const)('hears at the level %s: %s', async (logLevel, levels) => {
    const { lines, logger } = recordingLogger();
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: SECRET, logger, logLevel });
    api.failNext({ status: 503, headers: { 'retry-after': '0' } });
    await client.users.me.get();
    expect(lines.map((line) => line.split(' ')[0])).toEqual(levels);
  });

  it('hears no credential, no query string and no body', async () => {
    const { lines, logger } = recordingLogger();
    const client = new RentApi({ baseUrl: api.baseUrl, apiKey: null, logger, logLevel: 'debug' });
    await client.auth.login({ email: 'a@example.com', password: 'right' });
    const tokens = await client.tokens();
    api.expireAccessTokens();
    await client.apiKeys.create({ name: 'name-in-a-body', scopes: [] });
    await client.apiKeys.list({ cursor: 'cursor-in-a-query' }).catch(() => undefined);
    const own = client.withOptions({ apiKey: SECRET, headers: { 'x-own': 'header-of-the-program' } });
    await own.request('GET', '/api/v1/users/me?token=token-in-a-path');
    const text = lines.join('\n');
    expect(text).toContain('apiKeys.create: POST ');
    for (const secret of [
      SECRET,
      'a@example.com',
      'right',
      tokens?.accessToken,
      tokens?.refreshToken,
      'name-in-a-body',
      'cursor-in-a-query',
      'header-of-the-program',
      'token-in-a-path',
    ])
      expect(text).not.toContain(secret);
  });

  it('is refused at a level that does not exist', () => {
    const options = { baseUrl: api.baseUrl, apiKey: SECRET, logLevel: 'verbose' as 'debug' };
    expect(() => new RentApi(options)).toThrow('`logLevel` must be one of off, error, warn, info, debug.');
  });
});

describe('the name of this package', () => {
  const sent = async () => {
    api.requests.length = 0;
    await new RentApi({ baseUrl: api.baseUrl, apiKey: SECRET, allowApiKeyInBrowser: true }).users.me.get();
    const { 'user-agent': userAgent, 'x-rentapi-sdk': sdk } = api.requests[0]!.headers;
    return { userAgent, sdk };
  };

  it('is its User-Agent where the platform allows one', async () => {
    expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
    const major = process.versions.node.split('.')[0];
    expect(await sent()).toEqual({ userAgent: `rentapi-sdk/${VERSION} (node/${major})`, sdk: undefined });
    vi.stubGlobal('process', { env: {}, versions: { node: '24.0.0', bun: '1.4.4' } });
    expect((await sent()).userAgent).toBe(`rentapi-sdk/${VERSION} (bun/1)`);
    vi.stubGlobal('Deno', { version: { deno: '2.9.6' } });
    expect((await sent()).userAgent).toBe(`rentapi-sdk/${VERSION} (deno/2)`);
  });

  it('is a header of its own in browsers, which keep their User-Agent', async () => {
    vi.stubGlobal('process', undefined);
    vi.stubGlobal('document', {});
    vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0' });
    expect(await sent()).toMatchObject({ sdk: VERSION, userAgent: expect.not.stringContaining('rentapi') });
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' });
    expect((await sent()).userAgent).toBe(`rentapi-sdk/${VERSION} (workerd)`);
  });
});
