import { newToken, tokenHash } from '@rentapi/platform/tokens';
import { chromiumIsMissing, openChromium } from '@rentapi/testing/chromium';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startInProcess } from './in-process-server.ts';

const PASSWORD = 'correct horse battery staple';
const HOUR_MS = 3_600_000;

let server: Awaited<ReturnType<typeof startInProcess>>;
beforeAll(async () => {
  server = await startInProcess({ AUTH_RATE_LIMIT_PER_MINUTE: '1000', REQUIRE_EMAIL_VERIFICATION: 'false' });
  server.serve();
});
afterAll(() => server.close());

const call = async (path: string, body: object, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
};
const login = (email: string, password = PASSWORD) => call('/auth/login', { email, password });

async function signUp(): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  await call('/auth/register', { email, password: PASSWORD });
  return email;
}

/** As the job that mails the link makes it. */
async function mailLink(email: string, purpose: string): Promise<string> {
  const token = newToken();
  const now = Date.now();
  const [user] = await server.ports.database('users').where({ email }).select('id');
  await server.ports.database('verification_tokens').insert({
    userId: user!.id,
    purpose,
    tokenHash: tokenHash(token),
    createdAt: new Date(now),
    expiresAt: new Date(now + HOUR_MS),
  });
  return token;
}

async function countEvents(type: string, email: string): Promise<number> {
  const { rows } = await server.ports.database.raw(
    `select /* across organizations */ count(*)::integer as count from events where type = ? and data ->> 'email' = ?`,
    [type, email],
  );
  return rows[0].count;
}

describe.skipIf(chromiumIsMissing())('with scripts off', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    context = await browser.newContext({ javaScriptEnabled: false });
    page = await context.newPage();
  });
  afterEach(() => context.close());

  const open = (path: string) => page.goto(server.url + path);
  const press = (name: string) => page.getByRole('button', { name }).click();
  const says = async (role: 'alert' | 'status') => (await page.getByRole(role).textContent())?.trim();

  it('an account is unlocked, once, by a button and not by the link', async () => {
    const email = await signUp();
    for (let attempt = 0; attempt < 5; attempt++) await login(email, 'not the one');
    const path = `/unlock?token=${await mailLink(email, 'unlock')}`;
    await open(path);
    expect((await login(email)).status).toBe(401);
    await press('Unlock my account');
    expect(await says('status')).toBe('Your account is unlocked. You can sign in now.');
    expect(await page.getByRole('link', { name: 'Sign in' }).isVisible()).toBe(true);
    expect(await page.getByRole('button').allInnerTexts()).toEqual(['Mail me a link to set a password']);
    expect((await login(email)).status).toBe(200);
    await open(path);
    await press('Unlock my account');
    expect(await says('alert')).toMatch(/link/);
    expect(await page.getByRole('button').allInnerTexts()).toEqual(['Mail me a link to set a password']);
  });

  it('a password is set, which the page judges as the API does', async () => {
    const email = await signUp();
    await open(`/reset-password?token=${await mailLink(email, 'password_reset')}`);
    await page.getByLabel('Password').fill('password123');
    await press('Set the password');
    expect(await says('alert')).toMatch(/^password /);
    await page.getByLabel('Password').fill('four loud yellow lamps');
    await press('Set the password');
    expect(await says('status')).toBe('Your password is set. You can sign in with it now.');
    expect((await login(email, 'four loud yellow lamps')).status).toBe(200);
  });

  it('an address is confirmed', async () => {
    const email = await signUp();
    await open(`/verify-email?token=${await mailLink(email, 'email')}`);
    await press('Confirm e-mail address');
    expect(await says('status')).toBe('Your e-mail address is confirmed. You can sign in now.');
    expect(await server.ports.database('users').where({ email }).whereNotNull('emailVerifiedAt')).toHaveLength(1);
  });

  it('an invitation is accepted by its owner, and no session is left', async () => {
    const owner = (await login(await signUp())).body;
    const guest = await signUp();
    await server.ports.database('users').where({ email: guest }).update({ emailVerifiedAt: new Date() });
    const bearer = { authorization: `Bearer ${owner.accessToken}` };
    const { body: organization } = await call('/organizations', { name: 'Lamps' }, bearer);
    await call(`/organizations/${organization.id}/invitations`, { email: guest, role: 'MEMBER' }, bearer);
    const token = newToken();
    await server.ports.database.raw(
      'update /* across organizations */ organization_invitations set token_hash = ? where email = ?',
      [tokenHash(token), guest],
    );
    await open(`/accept-invitation?token=${token}`);
    await page.getByLabel('E-mail address').first().fill(guest);
    await page.getByLabel('Password').first().fill(PASSWORD);
    await press('Sign in and accept');
    expect(await says('status')).toBe('You are a member now.');
    const sessions = await server.ports
      .database('sessions')
      .join('users', 'users.id', 'userId')
      .where({ email: guest });
    expect(sessions.map(({ revokedAt }) => revokedAt !== null)).toEqual([true]);
  });

  it.each([
    ['/verify-email', 'Confirm e-mail address', 'Mail me a new link'],
    ['/reset-password', 'Set the password', 'Mail me a link to set a password'],
    ['/unlock', 'Unlock my account', 'Mail me a link to set a password'],
    ['/confirm-email-change', 'Use this address', null],
    ['/undo-email-change', 'Take my address back', null],
    ['/keep-two-factor', 'Keep my second factor', null],
  ])('%s says what to do in place of a link that does not work', async (path, button, remedy) => {
    await open(`${path}?token=not-a-token`);
    if (path === '/reset-password') await page.getByLabel('Password').fill('four loud yellow lamps');
    await press(button);
    expect(await says('alert')).toMatch(/link/i);
    expect(await page.getByRole('button').allInnerTexts()).toEqual(remedy === null ? [] : [remedy]);
    await open(path);
    expect(await page.getByText('This link is incomplete').isVisible()).toBe(true);
    expect(await page.getByRole('button').allInnerTexts()).toEqual(remedy === null ? [] : [remedy]);
  });

  it.each([
    ['/forgot-password', 'Mail me a link to set a password', 'user.password_reset_requested'],
    ['/resend-verification', 'Mail me a new link', 'user.verification_requested'],
  ])('%s mails a link', async (path, button, type) => {
    const email = await signUp();
    await open(path);
    await page.getByLabel('E-mail address').fill(email);
    await press(button);
    expect(await says('status')).toMatch(/is on its way/);
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await countEvents(type, email)).toBe(1);
  });

  it('a person registers', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await open('/register');
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await press('Register');
    expect(await says('status')).toMatch(/^Now open the link/);
    expect((await login(email)).status).toBe(200);
  });

  it('the download says that it needs scripts', async () => {
    await open('/download-export?token=exp_1');
    expect(await page.content()).toContain('This page needs JavaScript.');
    expect(await page.getByRole('button').count()).toBe(0);
  });
});

describe('a form', () => {
  const FORM = 'application/x-www-form-urlencoded';
  const send = async (body: string, headers: Record<string, string> = {}, path = '/forgot-password') => {
    const response = await fetch(server.url + path, {
      method: 'POST',
      body,
      headers: { 'content-type': FORM, 'sec-fetch-site': 'same-origin', ...headers },
    });
    return { status: response.status, page: await response.text() };
  };
  const asked = 'email=ada%40example.com';
  beforeAll(() => call('/auth/register', { email: 'ada@example.com', password: PASSWORD }));

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['another host of the site', { 'sec-fetch-site': 'same-site' }],
    [
      'a page that names itself, in a browser that does not say more',
      { 'sec-fetch-site': '', origin: 'https://evil.example' },
    ],
    ['a page without a name, in a browser that does not say more', { 'sec-fetch-site': '', origin: 'null' }],
  ])('of %s is refused', async (_, headers) => {
    const { status, page } = await send(asked, headers);
    expect(status).toBe(403);
    expect(page).toContain('Open the page again, and send its own form.');
    expect(await countEvents('user.password_reset_requested', 'ada@example.com')).toBe(0);
  });

  it.each([
    ['JSON', '{"email":"ada@example.com"}', { 'content-type': 'application/json' }, 415],
    ['files', asked, { 'content-type': 'multipart/form-data; boundary=x' }, 415],
    ['compressed', asked, { 'content-encoding': 'gzip' }, 415],
    ['too long', `email=${'a'.repeat(20_000)}`, {}, 413],
    ['not percent-encoded', 'email=%ff%', {}, 400],
    ['with a NUL', 'email=ada%00%40example.com', {}, 400],
    ['without the field', 'mail=ada%40example.com', {}, 400],
    ['empty', '', {}, 400],
  ])('that is %s is refused with a sentence', async (_, body, headers, expected) => {
    const { status, page } = await send(body, headers);
    expect(status).toBe(expected);
    expect(page).toMatch(/<p class="note bad" role="alert" data-show="problem">\S/);
  });

  it('repeats nothing that was sent', async () => {
    const { page } = await send('email=%3Cscript%3Ealert(1)%3C/script%3E');
    expect(page).not.toContain('alert(1)');
    const unlocked = await send('', {}, '/unlock?token=t0ken');
    expect(unlocked.page).not.toContain('t0ken');
  });

  it('is limited as the API is', async () => {
    const limited = await startInProcess({ AUTH_RATE_LIMIT_PER_MINUTE: '3' });
    limited.serve();
    try {
      const statuses: number[] = [];
      for (let at = 0; at < 5; at++) {
        const { status, headers } = await fetch(`${limited.url}/unlock?token=guess`, { method: 'POST' });
        statuses.push(status);
        if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      }
      expect([statuses[0], statuses.at(-1)]).toEqual([400, 429]);
    } finally {
      await limited.close();
    }
  });
});
