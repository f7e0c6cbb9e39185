// Builds the page and signs in with it in Chromium, against the server that RENTAPI_URL names. The server is started
// with CORS_ORIGINS=http://localhost:<PAGE_PORT>, OIDC_ISSUER=http://localhost:<PROVIDER_PORT>, OIDC_CLIENT_ID=rentapi
// and OIDC_CLIENT_SECRET=the-secret-of-the-example.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { RentApi } from '@rentapi/sdk';
import { generate } from 'otplib';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build, preview } from 'vite';
import { GRACE, startProvider } from './provider.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const baseUrl = process.env['RENTAPI_URL'] ?? 'http://localhost:8000';
const providerUrl = `http://localhost:${process.env['PROVIDER_PORT'] ?? 5174}`;
const STEP_TIMEOUT_MS = 15_000;
const TOTP_STEP_S = 30;
/** Of the demo data. */
const BOB = { email: 'bob@freelance.dev', password: 'User123!@#' };

if (existsSync(CHROMIUM)) await main();
else if (process.env['CI_REQUIRE_CHROMIUM']) throw new Error(`CI needs Chromium, and there is none at ${CHROMIUM}.`);
else console.log(`SKIPPED: there is no Chromium at ${CHROMIUM}. Install it, or name another in CHROMIUM.`);

async function main(): Promise<void> {
  const root = import.meta.dirname;
  await build({ root, logLevel: 'warn' });
  const pages = await preview({ root, logLevel: 'silent' });
  const provider = await startProvider(providerUrl, `${baseUrl}/api/v1/oauth/oidc/callback`);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
  });
  try {
    const context = await browser.newContext();
    context.setDefaultTimeout(STEP_TIMEOUT_MS);
    await use(context, pages.resolvedUrls!.local[0]!);
  } finally {
    await browser.close();
    await pages.close();
    provider.close();
  }
}

async function use(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`The page failed: ${error.message}`));
  await page.goto(url);
  await signIn(page, 'wrong');
  await page
    .getByRole('alert')
    .filter({ hasText: /^invalid_credentials / })
    .waitFor();
  step('a wrong password is refused with its code and sentence');

  await signIn(page, BOB.password);
  await hello(page, BOB.email);
  const [cookie] = await context.cookies(baseUrl);
  assert.deepEqual([cookie?.name, cookie?.httpOnly, cookie?.sameSite], ['__Host-rentapi_refresh', true, 'Strict']);
  assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), [
    '',
    0,
    0,
  ]);
  await page.reload();
  await hello(page, BOB.email);
  step('signed in with a cookie that no script reads, and still after the page was loaded again');

  await signOut(page);
  assert.deepEqual(await context.cookies(baseUrl), []);
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  step('signed out; the cookie is gone');

  const { secret, backupCodes } = await enableTwoFactor();
  await signIn(page, BOB.password);
  await enterCode(page, '000000');
  await page
    .getByRole('alert')
    .filter({ hasText: /^invalid_code / })
    .waitFor();
  await enterCode(page, await codeOf(secret, 1));
  await hello(page, BOB.email);
  assert.equal((await context.cookies(baseUrl)).length, 1);
  await signOut(page);
  step('signed in with a second factor, into the cookie too');

  await page.getByRole('button', { name: 'Sign in with' }).click();
  await hello(page, GRACE);
  assert.equal(new URL(page.url()).search, '');
  await page.reload();
  await hello(page, GRACE);
  await signOut(page);
  step('signed in at a provider, with nothing left in the address');

  await runGuide(context, `${url}guide`, backupCodes);
}

type Names = Record<string, unknown>;
type Block = (names: Names) => Promise<void>;

/** The blocks of docs/guides/sign-in.md that say that they are run here, in their order. */
async function runGuide(context: BrowserContext, redirectTo: string, backupCodes: string[]): Promise<void> {
  const [withPassword, again, atProvider, ...further] = guideBlocks();
  assert.ok(withPassword && again && atProvider && further.length === 0);

  const client = new RentApi({ baseUrl, apiKey: null });
  const names = { client, ...BOB, askForCode: () => backupCodes[0] };
  await withPassword(names);
  await again(names);
  assert.equal((await client.users.me.get()).email, BOB.email);

  const codeVerifier = randomBytes(32).toString('base64url');
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const page = await context.newPage();
  await page.route(`${redirectTo}*`, (route) => route.fulfill({ body: '' }));
  await page.goto(
    `${baseUrl}/api/v1/oauth/oidc/initiate?${new URLSearchParams({ redirectTo, codeChallenge }).toString()}`,
  );
  const code = new URL(page.url()).searchParams.get('code');
  const atPage = new RentApi({ baseUrl, apiKey: null });
  await atProvider({ client: atPage, code, codeVerifier });
  assert.equal((await atPage.users.me.get()).email, GRACE);
  step('ran the blocks of the guide: a second factor, a recent login, a provider');
}

function guideBlocks(): Block[] {
  const guide = readFileSync(new URL('../../docs/guides/sign-in.md', import.meta.url), 'utf8');
  const blocks = guide.matchAll(/<!-- ci by examples\/sign-in\/in-chromium\.ts -->\s*```ts\n([\s\S]*?)```/g);
  return [...blocks].map(([, block]) => async (names) => {
    const work = new Function(...Object.keys(names), `return (async () => { ${block} })();`);
    await work(...Object.values(names));
  });
}

/** As a program would do it for Bob. Each code works once, so the page gets that of the next half minute. */
async function enableTwoFactor(): Promise<{ secret: string; backupCodes: string[] }> {
  const bob = new RentApi({ baseUrl });
  await bob.auth.login(BOB);
  const { secret } = await bob.auth.twoFactor.enable();
  const { backupCodes } = await bob.auth.twoFactor.verify({ code: await codeOf(secret, 0) });
  return { secret, backupCodes };
}

function codeOf(secret: string, stepsAhead: number): Promise<string> {
  return generate({ secret, epoch: Math.floor(Date.now() / 1000) + stepsAhead * TOTP_STEP_S });
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(BOB.email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function enterCode(page: Page, code: string): Promise<void> {
  await page.getByLabel('Code').fill(code);
  await page.getByRole('button', { name: 'Go on' }).click();
}

async function hello(page: Page, email: string): Promise<void> {
  await page.getByRole('heading', { name: `Hello, ${email}` }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

function step(text: string): void {
  process.stdout.write(`✓ ${text}\n`);
}
