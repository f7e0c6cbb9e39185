import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as WsWebSocket } from 'ws';
import { bodyBytes } from '../src/encode.ts';
import {
  AuthenticationError,
  BadRequestError,
  ConflictError,
  ConnectionError,
  NotFoundError,
  PreconditionFailedError,
  RateLimitError,
  RentApi,
  type RentApiError,
  ServerError,
  TimeoutError,
} from '../src/index.ts';
import { backoffMs, parseRetryAfter } from '../src/retry.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
let client: RentApi;
beforeEach(async () => {
  api = await startFakeApi();
  client = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key' });
});
afterEach(() => api.close());

const failure = (call: PromiseLike<unknown>) =>
  Promise.resolve(call).then(
    () => expect.fail('The call succeeded.'),
    (error: unknown) => error as RentApiError,
  );

describe('a client', () => {
  it.each([
    [undefined, 'it is missing, and RENTAPI_BASE_URL is not set'],
    ['', "it is '', which means the page's own origin, and this is no web page"],
    ['localhost:8000', 'it is "localhost:8000"'],
    ['api.example.com', 'it is "api.example.com"'],
    ['https://', 'it is "https://"'],
  ])('is refused with the base URL %s, in a sentence', (baseUrl, given) => {
    expect(() => new RentApi({ baseUrl: baseUrl as string })).toThrow(
      `\`baseUrl\` must be a whole address such as https://api.example.com; ${given}.`,
    );
  });

  it("calls the page's own origin where the base URL is empty, for events too", async () => {
    const page = new URL(api.baseUrl);
    vi.stubGlobal('location', page);
    const sockets: string[] = [];
    class WebSocket extends WsWebSocket {
      constructor(url: string) {
        super(url);
        sockets.push(url);
      }
    }
    // As in a page: Node's own fetch knows no origin.
    const inPage: typeof fetch = (url, init) => fetch(new URL(String(url), page), init);
    const own = new RentApi({ baseUrl: '', apiKey: 'rapi_test_key', fetch: inPage, WebSocket });
    expect(await own.users.me.get()).toMatchObject({ id: 'usr_1' });
    const subscription = own.realtime.subscribe(['api_key.*']);
    await subscription.ready;
    subscription.close();
    expect(sockets).toEqual([expect.stringMatching(`^ws://${page.host}/api/v1/ws/realtime\\?ticket=`)]);
    vi.stubGlobal('location', new URL('file:///app/index.html'));
    expect(() => new RentApi({ baseUrl: '' })).toThrow('this is no web page');
    vi.unstubAllGlobals();
  });
});

describe('a call', () => {
  it('sends the credential, the organization and the parameters, and answers the data', async () => {
    const created = await client.apiKeys.create({ name: 'ci', scopes: ['read:*'] }, { organizationId: 'org_1' });
    expect(created).toMatchObject({ id: 'key_1', name: 'ci' });
    expect(api.requests[0]).toMatchObject({
      headers: {
        authorization: 'Bearer rapi_test_key',
        'x-organization-id': 'org_1',
        'content-type': 'application/json',
      },
      body: { name: 'ci', scopes: ['read:*'] },
    });
    expect(await client.apiKeys.revoke({ keyId: created.id })).toBeUndefined();
    expect(api.keys).toEqual([]);
  });

  it('sends the organization of the client, unless the path or the call names another', async () => {
    const mine = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key', organizationId: 'org_1' });
    await mine.apiKeys.list();
    await mine.orgs.get({ orgId: 'org_2' });
    await mine.apiKeys.list({}, { organizationId: 'org_3' });
    expect(api.requests.map(({ headers }) => headers['x-organization-id'])).toEqual(['org_1', undefined, 'org_3']);
  });

  it('keeps a parameter from making the URL of another operation', async () => {
    for (const keyId of ['', '.', '..']) expect(await failure(client.apiKeys.get({ keyId }))).toBeInstanceOf(TypeError);
    await failure(client.apiKeys.get({ keyId: 'a/../../users/me?x=1' }));
    expect(api.requests.map(({ path }) => path)).toEqual(['/api/v1/api-keys/a%2F..%2F..%2Fusers%2Fme%3Fx%3D1']);
  });

  it('gives the headers too, for a change that must not overwrite another', async () => {
    const { data, headers, status, requestId } = await client.users.me.get().withResponse();
    expect({ data, status, requestId }).toMatchObject({ data: { id: 'usr_1' }, status: 200, requestId: 'req_header' });
    await client.users.me.update({ fullName: 'A' }, { ifMatch: headers.get('etag') ?? '' });
    expect(await failure(client.users.me.update({ fullName: 'A' }, { ifMatch: '"1"' }))).toBeInstanceOf(
      PreconditionFailedError,
    );
  });

  it('takes the null of a header that is not there as no `ifMatch`', async () => {
    await failure(client.users.me.update({ fullName: 'A' }, { ifMatch: new Headers().get('etag') }));
    expect(api.requests[0]?.headers['if-match']).toBeUndefined();
  });

  it('gives the raw Response where that is asked for, its body unread, and throws refusals as ever', async () => {
    const response = await client.users.me.get().asResponse();
    expect(response).toBeInstanceOf(Response);
    expect(await response.json()).toMatchObject({ id: 'usr_1' });
    const page = await client.apiKeys.list({ limit: 1 }).asResponse();
    expect(await page.text()).toContain('nextCursor');
    expect(await failure(client.apiKeys.get({ keyId: 'key_9' }).asResponse())).toBeInstanceOf(NotFoundError);
    const late = client.users.me.get();
    await late;
    expect((await failure(late.asResponse())).message).toMatch(/^`asResponse\(\)` came too late/);
  });

  it('refuses two credentials', () => {
    const session = { load: () => null, save: () => undefined };
    for (const two of [
      { apiKey: 'a', tokens: { accessToken: 'b' } },
      { apiKey: 'a', session },
      { session, tokens: { accessToken: 'b' } },
    ])
      expect(() => new RentApi({ baseUrl: api.baseUrl, ...two })).toThrow(/^Give one of `\w+` and `\w+`, not both\.$/);
  });
});

describe('a failed call', () => {
  it('throws the class of its status with code, request id and fields', async () => {
    const invalid = await failure(client.apiKeys.create({ scopes: [] } as never));
    expect(invalid).toBeInstanceOf(BadRequestError);
    expect(invalid).toMatchObject({
      name: 'BadRequestError',
      code: 'invalid_input',
      status: 400,
      requestId: 'req_1',
      errors: [{ path: 'name', message: 'is required' }],
    });
    expect(invalid.message).toBe('400 invalid_input: name is required.');
    expect(invalid.problem?.title).toBe('invalid_input');
    expect(await failure(client.apiKeys.get({ keyId: 'key_9' }))).toBeInstanceOf(NotFoundError);
    expect(await failure(new RentApi({ baseUrl: api.baseUrl }).users.me.get())).toBeInstanceOf(AuthenticationError);
    api.failNext({ status: 409, code: 'username_taken' }, { status: 500 });
    expect(await failure(client.apiKeys.list())).toBeInstanceOf(ConflictError);
    expect(await failure(client.apiKeys.list())).toBeInstanceOf(ServerError);
  });

  it('says how long to wait when that is longer than it waits itself', async () => {
    api.failNext({ status: 429, code: 'rate_limited', headers: { 'retry-after': '3600' } });
    const error = await failure(client.users.me.get());
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.retryAfter).toBe(3600);
    expect(api.requests).toHaveLength(1);
  });

  it('links the page that explains its code, on the server that answered', async () => {
    const error = await failure(client.apiKeys.get({ keyId: 'key_9' }));
    expect(error.docsUrl).toBe(`${api.baseUrl}/docs/errors/not_found`);
    const answering = (type: string) => async () =>
      Response.json(
        { type, code: 'not_found' },
        { status: 404, headers: { 'content-type': 'application/problem+json' } },
      );
    for (const [type, docsUrl] of [
      ['https://docs.example.com/not_found', 'https://docs.example.com/not_found'],
      ['about:blank', null],
      ['javascript:alert(1)', null],
      ['', null],
    ] as const) {
      const own = new RentApi({ baseUrl: 'https://api.example.com', apiKey: 'k', fetch: answering(type) });
      expect((await failure(own.users.me.get())).docsUrl).toBe(docsUrl);
    }
    vi.stubGlobal('location', new URL('https://app.example.com/keys'));
    const page = new RentApi({ baseUrl: '', apiKey: 'k', fetch: answering('/docs/errors/not_found') });
    expect((await failure(page.users.me.get())).docsUrl).toBe('https://app.example.com/docs/errors/not_found');
    vi.unstubAllGlobals();
  });

  const answers = (body: string | null, contentType: string, status = 200) => {
    const fetch = async () =>
      new Response(body, { status, headers: { 'content-type': contentType, 'x-request-id': 'r' } });
    return new RentApi({ baseUrl: 'https://api.example.com', apiKey: 'k', fetch });
  };

  it.each([
    ['a page', `<html>${'x'.repeat(300)}`, 'text/html; charset=utf-8'],
    ['a file', 'PK', 'application/zip'],
    ['broken JSON', '{"id":', 'application/json'],
    ['nothing', '', 'application/json'],
  ])('is `invalid_response` where 200 comes with %s', async (_, body, type) => {
    const error = await failure(answers(body, type).users.me.get());
    expect(error).toMatchObject({ name: 'RentApiError', code: 'invalid_response', status: 200, requestId: 'r' });
    const shown = body === '' ? 'nothing' : JSON.stringify(body.slice(0, 200));
    expect(error.message).toBe(
      `GET https://api.example.com/api/v1/users/me: 200, but no answer of the API: ${type}, and ${shown}.`,
    );
    // An operation that answers nothing has not been carried out by a sign-in page of the network either.
    if (body !== '')
      expect(await failure(answers(body, type).auth.logout())).toMatchObject({ code: 'invalid_response' });
  });

  it('is none where the call has declared the type of the answer, or may have an empty one', async () => {
    const csv = answers('a,b', 'text/csv; charset=utf-8');
    expect(await csv.request('GET', '/api/v1/report', { accept: 'text/csv' })).toBe('a,b');
    expect(await failure(csv.request('GET', '/api/v1/report'))).toMatchObject({ code: 'invalid_response' });
    const zip = await answers('PK', 'application/zip').request<Blob>('GET', '/x', { accept: 'application/zip' });
    expect(await zip.text()).toBe('PK');
    expect(await answers(null, '', 204).apiKeys.revoke({ keyId: 'key_1' })).toBeUndefined();
  });

  it("keeps a proxy's HTML page out of the code", async () => {
    const html = async () => new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' });
    const behindProxy = new RentApi({ baseUrl: api.baseUrl, apiKey: 'k', fetch: html, maxRetries: 0 });
    expect(await failure(behindProxy.users.me.get())).toMatchObject({ code: 'http_502', status: 502, problem: null });
  });

  it('is the refusal of a body that is still being sent', async () => {
    let requests = 0;
    const refusing = createServer((request, response) => {
      requests++;
      response.writeHead(413, { 'content-type': 'application/problem+json' });
      response.end('{"code":"body_too_large","detail":"Send at most 1 MB."}');
      request.resume();
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    // The guarantee: a listening TCP server has an address with a port.
    const baseUrl = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    const sending = new RentApi({ baseUrl, apiKey: 'k' }).apiKeys.create({ name: 'x'.repeat(20_000_000), scopes: [] });
    const error = await failure(sending);
    refusing.close();
    expect(error).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(requests).toBe(1);
  });

  it('is the refusal that arrived, where the connection ended before its body', async () => {
    const body = () => new ReadableStream({ start: (controller) => controller.error(new Error('EPIPE')) });
    const closing: typeof fetch = async () => new Response(body(), { status: 413, statusText: 'Payload Too Large' });
    const refused = new RentApi({ baseUrl: api.baseUrl, apiKey: 'k', fetch: closing });
    expect(await failure(refused.users.me.get())).toMatchObject({
      status: 413,
      code: 'http_413',
      message: '413 http_413: Payload Too Large',
    });
  });

  it('is a ConnectionError where no server listens, with the cause', async () => {
    await api.close();
    const error = await failure(client.users.me.get({}, { maxRetries: 0 }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toContain('ECONNREFUSED');
    api = await startFakeApi();
  });

  it('is a TimeoutError where no answer comes, and the abort reason where the caller gave up', async () => {
    const never: typeof fetch = (_, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)));
    const hanging = new RentApi({ baseUrl: api.baseUrl, apiKey: 'k', fetch: never, timeoutMs: 30, maxRetries: 0 });
    expect(await failure(hanging.users.me.get())).toBeInstanceOf(TimeoutError);
    const patient = new RentApi({ baseUrl: api.baseUrl, apiKey: 'k', fetch: never, maxRetries: 0 });
    const reason = new Error('The user left.');
    expect(await failure(patient.users.me.get({}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 5);
    expect(await failure(patient.users.me.get({}, { signal: controller.signal }))).toBe(reason);
  });
});

describe('repeating', () => {
  it('waits as long as Retry-After says', async () => {
    api.failNext({ status: 429, headers: { 'retry-after': '1' } });
    await client.users.me.get();
    const [first, second] = api.requests;
    expect(api.requests).toHaveLength(2);
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(990);
  });

  it('reads Retry-After as seconds or as a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(parseRetryAfter('7', now)).toBe(7);
    expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30);
    expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
    for (const nonsense of [null, '', 'soon', '-5']) expect(parseRetryAfter(nonsense, now)).toBeNull();
  });

  it('backs off exponentially with full jitter and a ceiling', () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.999);
    expect([0, 1, 2, 9].map((attempt) => Math.round(backoffMs(attempt) / 100))).toEqual([5, 10, 20, 80]);
    random.mockReturnValue(0);
    expect(backoffMs(3)).toBe(0);
    random.mockRestore();
  });

  it.each([429, 502, 503, 504, 'drop'] as const)(
    'repeats a read after %s, no more often than allowed',
    async (status) => {
      const retryNow = { 'retry-after': '0' };
      api.failNext({ status, headers: retryNow }, { status, headers: retryNow });
      expect(await client.users.me.get()).toMatchObject({ id: 'usr_1' });
      expect(api.requests).toHaveLength(3);
      api.failNext({ status, headers: retryNow }, { status, headers: retryNow });
      await failure(client.users.me.get({}, { maxRetries: 1 }));
      expect(api.requests).toHaveLength(5);
    },
  );

  it.each([400, 403, 404, 409, 500] as const)('does not repeat after %s', async (status) => {
    api.failNext({ status });
    await failure(client.users.me.get());
    expect(api.requests).toHaveLength(1);
  });

  it('creates one key although the first answer was lost, by the same Idempotency-Key', async () => {
    api.failNext({ status: 'drop', afterEffect: true });
    expect(await client.apiKeys.create({ name: 'once', scopes: [] })).toMatchObject({ id: 'key_1' });
    expect(api.keys).toHaveLength(1);
    const sent = api.requests.map(({ headers }) => headers['idempotency-key']);
    expect(sent[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(sent).toEqual([sent[0], sent[0]]);
  });

  it('takes a fresh key for each change, or the one the caller gives', async () => {
    await client.apiKeys.create({ name: 'a', scopes: [] });
    await client.apiKeys.create({ name: 'b', scopes: [] });
    await client.apiKeys.create({ name: 'c', scopes: [] }, { idempotencyKey: 'mine' });
    await client.apiKeys.create({ name: 'c', scopes: [] }, { idempotencyKey: 'mine' });
    const sent = api.requests.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(sent).size).toBe(3);
    expect(sent.slice(2)).toEqual(['mine', 'mine']);
    expect(api.keys).toHaveLength(3);
  });

  it('waits for the first try when the server says it is still running', async () => {
    api.failNext({ status: 'drop', afterEffect: true }, { status: 409, code: 'idempotency_in_progress' });
    expect(await client.apiKeys.create({ name: 'once', scopes: [] })).toMatchObject({ id: 'key_1' });
    expect(api.keys).toHaveLength(1);
  });

  it('does not send a large body again where no answer came, and does so after an answer', async () => {
    const name = 'é'.repeat(600_000);
    for (const [status, tries] of [
      ['drop', 1],
      [503, 2],
    ] as const) {
      api.requests.length = 0;
      api.failNext({ status, headers: { 'retry-after': '0' } });
      await client.apiKeys.create({ name, scopes: [] }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ConnectionError);
      });
      expect(api.requests).toHaveLength(tries);
    }
  });

  it('counts every part of a body', () => {
    const form = new FormData();
    form.append('name', 'é');
    form.append('file', new Blob(['1234']));
    expect([undefined, 'é', new Blob(['123']), form].map(bodyBytes)).toEqual([0, 2, 3, 6]);
  });

  it('repeats usage events whose answer was lost: each counts once by its transaction id', async () => {
    api.failNext({ status: 'drop' }, { status: 503, headers: { 'retry-after': '0' } });
    const events = [{ transactionId: 'a', meter: 'calls' }];
    await failure(client.usage.ingest({ events })); // at last the fake answers that it has no such operation
    expect(api.requests.map(({ body }) => body)).toEqual([{ events }, { events }, { events }]);
    expect(api.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined, undefined, undefined]);
  });

  it('never repeats a change without a key: a login could count twice', async () => {
    for (const status of [503, 429, 'drop'] as const) {
      api.requests.length = 0;
      api.failNext({ status, headers: { 'retry-after': '0' } });
      await failure(new RentApi({ baseUrl: api.baseUrl }).auth.login({ email: 'a@example.com', password: 'right' }));
      expect(api.requests).toHaveLength(1);
      expect(api.requests[0]!.headers['idempotency-key']).toBeUndefined();
    }
  });
});

describe('a list', () => {
  const create = async (count: number) => {
    for (let i = 1; i <= count; i++) await client.apiKeys.create({ name: `k${i}`, scopes: [] });
    api.requests.length = 0;
  };

  it('is its first page when awaited, and all items of all pages when iterated', async () => {
    await create(7);
    const page = await client.apiKeys.list({ limit: 3 });
    expect(page.items).toHaveLength(3);
    expect(page.nextCursor).toBe('3');
    expect(api.requests).toHaveLength(1);
    const names: string[] = [];
    for await (const key of client.apiKeys.list({ limit: 3 })) names.push(key.name);
    expect(names).toEqual(['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7']);
    expect(api.requests.map(({ path }) => path.split('?')[1])).toEqual([
      'limit=3',
      'limit=3',
      'limit=3&cursor=3',
      'limit=3&cursor=6',
    ]);
  });

  it('keeps its parameters in browsers before URLSearchParams.size and URL.canParse', async () => {
    await create(3);
    class OldSearchParams extends URLSearchParams {
      override get size(): never {
        throw new Error('Safari before 17 has no URLSearchParams.size.');
      }
    }
    vi.stubGlobal('URLSearchParams', OldSearchParams);
    vi.stubGlobal('URL', Object.assign(class extends URL {}, { canParse: undefined }));
    const old = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key' });
    const page = await old.apiKeys.list({ limit: 2 });
    vi.unstubAllGlobals();
    expect(page.items).toHaveLength(2);
    expect(page.nextCursor).toBe('2');
  });

  it('requests no page before it is read', async () => {
    await create(7);
    for await (const key of client.apiKeys.list({ limit: 3 })) if (key.name === 'k4') break;
    expect(api.requests).toHaveLength(2);
    const sizes: number[] = [];
    for await (const page of client.apiKeys.list({ limit: 4 }).pages()) sizes.push(page.items.length);
    expect(sizes).toEqual([4, 3]);
  });

  it('gives its pages one after the other by `next`, which is no field of them', async () => {
    await create(5);
    const first = await client.apiKeys.list({ limit: 2 });
    expect(JSON.parse(JSON.stringify(first))).toEqual({ ...first });
    expect(Object.keys(first)).toEqual(['items', 'nextCursor']);
    const second = await first.next();
    const third = await second?.next();
    expect([second, third].map((page) => page?.items.map(({ name }) => name))).toEqual([['k3', 'k4'], ['k5']]);
    expect(await third?.next()).toBeNull();
    expect(api.requests).toHaveLength(3);
  });

  it('is an array of at most as many items as wanted, of no more pages than that takes', async () => {
    await create(7);
    const names = async (limit: number) =>
      (await client.apiKeys.list({ limit: 3 }).toArray({ limit })).map(({ name }) => name);
    expect(await names(4)).toEqual(['k1', 'k2', 'k3', 'k4']);
    expect(api.requests).toHaveLength(2);
    expect(await names(6)).toHaveLength(6);
    expect(api.requests).toHaveLength(4);
    expect(await names(100)).toHaveLength(7);
    for (const limit of [0, -1, Number.NaN, undefined as unknown as number])
      expect((await failure(names(limit))).message).toMatch(/^`toArray` needs a `limit`/);
  });

  it('fails in the loop when a page fails, and when the server sends it in circles', async () => {
    await create(4);
    const seen: string[] = [];
    const read = async () => {
      for await (const key of client.apiKeys.list({ limit: 2 })) {
        seen.push(key.name);
        if (seen.length === 2) api.failNext({ status: 400, code: 'invalid_cursor' });
      }
    };
    expect((await failure(read())).code).toBe('invalid_cursor');
    expect(seen).toEqual(['k1', 'k2']);
    api.repeatCursorForEver();
    expect((await failure(read())).code).toBe('cursor_loop');
  });
});

describe('a download', () => {
  const line = (id: string) => `${JSON.stringify({ id, action: 'é' })}\n`;
  const whole = `${line('aud_1')}${line('aud_2')}${line('aud_3')}`;
  /** However the network has cut it, within a character too. */
  const cut = (at: number) => [Buffer.from(whole).subarray(0, at), Buffer.from(whole).subarray(at)];
  async function read(options = {}) {
    const seen: string[] = [];
    for await (const { id, action } of client.orgs.exportAuditLogs({ orgId: 'org_1', action: 'x' }, options))
      seen.push(`${id} ${action}`);
    return seen;
  }

  it('comes value by value', async () => {
    const marker = Buffer.from(whole).indexOf('é') + 1;
    for (const at of [marker, 20, Buffer.byteLength(whole)]) {
      api.setDownload({ lines: cut(at), breaksOff: false });
      expect(await read()).toEqual(['aud_1 é', 'aud_2 é', 'aud_3 é']);
    }
    expect(api.requests[0]?.path).toBe('/api/v1/organizations/org_1/audit-logs/export?action=x');
  });

  it('fails where it breaks off, between two lines too', async () => {
    for (const lines of [[line('aud_1')], [line('aud_1'), '{"id":']]) {
      api.setDownload({ lines, breaksOff: true });
      expect(await failure(read())).toBeInstanceOf(ConnectionError);
    }
    api.setDownload({ lines: [line('aud_1'), '{"id":'], breaksOff: false });
    expect(await failure(read())).toBeInstanceOf(ConnectionError);
  });

  it('can be left, and stopped from outside', async () => {
    api.setDownload({ lines: Array.from({ length: 2000 }, (_, at) => line(`aud_${at}`)), breaksOff: false });
    for await (const { id } of client.orgs.exportAuditLogs({ orgId: 'org_1' })) {
      expect(id).toBe('aud_0');
      break;
    }
    const controller = new AbortController();
    const stopped = (async () => {
      for await (const _ of client.orgs.exportAuditLogs({ orgId: 'org_1' }, { signal: controller.signal }))
        controller.abort(new Error('enough'));
    })();
    expect(await failure(stopped)).toMatchObject({ message: 'enough' });
  });

  it('that is refused says why', async () => {
    api.failNext({ status: 403, code: 'permission_denied' });
    expect((await failure(read())).code).toBe('permission_denied');
  });
});
