import { text } from 'node:stream/consumers';
import { CHROMIUM, chromiumIsMissing } from '@rentapi/testing/chromium';
import { generateSync } from 'otplib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInProcess } from './in-process-server.ts';

const PASSWORD = 'correct horse battery staple';
const NEW_PASSWORD = 'three quiet green lamps';

let server: Awaited<ReturnType<typeof startInProcess>>;
beforeAll(async () => {
  server = await startInProcess(
    { AUTH_RATE_LIMIT_PER_MINUTE: '1000', MAILBOX_LIMIT_PER_HOUR: '1000' },
    { runsJobs: true },
  );
  server.serve();
});
afterAll(() => server.close());

interface Tokens {
  accessToken: string;
  user: { id: string };
}
interface Person {
  email: string;
  tokens: Tokens;
}

async function post<Body = unknown>(path: string, body: object, accessToken?: string): Promise<Body> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken && { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify(body),
  });
  return (await response.text().then((answer) => (answer ? JSON.parse(answer) : {}))) as Body;
}

const anyEmail = () => `${crypto.randomUUID()}@example.com`;
const login = (email: string, password = PASSWORD) =>
  post<Partial<Tokens & { mfaRequired: boolean; code: string }>>('/auth/login', { email, password });

async function signUp(): Promise<Person> {
  const email = anyEmail();
  await post('/auth/register', { email, password: PASSWORD });
  await server.ports.database('users').where({ email }).update({ emailVerifiedAt: new Date() });
  return { email, tokens: (await login(email)) as Tokens };
}

/** Makes the code of the moment that was not used yet. */
async function addAuthenticator({ tokens }: Person): Promise<() => string> {
  const { secret } = await post<{ secret: string }>('/auth/2fa/enable', {}, tokens.accessToken);
  const now = Math.floor(Date.now() / 1000);
  await post('/auth/2fa/verify', { code: generateSync({ secret, epoch: now }) }, tokens.accessToken);
  return () => generateSync({ secret, epoch: now + 30 });
}

/** The path of the newest mailed link to a page. */
async function link(to: string, page: string): Promise<string> {
  const find = () => server.mails.findLast((mail) => mail.to === to && mail.text.includes(`${page}?token=`));
  await expect.poll(find).toBeDefined();
  return new RegExp(`${page}\\?token=[\\w-]+`).exec(find()!.text)![0];
}

async function changeEmail(person: Person): Promise<string> {
  const email = anyEmail();
  await post('/users/me/email', { email }, person.tokens.accessToken);
  return email;
}

async function invite(email: string): Promise<string> {
  const owner = await signUp();
  const made = await post<{ id: string }>('/organizations', { name: 'Acme' }, owner.tokens.accessToken);
  await post(`/organizations/${made.id}/invitations`, { email, role: 'MEMBER' }, owner.tokens.accessToken);
  return link(email, '/accept-invitation');
}

const send = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(server.url + path, { method: 'POST', body: new URLSearchParams(fields), headers });

describe('a form of a mailed link', () => {
  it.each([
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    [{ 'sec-fetch-site': 'same-site', origin: 'null' }],
    [{ origin: 'https://evil.example' }],
  ])('is refused from another site: %j', async (headers) => {
    const { email } = await signUp();
    const response = await send('/forgot-password', { email }, headers);
    expect([response.status, (await response.json()) as object]).toEqual([
      403,
      expect.objectContaining({ code: 'origin_not_allowed' }),
    ]);
  });

  it('is taken as a form only, of a bounded size, and by no operation', async () => {
    const json = { 'content-type': 'application/json' };
    expect((await fetch(`${server.url}/forgot-password`, { method: 'POST', body: '{}', headers: json })).status).toBe(
      415,
    );
    expect((await send('/forgot-password', { email: 'a'.repeat(20_000) })).status).toBe(413);
    expect((await send('/api/v1/auth/password-reset/request', { email: anyEmail() })).status).toBe(415);
  });

  it('is held to the limits of the operation, and says when to come back', async () => {
    const limited = await startInProcess({ AUTH_RATE_LIMIT_PER_MINUTE: '2' });
    limited.serve();
    try {
      const ask = () =>
        fetch(`${limited.url}/forgot-password`, { method: 'POST', body: new URLSearchParams({ email: anyEmail() }) });
      const answers = [await ask(), await ask(), await ask()];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
      expect(Number(answers[2]!.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answers[2]!.headers.get('content-type')).toContain('text/html');
    } finally {
      await limited.close();
    }
  });

  it('is answered with what to do, whatever it contains', async () => {
    for (const token of ['', 'x', '\0', 'é'.repeat(100), '"><script>alert(1)</script>']) {
      const response = await send('/reset-password', { token, password: NEW_PASSWORD });
      expect([response.status, await response.text()]).toEqual([400, expect.not.stringContaining('<script>alert')]);
    }
  });
});

describe.skipIf(chromiumIsMissing())('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch(CHROMIUM);
  });
  afterAll(() => browser?.close());

  async function visit<T>(path: string, look: (page: Page) => Promise<T>, javaScriptEnabled = false): Promise<T> {
    const context = await browser.newContext({ javaScriptEnabled, acceptDownloads: true });
    try {
      const page = await context.newPage();
      await page.goto(server.url + path);
      return await look(page);
    } finally {
      await context.close();
    }
  }

  const press = async (page: Page, button: string) => {
    await page.getByRole('button', { name: button }).press('Enter');
    await page.waitForLoadState();
  };
  const says = (page: Page, sentence: string | RegExp) => page.getByText(sentence).waitFor();
  const fillSignIn = async (page: Page, email: string, password = PASSWORD) => {
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
  };

  describe.each([
    ['without scripts', false],
    ['with scripts', true],
  ])('%s', (_, scripts) => {
    const at = <T>(path: string, look: (page: Page) => Promise<T>) => visit(path, look, scripts);

    it('an address is confirmed, and a used link offers another', async () => {
      const email = anyEmail();
      await post('/auth/register', { email, password: PASSWORD });
      const path = await link(email, '/verify-email');
      await at(path, async (page) => {
        await press(page, 'Confirm e-mail address');
        await says(page, 'Your e-mail address is confirmed.');
      });
      await at(path, async (page) => {
        await press(page, 'Confirm e-mail address');
        await page.getByRole('alert').waitFor();
        expect(await page.getByRole('button').allInnerTexts()).toEqual(['Mail me a new link']);
        await page.getByLabel('E-mail address').fill(email);
        await press(page, 'Mail me a new link');
        await says(page, /a new link is on its way/);
      });
    });

    it('a password is set, after one that was refused', async () => {
      const { email } = await signUp();
      await at('/forgot-password', async (page) => {
        await page.getByLabel('E-mail address').fill(email);
        await press(page, 'Mail me a link to set a password');
        await says(page, /a link is on its way/);
      });
      await at(await link(email, '/reset-password'), async (page) => {
        expect(page.url().includes('token=')).toBe(!scripts);
        await page.getByLabel('Password').fill('password');
        await press(page, 'Set the password');
        await page.getByRole('alert').filter({ hasText: 'password' }).waitFor();
        await page.getByLabel('Password').fill(NEW_PASSWORD);
        await press(page, 'Set the password');
        await says(page, 'Your password is set.');
      });
      expect(await login(email, NEW_PASSWORD)).toHaveProperty('accessToken');
    });

    it('an address is changed, and taken back', async () => {
      const person = await signUp();
      const email = await changeEmail(person);
      await at(await link(email, '/confirm-email-change'), async (page) => {
        await press(page, 'Use this address');
        await says(page, 'This is the address of your account now.');
      });
      expect(await login(email)).toHaveProperty('accessToken');
      await at(await link(person.email, '/undo-email-change'), async (page) => {
        await press(page, 'Take my address back');
        await says(page, 'Your account has its old address again');
        expect(await page.getByRole('button').allInnerTexts()).toEqual(['Mail me a link to set a password']);
      });
      expect(await login(person.email)).toHaveProperty('accessToken');
    });

    it('a removal of the second factor is objected to', async () => {
      const [person, admin] = [await signUp(), await signUp()];
      await addAuthenticator(person);
      await server.ports.database('users').where({ email: admin.email }).update({ role: 'SUPER_ADMIN' });
      const { accessToken } = (await login(admin.email)) as Tokens;
      await post(`/admin/users/${person.tokens.user.id}/2fa/reset`, { reason: 'Lost the phone.' }, accessToken);
      await at(await link(person.email, '/keep-two-factor'), async (page) => {
        await press(page, 'Keep my second factor');
        await says(page, 'Your second factor stays.');
      });
      await at('/keep-two-factor?token=used', async (page) => {
        await press(page, 'Keep my second factor');
        await says(page, /objected already/);
        expect(await page.getByRole('button').count()).toBe(0);
      });
    });

    it('an invitation is accepted by its owner, who shows the second factor', async () => {
      const person = await signUp();
      const path = await invite(person.email);
      const code = await addAuthenticator(person);
      await at(path, async (page) => {
        await fillSignIn(page, person.email, 'not the one');
        await press(page, 'Sign in and accept');
        await page.getByRole('alert').waitFor();
        expect(await page.getByLabel('E-mail address').inputValue()).toBe(person.email);
        await fillSignIn(page, person.email);
        await press(page, 'Sign in and accept');
        await page.getByLabel(/Code of your authenticator/).fill('wrong');
        await press(page, 'Continue');
        await page.getByRole('alert').waitFor();
        await page.getByLabel(/Code of your authenticator/).fill(code());
        await press(page, 'Continue');
        await says(page, 'You are a member now.');
      });
      const sessions = server.ports.database('sessions').join('users', 'users.id', 'sessions.userId');
      expect(await sessions.where({ email: person.email }).whereNull('revokedAt')).toHaveLength(1);
    });

    it('an invited person without an account registers', async () => {
      const email = anyEmail();
      await at(await invite(email), async (page) => {
        await page.getByRole('link', { name: 'Register' }).click();
        await fillSignIn(page, email);
        await press(page, 'Register');
        await says(page, /open the invitation once more/);
      });
      expect(await link(email, '/verify-email')).toContain('token=');
    });

    it('a copy of one’s data is downloaded, with the second factor', async () => {
      const person = await signUp();
      await post('/users/me/export', {}, person.tokens.accessToken);
      const path = await link(person.email, '/download-export');
      const code = await addAuthenticator(person);
      await at(path, async (page) => {
        await fillSignIn(page, person.email);
        await press(page, 'Sign in and download');
        await page.getByLabel(/Code of your authenticator/).fill(code());
        const download = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Continue' }).press('Enter');
        const file = await download;
        expect(file.suggestedFilename()).toBe('export.zip');
        expect((await text(await file.createReadStream())).slice(0, 2)).toBe('PK');
      });
      await at('/download-export?token=exp_nothing', async (page) => {
        await fillSignIn(page, (await signUp()).email);
        await press(page, 'Sign in and download');
        await says(page, /deleted after 24 hours/);
      });
    });
  });
});
