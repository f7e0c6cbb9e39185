import { chromiumIsMissing, openChromium } from '@rentapi/testing/chromium';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { codeAt } from '../../../packages/api/test/second-factor.ts';
import { startInProcess } from './in-process-server.ts';

const PASSWORD = 'correct horse battery staple';
const Signed = z.object({ accessToken: z.string() });
const SetUp = z.object({ secret: z.string() });
const Enabled = z.object({ backupCodes: z.array(z.string()).min(1) });

const OWN = { 'sec-fetch-site': 'same-origin' };

let server: Awaited<ReturnType<typeof startInProcess>>;

beforeAll(async () => {
  server = await startInProcess({ AUTH_RATE_LIMIT_PER_MINUTE: '1000' });
  server.serve();
});
afterAll(() => server.close());

async function person(role: 'USER' | 'ADMIN'): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  const body = JSON.stringify({ email, password: PASSWORD });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${server.url}/api/v1/auth/register`, { method: 'POST', headers, body });
  await server.ports.database('users').where({ email }).update({ role });
  return email;
}

let jobs = 1_000_000;

async function failedJob(): Promise<string> {
  const id = ++jobs;
  const job = { id, name: 'webhooks.sweep', data: '{}', starts: 20, reason: 'Error: <no>', createdAt: new Date() };
  await server.ports.database('dead_jobs').insert(job);
  return server.ports.ids.encode('job', id);
}

const get = (path: string, cookie = '') =>
  fetch(server.url + path, { headers: { accept: 'text/html', cookie }, redirect: 'manual' });
const post = (path: string, fields: Record<string, string>, { cookie = '', headers = OWN as object } = {}) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { accept: 'text/html', cookie, ...headers },
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });

async function signIn(email: string): Promise<string> {
  const answer = await post('/admin/jobs/sign-in', { email, password: PASSWORD });
  const [line = ''] = answer.headers.getSetCookie();
  expect(line).toMatch(/^__Host-rentapi_operator=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  return line.split(';')[0]!;
}

describe('the pages of jobs', () => {
  it('ask a stranger, and a session that has ended, to sign in', async () => {
    const stranger = await get('/admin/jobs');
    expect([stranger.status, await stranger.text()]).toEqual([401, expect.stringContaining('name="password"')]);
    const cookie = await signIn(await person('ADMIN'));
    expect((await get('/admin/jobs', cookie)).status).toBe(200);
    const out = await post('/admin/jobs/sign-out', {}, { cookie });
    expect([out.status, out.headers.getSetCookie()]).toEqual([303, [expect.stringContaining('Max-Age=0')]]);
    await expect.poll(async () => (await get('/admin/jobs', cookie)).status).toBe(401);
  });

  it('show nothing to a user who is no administrator', async () => {
    const cookie = await signIn(await person('USER'));
    const id = await failedJob();
    for (const path of ['/admin/jobs', `/admin/jobs/${id}`]) {
      const answer = await get(path, cookie);
      expect([answer.status, await answer.text()]).toEqual([403, expect.not.stringContaining('webhooks.sweep')]);
    }
    expect((await post(`/admin/jobs/${id}/retry`, {}, { cookie })).status).toBe(403);
    expect(await server.ports.database('dead_jobs').where({ id: server.ports.ids.decode('job', id) })).toHaveLength(1);
  });

  it('refuse a wrong password as the API does, and show no text of the request as HTML', async () => {
    const answer = await post('/admin/jobs/sign-in', { email: await person('ADMIN'), password: 'wrong' });
    expect([answer.status, await answer.text()]).toEqual([401, expect.stringContaining('role="alert"')]);
    const cookie = await signIn(await person('ADMIN'));
    const filtered = await get('/admin/jobs?name=%22%3E%3Cscript%3E', cookie);
    expect([filtered.status, await filtered.text()]).toEqual([200, expect.not.stringContaining('<script')]);
    expect(await (await get(`/admin/jobs/${await failedJob()}`, cookie)).text()).toContain('Error: &#60;no&#62;');
  });

  it('ask for the second factor, and again after a wrong code', async () => {
    const email = await person('ADMIN');
    const send = async (path: string, body: object, token = ''): Promise<unknown> => {
      const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
      const answer = await fetch(`${server.url}/api/v1/auth${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return answer.json();
    };
    const { accessToken } = Signed.parse(await send('/login', { email, password: PASSWORD }));
    const { secret } = SetUp.parse(await send('/2fa/enable', {}, accessToken));
    const code = codeAt(secret, new Date());
    const { backupCodes } = Enabled.parse(await send('/2fa/verify', { code }, accessToken));
    const first = await post('/admin/jobs/sign-in', { email, password: PASSWORD });
    expect(first.headers.getSetCookie()).toEqual([]);
    const challengeOf = async (answer: Response) =>
      /name="challengeToken" value="([^"]+)"/.exec(await answer.text())?.[1] ?? '';
    const wrong = await post('/admin/jobs/sign-in/code', { challengeToken: await challengeOf(first), code: '000000' });
    expect([wrong.status, wrong.headers.getSetCookie()]).toEqual([401, []]);
    const challengeToken = await challengeOf(wrong);
    const right = await post('/admin/jobs/sign-in/code', { challengeToken, code: backupCodes[0]! });
    expect([right.status, right.headers.get('location')]).toEqual([303, '/admin/jobs']);
    const cookie = right.headers.getSetCookie()[0]!.split(';')[0]!;
    expect((await get('/admin/jobs', cookie)).status).toBe(200);
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another host of the same site', { 'sec-fetch-site': 'same-site' }],
    ['another origin, of an older browser', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
  ])('take no form from %s', async (_, headers) => {
    const email = await person('ADMIN');
    const cookie = await signIn(email);
    const id = await failedJob();
    for (const path of [
      '/admin/jobs/sign-in',
      '/admin/jobs/sign-in/code',
      '/admin/jobs/sign-out',
      `/admin/jobs/${id}/retry`,
    ]) {
      const answer = await post(path, { email, password: PASSWORD }, { cookie, headers });
      expect([path, answer.status, answer.headers.getSetCookie()]).toEqual([path, 403, []]);
    }
    expect((await get('/admin/jobs', cookie)).status).toBe(200);
    expect(await server.ports.database('dead_jobs').where({ id: server.ports.ids.decode('job', id) })).toHaveLength(1);
  });

  it('answer bad input with 4xx', async () => {
    const cookie = await signIn(await person('ADMIN'));
    for (const path of ['?queue=none', '?status=x', '?cursor=made-up', `?name=${'n'.repeat(200)}`])
      expect([path, (await get(`/admin/jobs${path}`, cookie)).status]).toEqual([path, 400]);
    expect((await get('/admin/jobs/job_nonsense', cookie)).status).toBe(400);
    expect((await get(`/admin/jobs/${server.ports.ids.encode('job', 2 ** 40)}`, cookie)).status).toBe(404);
    expect((await post('/admin/jobs/sign-in', {})).status).toBe(400);
    expect((await post('/admin/jobs/sign-in', { email: 'x'.repeat(20_000) })).status).toBe(413);
    const json = await fetch(`${server.url}/admin/jobs/sign-in`, {
      method: 'POST',
      headers: { ...OWN, 'content-type': 'application/json' },
      body: '{"email":',
    });
    expect(json.status).toBe(415);
    expect((await get('/admin/jobs', '__Host-rentapi_operator=nonsense')).status).toBe(401);
  });

  it('have a policy without scripts, and are kept by no cache', async () => {
    const { headers } = await get('/admin/jobs');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'none'");
    expect(policy).toContain("form-action 'self'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('lead back to the page for which the sign-in was asked, and to no other', async () => {
    const asked = await get('/admin/billing');
    expect([asked.status, await asked.text()]).toEqual([401, expect.stringContaining('value="/admin/billing"')]);
    const email = await person('ADMIN');
    for (const [page, leadsTo] of [
      ['/admin/billing', '/admin/billing'],
      ['//evil.example', '/admin/jobs'],
      ['/admin/billing/../../x', '/admin/jobs'],
    ] as const) {
      const answer = await post('/admin/jobs/sign-in', { email, password: PASSWORD, page });
      expect([answer.status, answer.headers.get('location')]).toEqual([303, leadsTo]);
    }
  });

  it('are found where Agendash would be', async () => {
    const answer = await get('/admin/agendash/');
    expect([answer.status, answer.headers.get('location')]).toEqual([308, '/admin/jobs']);
  });
});

describe('the page of billing', () => {
  const billing = async () => (await get('/admin/billing', await signIn(await person('ADMIN')))).text();
  const database = () => server.ports.database;

  it('says whether the books balance, and since when that is known', async () => {
    await database().raw('/* across organizations */ delete from billing_faults');
    await database()('billing_checks').update({ checkedAt: null });
    expect(await billing()).toContain('have not been checked as a whole yet');
    await database()('billing_checks').update({ checkedAt: new Date(Date.now() - 3 * 3_600_000 - 60_000) });
    expect(await billing()).toMatch(/class="note good" role="status">The books balance, checked <time[^>]+>3 h ago</);
  });

  it('lists faults with their organization, and findings, without HTML of others', async () => {
    const now = new Date();
    await database()('billing_checks').update({ checkedAt: now });
    const fault = { kind: 'CREDIT_BALANCE', organizationId: 7, count: 2, foundAt: now, seenAt: now };
    await database()('billing_faults').insert(fault);
    const finding = { kind: 'UNKNOWN_OBJECT', provider: 'stripe', objectKind: 'charge', externalId: 'pi_<b>' };
    await database()('billing_findings').insert({ ...finding, foundAt: now, seenAt: now });
    const text = await billing();
    expect(text).toContain('The books do not balance');
    expect(text).toContain(server.ports.ids.encode('org', 7));
    expect(text).toContain('The balance of credits is not the sum of its ledger.');
    expect(text).toContain('pi_&#60;b&#62;');
    await database().raw('/* across organizations */ delete from billing_faults');
  });

  it('shows nothing to a user who is no administrator, and answers bad input with 400', async () => {
    const user = await get('/admin/billing', await signIn(await person('USER')));
    expect([user.status, await user.text()]).toEqual([403, expect.not.stringContaining('balance')]);
    const cookie = await signIn(await person('ADMIN'));
    expect((await get('/admin/billing?cursor=made-up', cookie)).status).toBe(400);
  });
});

describe.skipIf(chromiumIsMissing())('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(() => browser.close());

  async function signInThere(page: Page): Promise<void> {
    await page.goto(`${server.url}/admin/jobs`);
    await page.getByLabel('E-mail address').fill(await person('ADMIN'));
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  }

  it('an administrator without scripts signs in, looks at a failed job and retries it', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    const id = await failedJob();
    await signInThere(page);
    await page.getByLabel('Status').selectOption('FAILED');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.locator(`a[href="/admin/jobs/${id}"]`).click();
    await page.getByRole('heading', { level: 1, name: 'webhooks.sweep' }).waitFor();
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('cell', { name: 'WAITING' }).waitFor();
    expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Password').waitFor();
    await context.close();
  });

  it('axe finds no fault', async () => {
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    const faults = async (path: string) => {
      await page.goto(server.url + path);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
      return violations.map(({ id, nodes }) => [path, id, nodes.map(({ html }) => html)]);
    };
    expect(await faults('/admin/jobs')).toEqual([]);
    await signInThere(page);
    const id = await failedJob();
    expect(await faults('/admin/jobs')).toEqual([]);
    expect(await faults(`/admin/jobs/${id}`)).toEqual([]);
    expect(await faults('/admin/billing')).toEqual([]);
    await context.close();
  });
});
