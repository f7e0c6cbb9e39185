// Builds the page and uses it in Chromium, in two tabs, against the server that RENTAPI_URL names.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { RentApi } from '@rentapi/sdk';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build, preview } from 'vite';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const baseUrl = process.env['RENTAPI_URL'] ?? 'http://localhost:8000';
const STEP_TIMEOUT_MS = 15_000;
const SESSION = 'rentapi.session';
/** Of the demo data. */
const JOHN = { email: 'john@acme.com', password: 'User123!@#' };

if (existsSync(CHROMIUM)) await main();
else if (process.env['CI_REQUIRE_CHROMIUM']) throw new Error(`CI needs Chromium, and there is none at ${CHROMIUM}.`);
else console.log(`SKIPPED: there is no Chromium at ${CHROMIUM}. Install it, or name another in CHROMIUM.`);

async function main(): Promise<void> {
  const root = import.meta.dirname;
  await build({ root, logLevel: 'warn' });
  const pages = await preview({ root, preview: { port: 0 }, logLevel: 'silent' });
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
  }
}

async function use(context: BrowserContext, url: string): Promise<void> {
  const john = new RentApi({ baseUrl });
  await john.auth.login(JOHN);
  const run = Date.now().toString(36);
  for (let count = 1; count <= 6; count++)
    await john.apiKeys.create({ name: `${run}-${count}`, scopes: ['api_keys:read'] });

  const first = await open(context, url);
  await logIn(first, 'wrong');
  await first
    .getByRole('alert')
    .filter({ hasText: /^invalid_credentials \S.+\.$/ })
    .waitFor();
  step('a wrong password is refused with its code and sentence');

  await logIn(first, JOHN.password);
  await first.getByText(`${run}-6`).waitFor();
  assert.equal(await first.getByText(`${run}-1`, { exact: true }).count(), 0);
  await first.getByRole('button', { name: 'Load more' }).click();
  await first.getByText(`${run}-1`, { exact: true }).waitFor();
  step('logged in; the list of keys goes on after its first page');

  const second = await open(context, url);
  await second.getByText(JOHN.email).waitFor();
  for (const page of [first, second]) await page.getByText('Live.').waitFor();
  step('a second tab is logged in too, and both follow the events');

  await create(first, 'x'.repeat(81));
  await first
    .getByRole('alert')
    .filter({ hasText: /^invalid_input \S.+ name \S.+\.$/ })
    .waitFor();
  await create(first, `${run}-new`);
  await first.getByRole('status').getByText('rapi_').waitFor();
  for (const page of [first, second]) {
    await page
      .getByRole('listitem')
      .filter({ hasText: `${run}-new` })
      .waitFor();
    await page.getByText('api_key.created').waitFor();
  }
  assert.equal((await john.apiKeys.list({ limit: 100 })).items.filter(({ name }) => name === `${run}-new`).length, 1);
  step('created a key once; both tabs show it, and its event');

  for (const page of [first, second, first]) {
    const before = await expire(page);
    await page.reload();
    const key = page
      .getByRole('listitem')
      .filter({ hasText: run, has: page.getByRole('button') })
      .first();
    const name = (await key.getByRole('strong').textContent())!;
    await key.getByRole('button', { name: 'Revoke' }).click();
    for (const each of [first, second])
      await each.getByRole('listitem').filter({ hasText: name }).getByText('revoked').waitFor();
    assert.notEqual(await refreshToken(page), before);
  }
  step('each tab renewed the session in turn; both stay logged in, and show what the other has revoked');

  const organizations = first.getByRole('combobox');
  const [other] = await organizations.locator('option:not(:checked)').all();
  await organizations.selectOption(await other!.textContent());
  await first.getByText('Live.').waitFor();
  await first.getByText(`${run}-new`).waitFor({ state: 'detached' });
  step('another organization has other keys');

  await second.getByRole('button', { name: 'Log out' }).click();
  for (const page of [first, second]) await page.getByRole('heading', { name: 'Log in' }).waitFor();
  step('logged out in both tabs');
}

async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`The page failed: ${error.message}`));
  await page.goto(url);
  return page;
}

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(JOHN.email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

async function create(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create' }).click();
}

/** Lets the page believe that its access token has ended. Returns the token that renews it, which works once. */
async function expire(page: Page): Promise<string> {
  await page.evaluate((key) => {
    const tokens = JSON.parse(localStorage.getItem(key)!);
    localStorage.setItem(key, JSON.stringify({ ...tokens, expiresAt: new Date(0).toISOString() }));
  }, SESSION);
  return refreshToken(page);
}

function refreshToken(page: Page): Promise<string> {
  return page.evaluate((key) => JSON.parse(localStorage.getItem(key)!).refreshToken, SESSION);
}

function step(text: string): void {
  process.stdout.write(`✓ ${text}\n`);
}
