import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromiumIsMissing, openChromium } from '@rentapi/testing/chromium';
import { cloneDatabase } from '@rentapi/testing/postgres';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { killAll, SECRETS, type Server, startServer, temporaryDirectory } from './processes.ts';

/** What a newcomer does after `npm start`, without keys of any provider. */
describe.skipIf(chromiumIsMissing())('a newcomer in Chromium', () => {
  const home = temporaryDirectory();
  let clone: Awaited<ReturnType<typeof cloneDatabase>>;
  let server: Server;
  let headers: Record<string, string>;
  let browser: Browser;
  let page: Page;
  /** The page of a frontend, on another port than the server. */
  let returnUrl: string;
  const frontend = createServer((_, res) => res.end('back'));

  beforeAll(async () => {
    await new Promise<void>((resolve) => frontend.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(frontend.address() as AddressInfo).port}`;
    returnUrl = `${origin}/billing`;
    clone = await cloneDatabase(inject('postgres'));
    const settings = { ...SECRETS, DATABASE_URL: clone.url, DATA_DIR: home.dir, SEED_DEMO: '1', CORS_ORIGINS: origin };
    server = await startServer(['start'], settings);
    const { accessToken } = await post('/auth/login', { email: 'john@acme.com', password: 'User123!@#' });
    headers = { authorization: `Bearer ${accessToken}` };
    browser = await openChromium();
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    killAll();
    frontend.close();
    frontend.closeAllConnections();
    await clone?.drop();
    home.remove();
  });

  async function send(method: string, path: string, body?: object) {
    const answer = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return JSON.parse(await answer.text());
  }
  const post = (path: string, body: object) => send('POST', path, body);
  const get = (path: string) => send('GET', path);
  const available = async (): Promise<number> => (await get('/subscriptions/credits')).available;

  /** A payment that waits for its payer, who is on the page of the provider. */
  async function buy(provider: string): Promise<string> {
    const input = { credits: 1000, provider, returnUrl };
    const { payment, actionUrl } = await post('/subscriptions/credits/purchase', input);
    await page.goto(actionUrl);
    return payment.id;
  }
  const press = (name: string) => page.getByRole('button', { name }).click();
  const statusOf = async (id: string): Promise<string> => (await get(`/subscriptions/payments/${id}`)).status;

  it('declines at Stripe and leaves: nothing is paid', async () => {
    const before = await available();
    const id = await buy('stripe');
    await press('Decline');
    await page.getByText('The card was declined.').waitFor();
    await press('Close');
    await page.waitForURL(returnUrl);
    expect(await statusOf(id)).not.toBe('SUCCEEDED');
    expect(await available()).toBe(before);
  });

  it.each(['stripe', 'paypal'])('pays at %s, and the credits are there by the events alone', async (provider) => {
    const before = await available();
    const id = await buy(provider);
    await press('Pay');
    await page.waitForURL(returnUrl);
    await expect.poll(() => statusOf(id)).toBe('SUCCEEDED');
    expect(await available()).toBe(before + 1000);
  });

  it('saves a card, which becomes the default, and sees it on the page of Stripe', async () => {
    const { actionUrl } = await post('/subscriptions/payment-methods/setup', { provider: 'stripe', returnUrl });
    await page.goto(actionUrl);
    await press('Save');
    await page.waitForURL(returnUrl);
    const methods = async () => (await get('/subscriptions/payment-methods')).items;
    await expect.poll(methods).toMatchObject([{ status: 'ACTIVE', default: true, last4: '4242' }]);
    await page.goto((await post('/billing/portal-session', { returnUrl })).url);
    await press('Remove 4242');
    await press('Return');
    await page.waitForURL(returnUrl);
    await expect.poll(methods).toEqual([]);
  });
});
