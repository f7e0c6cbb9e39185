import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { systemContext } from '../../context.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp({ REQUIRE_EMAIL_VERIFICATION: 'false' });
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const post = (path: string, body: object, headers?: Record<string, string>) =>
  app.request(`/api/v1${path}`, { method: 'POST', body, ...(headers && { headers }) });
const tokenIn = (text: string) => /token=([\w-]+)/.exec(text)![1]!;
const me = (accessToken: string) =>
  app.request('/api/v1/users/me', { headers: { authorization: `Bearer ${accessToken}` } });

describe('registration', () => {
  it('answers alike for a new and a taken address, and tells only the owner', async () => {
    const body = (email: string) => ({ email, password: 'another fine password', fullName: 'Eve' });
    const fresh = await post('/auth/register', body('new@example.com'));
    const taken = await post('/auth/register', body(ada.email));
    expect([taken.status, { ...taken.body, email: '' }]).toEqual([fresh.status, { ...fresh.body, email: '' }]);
    expect([...taken.headers.keys()]).toEqual([...fresh.headers.keys()]);
    const told = await eventually(
      () => app.mails.find(({ to, subject }) => to === ada.email && /already/.test(subject)),
      'the notice',
    );
    expect(told.text).not.toContain('token=');
  });

  it('gives one mailbox one account, whatever its case or Unicode form', async () => {
    await post('/auth/register', { email: 'Jose\u0301@Example.com', password: 'another fine password' });
    await post('/auth/register', { email: 'JOS\u00c9@example.COM', password: 'another fine password' });
    expect((await app.rows('users').where('email_key', 'like', 'jos%')).length).toBeLessThanOrEqual(1);
  });

  it('makes one account of 20 registrations at once', async () => {
    const email = 'twenty@example.com';
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post('/auth/register', { email, password: 'another fine password' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(await app.rows('users').where({ email })).toHaveLength(1);
  });

  it('takes a username once, in any case, also by two at once', async () => {
    const take = (username: string) =>
      post('/auth/register', {
        email: `${username}-${Math.random()}@example.com`,
        username,
        password: 'another fine password',
      });
    const answers = await Promise.all([take('Turing'), take('turing'), take('TURING')]);
    expect(answers.map(({ status, body }) => body.code ?? status).sort()).toEqual([
      201,
      'username_taken',
      'username_taken',
    ]);
  });

  it('refuses a common password, and one that is too short or too long, in words', async () => {
    for (const password of ['password123', 'short', 'x'.repeat(257)]) {
      const { status, body } = await post('/auth/register', { email: 'weak@example.com', password });
      expect([password.length, status, body.errors[0].path]).toEqual([password.length, 400, 'password']);
    }
  });

  it('counts characters, not bytes, and takes any of them', async () => {
    expect((await post('/auth/register', { email: 'emoji@example.com', password: '🦊🦊🦊🦊🦊🦊🦊🦊' })).status).toBe(
      201,
    );
    expect((await post('/auth/login', { email: 'emoji@example.com', password: '🦊🦊🦊🦊🦊🦊🦊🦊' })).status).toBe(200);
  });

  it('does not cut a password off after 72 bytes', async () => {
    const long = 'a long passphrase '.repeat(6);
    await post('/auth/register', { email: 'long@example.com', password: `${long}one` });
    expect((await post('/auth/login', { email: 'long@example.com', password: `${long}two` })).status).toBe(401);
  });
});

describe('e-mail verification', () => {
  it('works once, with the mailed token', async () => {
    const token = tokenIn((await app.mailTo(ada.email)).text);
    expect((await post('/auth/verify-email', { token })).status).toBe(204);
    expect((await me(ada.tokens.accessToken)).body.emailVerifiedAt).not.toBeNull();
    const again = await post('/auth/verify-email', { token });
    expect([again.status, again.body.code]).toEqual([400, 'invalid_token']);
  });

  it('ends after a day', async () => {
    const token = tokenIn((await app.mailTo(ada.email)).text);
    app.advance(25 * 3_600_000);
    const late = await post('/auth/verify-email', { token });
    app.advance(-25 * 3_600_000);
    expect(late.body.code).toBe('invalid_token');
  });

  it('is mailed again on request, with the same answer for an address without an account', async () => {
    await app.mailTo(ada.email);
    const asked = await post('/auth/resend-verification', { email: ada.email });
    const unknown = await post('/auth/resend-verification', { email: 'nobody@example.com' });
    expect([asked.status, asked.body]).toEqual([unknown.status, unknown.body]);
    await eventually(
      () => (app.mails.filter(({ to }) => to === ada.email).length >= 2 ? true : undefined),
      'a second mail',
    );
  });

  it('leaves no token in the events or the audit log', async () => {
    const token = tokenIn((await app.mailTo(ada.email)).text);
    const kept = await Promise.all(
      ['events', 'audit_logs', 'outbox', 'verification_tokens'].map((table) => app.rows(table)),
    );
    expect(JSON.stringify(kept)).not.toContain(token);
  });

  it('is asked for before the first login where it is required, but only of those who know the password', async () => {
    const strict = await startApp({ REQUIRE_EMAIL_VERIFICATION: 'true' });
    const credentials = { email: 'bob@example.com', password: 'another fine password' };
    const send = (path: string, body: object) => strict.request(`/api/v1${path}`, { method: 'POST', body });
    expect((await send('/auth/register', credentials)).body.verificationRequired).toBe(true);
    expect((await send('/auth/login', { ...credentials, password: 'wrong' })).body.code).toBe('invalid_credentials');
    expect((await send('/auth/login', credentials)).body.code).toBe('email_not_verified');
    await send('/auth/verify-email', { token: tokenIn((await strict.mailTo(credentials.email)).text) });
    expect((await send('/auth/login', credentials)).status).toBe(200);
    await strict.close();
  });
});

describe('login', () => {
  it('answers alike for an unknown address and a wrong password', async () => {
    const wrong = await post('/auth/login', { email: ada.email, password: 'wrong password' });
    const unknown = await post('/auth/login', { email: 'nobody@example.com', password: 'wrong password' });
    expect([wrong.status, { ...wrong.body, requestId: '' }]).toEqual([
      unknown.status,
      { ...unknown.body, requestId: '' },
    ]);
    expect(wrong.body.code).toBe('invalid_credentials');
  });

  it('is limited per source, whatever the address tried', async () => {
    const strict = await startApp({ AUTH_RATE_LIMIT_PER_MINUTE: '3' });
    const guess = (at: number, ip: string) =>
      strict.request('/api/v1/auth/login', {
        method: 'POST',
        headers: { 'x-test-ip': ip },
        body: { email: `u${at}@example.com`, password: 'x' },
      });
    const answers = [];
    for (let at = 0; at < 4; at++) answers.push((await guess(at, '2001:db8:1:2::1')).status);
    expect(answers).toEqual([401, 401, 401, 429]);
    expect((await guess(5, '2001:db8:1:2:ffff::9')).status).toBe(429); // the same /64
    expect((await guess(6, '2001:db8:1:3::1')).status).toBe(401);
    await strict.close();
  });

  it('is refused to a suspended account, and so is every session it has', async () => {
    await app.rows('users').where({ email: ada.email }).update({ status: 'SUSPENDED' });
    expect((await post('/auth/login', { email: ada.email, password: ada.password })).body.code).toBe(
      'account_inactive',
    );
    expect((await me(ada.tokens.accessToken)).body.code).toBe('account_inactive');
  });
});

describe('a session', () => {
  it('ends with logout, for its access and its refresh token, at once', async () => {
    expect((await ada.request('/api/v1/auth/logout', { method: 'POST' })).status).toBe(204);
    expect((await me(ada.tokens.accessToken)).body.code).toBe('session_revoked');
    expect((await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken })).body.code).toBe(
      'invalid_refresh_token',
    );
  });

  it('needs a new access token after a quarter of an hour, though the old one was just found good', async () => {
    expect((await me(ada.tokens.accessToken)).status).toBe(200);
    app.advance(15 * 60_000);
    expect((await me(ada.tokens.accessToken)).body.code).toBe('access_token_expired');
    expect((await me(ada.tokens.accessToken)).body.code).toBe('access_token_expired');
    app.advance(-15 * 60_000);
  });

  it('goes on with each refresh, whose token works once', async () => {
    const first = await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    expect(first.status).toBe(200);
    expect(first.body.refreshToken).not.toBe(ada.tokens.refreshToken);
    expect((await me(first.body.accessToken)).status).toBe(200);
    expect((await post('/auth/refresh', { refreshToken: first.body.refreshToken })).status).toBe(200);
  });

  it('gives 50 refreshes at once the same child', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post('/auth/refresh', { refreshToken: ada.tokens.refreshToken })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
  });

  it('ends when a used token comes back after the grace', async () => {
    const { body: child } = await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    app.advance(11_000);
    const replay = await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    expect(replay.body.code).toBe('invalid_refresh_token');
    expect((await post('/auth/refresh', { refreshToken: child.refreshToken })).body.code).toBe('invalid_refresh_token');
    expect((await me(child.accessToken)).body.code).toBe('session_revoked');
    app.advance(-11_000);
    const noted = await app.rows('audit_logs').where({ action: 'session.refresh_token_replayed' });
    expect(noted.length).toBeGreaterThan(0);
  });

  it('ends when a grandparent comes back, even within the grace', async () => {
    const { body: child } = await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    const { body: grandchild } = await post('/auth/refresh', { refreshToken: child.refreshToken });
    expect((await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken })).status).toBe(401);
    expect((await me(grandchild.accessToken)).body.code).toBe('session_revoked');
  });

  it('keeps the child of a used token readable with it for the grace, and erases it then', async () => {
    await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    const sessions = app.rows('sessions').where({ userId: app.ports.ids.decode('usr', ada.id) });
    const sealed = () =>
      app.rows('refresh_tokens').whereIn('sessionId', sessions.clone().select('id')).whereNotNull('childSealed');
    const job = app.ports.jobs.all.find(({ name }) => name === 'auth.erase_sealed_tokens')!;
    const erase = async () => {
      const ctx = systemContext(app.ports, 'test');
      await job.run(ctx, { at: ctx.now }, { touch() {}, signal: new AbortController().signal });
    };
    await erase();
    expect(await sealed()).toHaveLength(1);
    app.advance(60_000);
    await erase();
    app.advance(-60_000);
    expect(await sealed()).toEqual([]);
    expect(job.every).toBe('1 minute');
  });

  it('keeps only hashes of its tokens', async () => {
    await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    const kept = await Promise.all(['refresh_tokens', 'sessions'].map((table) => app.rows(table)));
    expect(JSON.stringify(kept)).not.toContain(ada.tokens.refreshToken);
  });
});
