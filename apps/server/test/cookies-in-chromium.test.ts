import { chromiumIsMissing, openChromium } from '@rentapi/testing/chromium';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleClients, serveScript } from './browser-client.ts';
import { startInProcess } from './in-process-server.ts';

const USER = { email: 'ada@example.com', password: 'correct horse battery staple' };

describe.skipIf(chromiumIsMissing())('in Chromium, a page of another origin', () => {
  let named: Awaited<ReturnType<typeof serveScript>>;
  let foreign: Awaited<ReturnType<typeof serveScript>>;
  let server: Awaited<ReturnType<typeof startInProcess>>;
  let api: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    const script = await bundleClients();
    [named, foreign] = await Promise.all([serveScript(script), serveScript(script)]);
    server = await startInProcess({ CORS_ORIGINS: `*,${named.origin}`, AUTH_RATE_LIMIT_PER_MINUTE: '1000' });
    server.serve();
    api = `http://localhost:${server.port}`;
    const body = JSON.stringify(USER);
    const headers = { 'content-type': 'application/json' };
    await fetch(`${server.url}/api/v1/auth/register`, { method: 'POST', headers, body });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    named.close();
    foreign.close();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterEach(() => context.close());

  /** `client` and `trpc` of the page, on the cookie; the code's value, or the code of the error it fails with. */
  const run = (code: string) =>
    page.evaluate<unknown>(`(async () => {
      globalThis.client ??= new RentApi({ baseUrl: '${api}', session: 'cookie' });
      globalThis.trpc ??= createTRPCClient({ links: [rentapiLink(client)] });
      const user = ${JSON.stringify(USER)};
      return ${code};
    })().catch((error) => error.code ?? error.data?.problem.code ?? String(error))`);

  const logins = [
    ['the SDK', 'await client.auth.login(user)', 'await client.auth.logout()'],
    ['tRPC', 'await trpc.auth.login.mutate(user)', 'await trpc.auth.logout.mutate()'],
  ];
  it.each(logins)('logs in over %s, goes on after a reload, and logs out', async (_, logIn, logOut) => {
    await page.goto(named.origin);
    expect(await run(logIn!)).toMatchObject({ refreshToken: null });
    expect(await context.cookies(api)).toMatchObject([
      { name: '__Host-rentapi_refresh', httpOnly: true, secure: true, sameSite: 'Strict', path: '/' },
    ]);
    await page.reload();
    expect(await run('[document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]')).toEqual([
      '',
      '{}',
      '{}',
    ]);
    expect(await run('(await client.users.me.get()).email')).toBe(USER.email);
    await page.reload();
    expect(await run('(await trpc.users.me.get.query()).email')).toBe(USER.email);
    await run(logOut!);
    expect(await context.cookies(api)).toEqual([]);
    await page.reload();
    expect(await run('await client.users.me.get()')).toBe('credentials_required');
  });

  it('gets no cookie and uses none where it is not named, though it is of the same site', async () => {
    await page.goto(named.origin);
    await run('await client.auth.login(user)');
    const cookies = await context.cookies(api);
    await page.goto(foreign.origin);
    expect(await run('await client.auth.login(user)')).toBe('connection_failed');
    const init = "{ method: 'POST', mode: 'no-cors', credentials: 'include' }";
    await run(`await fetch('${api}/api/v1/auth/refresh', ${init})`);
    const isRefused = (line: string) => line.includes('/auth/refresh') && line.includes('origin_not_allowed');
    await expect.poll(() => server.lines.filter(isRefused).length).toBe(1);
    expect(await context.cookies(api)).toEqual(cookies);
  });
});
