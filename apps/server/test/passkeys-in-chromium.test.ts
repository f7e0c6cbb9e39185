import { readFileSync } from 'node:fs';
import { chromiumIsMissing, openChromium } from '@rentapi/testing/chromium';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOCUMENTS_ROOT } from '../src/files.ts';
import { bundleClients, serveScript } from './browser-client.ts';
import { startInProcess } from './in-process-server.ts';

const USER = { email: 'ada@example.com', password: 'correct horse battery staple' };

/** The blocks of docs/guides/sign-in.md that say that they are run here: to add a passkey, and to sign in with it. */
const GUIDE = readFileSync(new URL('docs/guides/sign-in.md', DOCUMENTS_ROOT), 'utf8');
const [ADD = '', SIGN_IN = '', ...FURTHER] = [
  ...GUIDE.matchAll(/<!-- ci by apps\/server\/test\/passkeys-in-chromium\.test\.ts -->\s*```ts\n([\s\S]*?)```/g),
].map(([, block]) => block!);

/** What a page does besides. */
const PAGE = `
  const add = async (client) => { ${ADD} };
  const sign = async (client, challenge) => {
    const { challengeToken, options } = await client.auth.passkeys.loginOptions(challenge);
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials.get({ publicKey });
    return { challengeToken, credential: credential.toJSON() };
  };`;

describe.skipIf(chromiumIsMissing())('in Chromium, with a virtual authenticator', () => {
  let pages: Awaited<ReturnType<typeof serveScript>>;
  let server: Awaited<ReturnType<typeof startInProcess>>;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let devTools: CDPSession;
  let authenticatorId: string;
  beforeAll(async () => {
    pages = await serveScript(await bundleClients());
    server = await startInProcess({ CORS_ORIGINS: pages.origin, AUTH_RATE_LIMIT_PER_MINUTE: '1000' });
    server.serve();
    const body = JSON.stringify(USER);
    const headers = { 'content-type': 'application/json' };
    await fetch(`${server.url}/api/v1/auth/register`, { method: 'POST', headers, body });
    browser = await openChromium();
    context = await browser.newContext();
    page = await context.newPage();
    devTools = await context.newCDPSession(page);
    await devTools.send('WebAuthn.enable');
    const { authenticatorId: added } = await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    authenticatorId = added;
    await page.goto(pages.origin);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    pages.close();
  });

  /** With a client of its own; the code's value, or the name or code of the error it fails with. */
  const run = (code: string) =>
    page.evaluate<unknown>(`(async () => {
      const client = new RentApi({ baseUrl: 'http://localhost:${server.port}', apiKey: null });
      const user = ${JSON.stringify(USER)};
      ${PAGE}
      ${code}
    })().catch((error) => error instanceof DOMException ? error.name : (error.code ?? String(error)))`);

  it('adds a passkey as the guide shows, which is discoverable', async () => {
    expect(FURTHER).toEqual([]);
    const names = 'return (await client.auth.passkeys.list()).items.map(({ name }) => name);';
    expect(await run(`await client.auth.login(user); await add(client); ${names}`)).toEqual(['Laptop']);
    const { credentials } = await devTools.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }]);
  });

  it('signs in with nothing else as the guide shows, again and again', async () => {
    for (let time = 0; time < 2; time++)
      expect(await run(`${SIGN_IN}; return (await client.users.me.get()).email;`)).toBe(USER.email);
  });

  it('is the second factor of a login with the password', async () => {
    expect(
      await run(`
        const { mfaRequired, methods, challengeToken } = await client.auth.login(user);
        const { deviceToken } = await client.auth.passkeys.login({ ...(await sign(client, { challengeToken })), rememberDevice: true });
        const again = await client.auth.login({ ...user, deviceToken });
        return [mfaRequired, methods, (await client.users.me.get()).email, 'accessToken' in again];`),
    ).toEqual([true, ['passkey'], USER.email, true]);
  });

  it('proves once more who calls', async () => {
    expect(
      await run(`
        await client.auth.passkeys.login(await sign(client));
        const before = (await client.tokens()).accessToken;
        await client.auth.reauthenticate(await sign(client));
        return [(await client.tokens()).accessToken !== before, (await client.users.me.get()).email];`),
    ).toEqual([true, USER.email]);
  });

  it('does not sign unless the authenticator asks its owner', async () => {
    await devTools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    // Chromium itself refuses to sign: `userVerification` is required.
    expect(await run('return client.auth.passkeys.login(await sign(client));')).toBe('NotAllowedError');
    await devTools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  });

  it('is not added twice', async () => {
    expect(await run('await client.auth.passkeys.login(await sign(client)); return add(client);')).toBe(
      'InvalidStateError',
    );
  });
});
