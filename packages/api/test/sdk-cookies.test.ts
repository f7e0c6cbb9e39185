import type { TRPCLink } from '@trpc/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppRouter } from '../src/slices/router.ts';
import { type Person, startApp, type TestApp } from './app.ts';

/** `session: 'cookie'` against the server as it is, with a `fetch` that treats cookies as a browser does. */

interface Client {
  tokens(): Promise<{ accessToken: string; refreshToken?: string | null } | null>;
  accessToken(): Promise<string | null>;
  auth: { login(input: object): PromiseLike<{ refreshToken: string | null }>; logout(): PromiseLike<void> };
  users: { me: { get(): PromiseLike<{ email: string }> } };
}
/** The SDK is written for browsers too: its types need a browser's, which nothing here has. */
const SDK: string = '../../../sdk/client/src/index.ts';
const LINK: string = '../../../sdk/client/src/trpc.ts';
/** The copy that the link uses, as in a program, which has one. */
const TRPC: string = '../../../sdk/client/node_modules/@trpc/client/dist/index.mjs';
const { createTRPCClient }: typeof import('@trpc/client') = await import(TRPC);
const { RentApi }: { RentApi: new (options: object) => Client } = await import(SDK);
const { rentapiLink }: { rentapiLink: (client: Client, options?: object) => TRPCLink<AppRouter> } = await import(LINK);

const ORIGIN = 'https://app.example.com';
const ACCESS_TOKEN_TTL_MS = 901_000;

let app: TestApp;
let person: Person;
let jar: string | undefined;
let offline: boolean;
let sent: { path: string; credentials: string | undefined }[];
beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: ORIGIN });
});
beforeEach(async () => {
  person = await app.signUp();
  jar = undefined;
  offline = false;
  sent = [];
});
afterAll(() => app.close());

const browserFetch: typeof fetch = async (url, init) => {
  const { credentials } = init ?? {};
  sent.push({ path: new URL(String(url)).pathname, credentials });
  if (offline) throw new TypeError('Failed to fetch');
  const headers = new Headers(init?.headers);
  headers.set('origin', ORIGIN);
  if (credentials === 'include' && jar !== undefined) headers.set('cookie', jar);
  const response = await fetch(url, { ...init, headers });
  for (const line of credentials === 'include' ? response.headers.getSetCookie() : [])
    jar = line.includes('Max-Age=0') ? undefined : line.split(';')[0];
  return response;
};
const page = () => new RentApi({ baseUrl: app.url, session: 'cookie', fetch: browserFetch });
const trpcOf = (client: Client) =>
  createTRPCClient<AppRouter>({ links: [rentapiLink(client, { fetch: browserFetch })] });
const credentials = () => ({ email: person.email, password: person.password });
const emailIn = async (client: Client) => (await client.users.me.get()).email;
const notLoggedIn = { code: 'credentials_required' };

const logins: [string, (client: Client) => PromiseLike<unknown>, (client: Client) => PromiseLike<unknown>][] = [
  ['the client', (client) => client.auth.login(credentials()), (client) => client.auth.logout()],
  [
    'the tRPC link',
    (client) => trpcOf(client).auth.login.mutate(credentials()),
    (client) => trpcOf(client).auth.logout.mutate(),
  ],
];

describe.each(logins)('a session in a cookie, begun and ended by %s', (_, logIn, logOut) => {
  it('keeps no refresh token in the page, and goes on after a reload', async () => {
    const first = page();
    expect(await logIn(first)).toMatchObject({ refreshToken: null });
    expect((await first.tokens())?.refreshToken).toBeNull();
    const reloaded = page();
    expect(await reloaded.tokens()).toBeNull();
    expect(await Promise.all([emailIn(reloaded), trpcOf(reloaded).users.me.get.query()])).toMatchObject([
      person.email,
      { email: person.email },
    ]);
  });

  it('sends cookies to the operations that carry them, and to no other', async () => {
    const client = page();
    await logIn(client);
    await emailIn(client);
    await trpcOf(client).users.me.get.query();
    app.advance(ACCESS_TOKEN_TTL_MS);
    await emailIn(client);
    await logOut(client);
    const carrying = sent.filter((call) => call.credentials === 'include').map(({ path }) => path);
    expect(new Set(carrying.map((path) => path.replace(/.*[./]/, '')))).toEqual(
      new Set(['login', 'refresh', 'logout']),
    );
    const others = sent.filter((call) => call.credentials !== 'include').map(({ path }) => path);
    expect(new Set(others)).toEqual(new Set(['/api/v1/users/me', '/trpc/users.me.get']));
  });

  it('is over in every page, once it has ended in one', async () => {
    const [first, second] = [page(), page()];
    await logIn(first);
    await emailIn(second);
    await logOut(first);
    expect(jar).toBeUndefined();
    await expect(emailIn(first)).rejects.toMatchObject(notLoggedIn);
    await expect(emailIn(page())).rejects.toMatchObject(notLoggedIn);
    await expect(emailIn(second)).rejects.toMatchObject({ code: 'session_revoked' });
  });

  it('is over in the page without a network too, and on the server with the next try (V14.3.1)', async () => {
    const client = page();
    await logIn(client);
    offline = true;
    await expect(Promise.resolve(logOut(client))).rejects.toThrow();
    expect(await client.tokens()).toBeNull();
    offline = false;
    await expect(emailIn(client)).rejects.toMatchObject(notLoggedIn);
    await client.auth.logout();
    expect(jar).toBeUndefined();
    await expect(emailIn(page())).rejects.toMatchObject(notLoggedIn);
  });
});

describe('a page without a session', () => {
  it('asks once, and is answered as anyone without a credential', async () => {
    const client = page();
    expect(await client.accessToken()).toBeNull();
    await expect(emailIn(client)).rejects.toMatchObject(notLoggedIn);
    expect(sent.map(({ path }) => path)).toEqual(['/api/v1/auth/refresh', '/api/v1/users/me']);
    await client.auth.logout();
  });
});

describe('pages that are opened at once', () => {
  it('all find the session, with Web Locks and without', async () => {
    await page().auth.login(credentials());
    const { locks } = navigator;
    for (const available of [locks, undefined]) {
      Object.defineProperty(navigator, 'locks', { value: available, configurable: true });
      expect(await Promise.all([page(), page(), page()].map(emailIn))).toEqual(Array(3).fill(person.email));
    }
    Object.defineProperty(navigator, 'locks', { value: locks, configurable: true });
    expect(await emailIn(page())).toBe(person.email);
  });
});
