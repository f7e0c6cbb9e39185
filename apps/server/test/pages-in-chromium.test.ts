import { readdirSync } from 'node:fs';
import { renderMail } from '@rentapi/api/mail/compose';
import { mailText } from '@rentapi/api/mail/mail-text';
import { chromiumIsMissing, openChromium } from '@rentapi/testing/chromium';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOCUMENTS_ROOT } from '../src/files.ts';
import { contract, shortOpenapi, startPages } from './pages-server.ts';

const WIDE = { width: 1300, height: 1000 };
const NARROW = { width: 390, height: 844 };

/** All that are written by hand, and one of each kind that is made from the contract. */
const paths = [
  '/',
  '/docs/guides',
  ...['docs/guides', 'docs/runbooks'].flatMap((directory) =>
    readdirSync(new URL(`${directory}/`, DOCUMENTS_ROOT))
      .filter((name) => name !== 'README.md')
      .map((name) => `/${directory}/${name.replace(/\.md$/, '')}`),
  ),
  '/docs/guides/quickstart',
  '/docs/sdk/methods',
  '/docs/sdk/example',
  '/docs/sdk',
  '/docs/trpc',
  '/docs/events',
  '/docs/permissions',
  '/docs/errors',
  '/docs/errors/invalid_input',
  '/docs/errors/nope',
  '/docs/operations',
  '/docs/operations/apiKeys.create',
  '/docs/search?q=api+key',
  `/nothing/here/${'long'.repeat(20)}`,
  '/dev/mail',
  '/dev/mail/one',
  '/dev/mail/kinds',
  '/dev/mail/kinds/one',
  '/verify-email',
  '/confirm-email-change?token=t0ken',
  '/undo-email-change?token=t0ken',
  '/keep-two-factor?token=t0ken',
  '/download-export?token=t0ken',
  '/unlock?token=t0ken',
  '/unlock',
  '/register',
];

const mail = {
  id: 'one',
  messageId: 'one@example.com',
  to: 'ann@example.com',
  subject: 'Confirm your address',
  text: `Open https://api.example.com/verify-email?token=${'t0ken'.repeat(40)}.`,
  html: '<p style="color: red">Open</p>',
  sentAt: '2025-01-01T10:00:00.000Z',
};

/** As the layout of every mail draws it. */
const kind = {
  name: 'one',
  cause: 'An account was created.',
  mail: {
    ...renderMail('https://api.example.com', {
      subject: mailText`Confirm your address`,
      paragraphs: [mailText`Welcome to ${'Acme'}.`],
      action: { label: 'Confirm', path: '/verify-email?token=t0ken' },
      footnote: mailText`The link works once.`,
    }),
    to: mail.to,
    messageId: mail.messageId,
  },
};

describe.skipIf(chromiumIsMissing())('in Chromium', () => {
  let pages: Awaited<ReturnType<typeof startPages>>;
  let browser: Browser;
  let page: Page;
  let faults: string[];
  beforeAll(async () => {
    pages = await startPages({
      mailbox: { list: async () => [mail], get: async () => mail },
      mailKinds: async () => [kind],
    });
    browser = await openChromium();
    page = await browser.newPage();
    faults = collectFaults(page, pages.url);
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  async function inContext(options: Parameters<Browser['newContext']>[0], look: (page: Page) => Promise<void>) {
    const context: BrowserContext = await browser.newContext(options);
    try {
      await look(await context.newPage());
    } finally {
      await context.close();
    }
  }

  it.each(paths)('%s is accessible, fits a phone, and breaks no rule of its own', async (path) => {
    faults.length = 0;
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(WIDE);
    const response = await page.goto(pages.url + path);
    const isMissing = /nope|nothing/.test(path);
    expect(response?.status()).toBe(isMissing ? 404 : 200);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize(NARROW);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    // A browser notes the 404 of the page itself.
    expect(faults.filter((fault) => !isMissing || !fault.includes('404'))).toEqual([]);
  });

  it('fits a phone with every operation and every error', async () => {
    await page.setViewportSize(NARROW);
    const operations = contract.operations.map(({ id }) => `/docs/operations/${id}`);
    const errors = contract.errors.map(({ code }) => `/docs/errors/${code}`);
    await page.goto(`${pages.url}/docs/operations`);
    expect(await overflowing(page, [...operations, ...errors])).toEqual([]);
  });

  it('shows the same documentation with scripts off, and searches it', async () => {
    await inContext({ javaScriptEnabled: false, viewport: NARROW }, async (page) => {
      await page.goto(`${pages.url}/docs/guides`);
      await page.getByRole('link', { name: 'First calls' }).click();
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('First calls');
      expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
      await page.getByRole('searchbox').fill('rate limit');
      await page.getByRole('searchbox').press('Enter');
      await page.getByRole('link', { name: 'rate_limited', exact: true }).click();
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('rate_limited');
    });
  });

  it('finds while one types, and is left with Escape', async () => {
    await inContext({}, async (page) => {
      const faults = collectFaults(page, pages.url);
      await page.goto(`${pages.url}/docs/errors`);
      await page.keyboard.press('/');
      await page.keyboard.type('rate lim');
      const first = page.locator('.site-found a').first();
      await first.waitFor();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      expect(await page.locator('.site-found').isHidden()).toBe(true);
      await page.keyboard.type('rate limit'); // Escape has emptied the field
      await first.waitFor();
      const found = await first.getAttribute('href');
      expect(found).toMatch(/limit/);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(`**${found}`);
      expect(faults).toEqual([]);
    });
  });

  it('copies a block of code', async () => {
    await inContext({ permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
      await page.goto(`${pages.url}/docs/trpc`);
      await page.getByRole('button', { name: 'Copy' }).first().click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      expect(await page.evaluate<string>('navigator.clipboard.readText()')).toMatch(/^npm install @rentapi\/contract /);
    });
  });

  it.each([
    ['/verify-email', 'Confirm e-mail address', 'Mail me a new link'],
    ['/reset-password', 'Set the password', 'Mail me a link to set a password'],
    ['/unlock', 'Unlock my account', 'Mail me a link to set a password'],
  ])('%s offers a new link in place of one that was used', async (path, button, remedy) => {
    await inContext({}, async (page) => {
      const problem = { code: 'invalid_token', detail: 'Request a new link.' };
      await page.route('**/api/v1/auth/**', (route) => route.fulfill({ status: 400, json: problem }));
      await page.goto(`${pages.url}${path}?token=used`);
      if (path === '/reset-password') await page.getByLabel('Password').first().fill('a long password');
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('alert').filter({ hasText: problem.detail }).waitFor();
      expect(await page.getByRole('button').allInnerTexts()).toEqual([remedy]);
    });
  });

  it.each([
    ['/confirm-email-change', 'Use this address', /ask for the change again/],
    ['/undo-email-change', 'Take my address back', /sign in with this\s+address/],
    ['/keep-two-factor', 'Keep my second factor', /objected already/],
  ])('%s says what to do where the link was used', async (path, button, remedy) => {
    await inContext({}, async (page) => {
      const problem = { code: 'invalid_token', detail: 'Request a new link.' };
      await page.route('**/api/v1/auth/**', (route) => route.fulfill({ status: 400, json: problem }));
      await page.goto(`${pages.url}${path}?token=used`);
      await page.getByRole('button', { name: button }).click();
      await page.getByText(remedy).waitFor();
      expect(await page.getByRole('button').count()).toBe(0);
    });
  });

  it('takes an address back from its page, and then offers a new password', async () => {
    await inContext({}, async (page) => {
      let sent: unknown;
      await page.route('**/api/v1/auth/email-change/undo', (route) => {
        sent = route.request().postDataJSON();
        return route.fulfill({ status: 204 });
      });
      await page.goto(`${pages.url}/undo-email-change?token=t0ken`);
      expect(page.url()).toBe(`${pages.url}/undo-email-change`);
      await page.getByRole('button', { name: 'Take my address back' }).press('Enter');
      await page.getByRole('status').filter({ hasText: 'old address' }).waitFor();
      expect(sent).toEqual({ token: 't0ken' });
      expect(await page.getByRole('button').allInnerTexts()).toEqual(['Mail me a link to set a password']);
      expect(await violations(page)).toEqual([]);
    });
  });

  it('unlocks an account from its page, and then offers to sign in or to set a password', async () => {
    await inContext({}, async (page) => {
      let sent: unknown;
      await page.route('**/api/v1/auth/unlock', (route) => {
        sent = route.request().postDataJSON();
        return route.fulfill({ status: 204 });
      });
      await page.goto(`${pages.url}/unlock?token=t0ken`);
      expect(page.url()).toBe(`${pages.url}/unlock`);
      await page.getByRole('button', { name: 'Unlock my account' }).press('Enter');
      await page.getByRole('status').filter({ hasText: 'is unlocked' }).waitFor();
      expect(sent).toEqual({ token: 't0ken' });
      expect(await page.getByRole('link', { name: 'Sign in' }).getAttribute('href')).toBe(
        'https://console.example.com',
      );
      expect(await page.getByRole('button').allInnerTexts()).toEqual(['Mail me a link to set a password']);
      expect(await violations(page)).toEqual([]);
    });
  });

  it('downloads the copy of a person’s data after signing in, and closes the session', async () => {
    await inContext({ acceptDownloads: true }, async (page) => {
      const asked: string[] = [];
      await page.route('**/api/v1/**', (route) => {
        const request = route.request();
        const { pathname } = new URL(request.url());
        asked.push(`${request.method()} ${pathname} ${request.headers()['authorization'] ?? ''}`.trim());
        if (pathname.endsWith('/login')) return route.fulfill({ json: { accessToken: 'a.b.c' } });
        if (pathname.endsWith('/logout')) return route.fulfill({ status: 204 });
        return route.fulfill({ contentType: 'application/zip', body: 'PK' });
      });
      await page.goto(`${pages.url}/download-export?token=exp_1`);
      await page.getByLabel('E-mail address').fill('ada@example.com');
      await page.getByLabel('Password').fill('a long password');
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Sign in and download' }).click();
      expect((await download).suggestedFilename()).toBe('export.zip');
      await page.getByRole('status').filter({ hasText: 'has begun' }).waitFor();
      expect(asked).toEqual([
        'POST /api/v1/auth/login',
        'GET /api/v1/users/me/exports/exp_1 Bearer a.b.c',
        'POST /api/v1/auth/logout Bearer a.b.c',
      ]);
    });
  });

  it.each(['light', 'dark'] as const)('a mail can be read in %s colours', async (colorScheme) => {
    await inContext({ colorScheme }, async (page) => {
      await page.setContent(kind.mail.html);
      expect(await page.evaluate<string>('getComputedStyle(document.querySelector("p")).color')).toBe(
        colorScheme === 'dark' ? 'rgb(255, 255, 255)' : 'rgb(0, 0, 0)',
      );
      expect(await violations(page, ['color-contrast'])).toEqual([]);
    });
  });

  describe('a reference draws itself within the policy, and leads to the rest:', () => {
    let references: Awaited<ReturnType<typeof startPages>>;
    beforeAll(async () => {
      references = await startPages({ openapi: shortOpenapi });
    });
    afterAll(() => references.close());

    const draw = (colorScheme: 'light' | 'dark', path: string, look: (page: Page) => Promise<void>) =>
      inContext({ colorScheme, viewport: WIDE }, async (page) => {
        const faults = collectFaults(page, references.url);
        await page.goto(references.url + path);
        await page.getByRole('heading', { name: 'RentAPI' }).first().waitFor();
        expect(await page.getByRole('link', { name: 'Guides' }).first().getAttribute('href')).toBe('/docs/guides');
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        await look(page);
        expect(faults).toEqual([]);
      });

    it.each(['light', 'dark'] as const)('Scalar in %s colours that can be read', async (colorScheme) => {
      await draw(colorScheme, '/docs', async (page) => {
        expect(await violations(page, ['color-contrast'])).toEqual([]);
      });
    });

    it.each(['light', 'dark'] as const)('Redoc in %s colours that can be read', async (colorScheme) => {
      await draw(colorScheme, '/redoc', async (page) => {
        expect(await violations(page, ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])).toEqual([]);
      });
    });
  });
});

/** Errors that the browser notes, refusals of the policy among them, and requests to other servers. */
function collectFaults(page: Page, origin: string): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(origin)) faults.push(request.url());
  });
  return faults;
}

/** Of all rules of axe, or of some, or of some tags. */
async function violations(page: Page, rules?: string[]): Promise<string[]> {
  // Evaluated, not added as an element: the policy of the page allows no script but ours.
  await page.evaluate(`globalThis.axe ?? (() => { ${axe.source} })()`);
  const options = JSON.stringify({ resultTypes: ['violations'], ...(rules && { runOnly: rules }) });
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${options})`);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
}

/** Which of the pages are wider than the window. They share the head of the one that is open: only bodies are read. */
function overflowing(page: Page, paths: readonly string[]): Promise<string[]> {
  return page.evaluate<string[]>(`(async () => {
    const found = [];
    for (const path of ${JSON.stringify(paths)}) {
      const html = await (await fetch(path)).text();
      document.body.replaceWith(new DOMParser().parseFromString(html, 'text/html').body);
      if (document.documentElement.scrollWidth > window.innerWidth || !document.querySelector('h1')) found.push(path);
    }
    return found;
  })()`);
}
