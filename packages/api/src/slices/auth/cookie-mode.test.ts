import { createTRPCClient, createWSClient, httpBatchStreamLink, wsLink } from '@trpc/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Answer, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import type { AppRouter } from '../router.ts';

const OWN = 'http://localhost:8000';
const CONSOLE = 'https://console.example.com';
const NAMED = 'https://app.example.com';
const COOKIE = '__Host-rentapi_refresh';

let app: TestApp;
let ada: Person;
beforeAll(async () => {
  app = await startApp({ PUBLIC_URL: OWN, CONSOLE_URL: CONSOLE, CORS_ORIGINS: `*,${NAMED}` });
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

type Headers = Record<string, string>;
const post = (path: string, body?: object, headers: Headers = {}) =>
  app.request(path, { method: 'POST', headers, ...(body && { body }) });
const credentials = () => ({ email: ada.email, password: ada.password });
const setCookie = (answer: Answer) => answer.headers.getSetCookie().find((line) => line.startsWith(`${COOKIE}=`));
const tokenIn = (answer: Answer) => /=([^;]*)/.exec(setCookie(answer)!)![1]!;
const from = (origin: string, token?: string): Headers => ({
  origin,
  ...(token !== undefined && { cookie: `other=1; ${COOKIE}=${token}` }),
});

/** The three operations over REST and over tRPC; the body is that of REST. */
const surfaces = {
  REST: (name: string, body: object, headers?: Headers) => post(`/api/v1/auth/${name}`, body, headers),
  async tRPC(name: string, body: object, headers?: Headers) {
    const { body: answer, ...rest } = await post(`/trpc/auth.${name}`, body, headers);
    return { ...rest, body: answer.error ? answer.error.data.problem : answer.result.data };
  },
};

describe.each(Object.entries(surfaces))('a browser session over %s', (_, call) => {
  const logIn = (headers?: Headers) => call('login', { ...credentials(), cookie: true }, headers);

  it('keeps the refresh token in a cookie that only this host sets, no script reads and no other site sends (V3.3.1–4)', async () => {
    const { status, body, ...rest } = await logIn(from(OWN));
    expect([status, body.refreshToken, typeof body.accessToken]).toEqual([200, null, 'string']);
    const [value, ...attributes] = setCookie({ status, body, ...rest })!.split('; ');
    expect(value).toMatch(/^__Host-rentapi_refresh=[\w-]{43}$/);
    expect(attributes).toEqual(['Max-Age=604800', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict']);
  });

  it('sets none where none was requested', async () => {
    for (const cookie of [undefined, false]) {
      const answer = await call('login', { ...credentials(), ...(cookie !== undefined && { cookie }) });
      expect([answer.headers.getSetCookie(), typeof answer.body.refreshToken]).toEqual([[], 'string']);
    }
  });

  it('renews with the cookie, into the next cookie', async () => {
    const first = tokenIn(await logIn(from(OWN)));
    for (const origin of [OWN, CONSOLE, NAMED]) {
      const renewed = await call('refresh', {}, from(origin, first));
      expect([renewed.status, renewed.body.refreshToken]).toEqual([200, null]);
      expect(tokenIn(renewed)).not.toBe(first);
    }
  });

  it('renews a token of the body into the body, whatever the cookie is', async () => {
    const { body } = await call('login', credentials());
    const renewed = await call('refresh', { refreshToken: body.refreshToken }, from('https://evil.example', 'x'));
    expect([renewed.status, typeof renewed.body.refreshToken, renewed.headers.getSetCookie()]).toEqual([
      200,
      'string',
      [],
    ]);
  });

  it('has nothing to renew without a token and a cookie', async () => {
    const answer = await call('refresh', {}, from(OWN));
    expect(statusAndCode(answer)).toEqual([401, 'invalid_refresh_token']);
    expect(answer.body.detail).toContain('cookie');
  });

  it.each([
    ['another site', 'https://evil.example'],
    ['another host of the site', 'https://other.example.com'],
    ['another port', 'http://localhost:8001'],
    ['a sandboxed frame', 'null'],
    ['the wildcard', '*'],
  ])('is not used by a page of %s', async (_, origin) => {
    const token = tokenIn(await logIn());
    const refused = [403, 'origin_not_allowed'];
    expect(statusAndCode(await logIn(from(origin)))).toEqual(refused);
    expect(statusAndCode(await call('refresh', {}, from(origin, token)))).toEqual(refused);
    const bearer = { authorization: `Bearer ${ada.tokens.accessToken}` };
    expect(statusAndCode(await call('logout', {}, { ...from(origin, token), ...bearer }))).toEqual(refused);
    expect((await call('refresh', {}, from(OWN, token))).status).toBe(200);
    expect((await ada.request('/api/v1/users/me')).status).toBe(200);
  });

  it('is not used by a request without an Origin, which every browser sends with a POST', async () => {
    const token = tokenIn(await logIn());
    const answer = await call('refresh', {}, { cookie: `${COOKIE}=${token}` });
    expect(statusAndCode(answer)).toEqual([403, 'origin_not_allowed']);
  });

  it('ends with its cookie and with what the browser has cached (V14.3.1)', async () => {
    const login = await logIn(from(OWN));
    const bearer = { authorization: `Bearer ${login.body.accessToken}` };
    const logout = await call('logout', {}, { ...from(OWN, tokenIn(login)), ...bearer });
    expect(setCookie(logout)).toBe(`${COOKIE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict`);
    expect(logout.headers.get('clear-site-data')).toBe('"cache"');
    expect(statusAndCode(await call('refresh', {}, from(OWN, tokenIn(login))))).toEqual([401, 'invalid_refresh_token']);
  });

  it('leaves the browser alone at the logout of a session without a cookie', async () => {
    const bearer = { authorization: `Bearer ${ada.tokens.accessToken}` };
    const logout = await call('logout', {}, bearer);
    expect([logout.headers.getSetCookie(), logout.headers.get('clear-site-data')]).toEqual([[], null]);
  });
});

describe('over tRPC', () => {
  it('sets the cookie in a batch of several calls', async () => {
    const batch = { 0: { ...credentials(), cookie: true }, 1: { email: ada.email } };
    const answer = await post('/trpc/auth.login,auth.email.resendVerification?batch=1', batch, from(OWN));
    expect([answer.status, answer.body[0].result.data.refreshToken]).toEqual([200, null]);
    expect(tokenIn(answer)).toMatch(/^[\w-]{43}$/);
  });

  it('refuses a cookie where the headers are sent before the answer: streamed batches and sockets', async () => {
    const input = { ...credentials(), cookie: true };
    const ws = createWSClient({
      url: `${app.url.replace('http', 'ws')}/trpc`,
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    });
    for (const link of [wsLink({ client: ws }), httpBatchStreamLink({ url: `${app.url}/trpc` })]) {
      const trpc = createTRPCClient<AppRouter>({ links: [link] });
      await expect(trpc.auth.login.mutate(input)).rejects.toMatchObject({
        data: { problem: { status: 400, code: 'cookies_unavailable' } },
      });
    }
    await ws.close();
  });
});
