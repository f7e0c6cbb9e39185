import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, overtake, statusAndCode } from '../../../test/organization.ts';
import { SoftAuthenticator } from '../../../test/passkey.ts';
import { giveWaysIn, waysIn } from '../../../test/ways-in.ts';
import { systemContext } from '../../context.ts';

/** Well-formed: on a busy machine the request may read it before its comparison. */
const HASH_OF_ANOTHER = `$2b$04$${'.'.repeat(53)}`;

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
const linksTo = (email: string, page: string) =>
  app.mails.filter(({ to, text }) => to === email && text.includes(`/${page}?token=`)).map(({ text }) => tokenIn(text));
const linkTo = (email: string, page: string, nth = 1) =>
  eventually(() => linksTo(email, page)[nth - 1], `link ${nth} of /${page}`);
const verify = async (email: string) => post('/auth/verify-email', { token: await linkTo(email, 'verify-email') });
const me = (accessToken: string) =>
  app.request('/api/v1/users/me', { headers: { authorization: `Bearer ${accessToken}` } });

describe('registration', () => {
  it('answers alike for a new and a taken address', async () => {
    const body = (email: string) => ({ email, password: 'another fine password', fullName: 'Eve' });
    const fresh = await post('/auth/register', body('new@example.com'));
    const taken = await post('/auth/register', body(ada.email));
    expect([taken.status, { ...taken.body, email: '' }]).toEqual([fresh.status, { ...fresh.body, email: '' }]);
    expect([...taken.headers.keys()]).toEqual([...fresh.headers.keys()]);
  });

  it('answers alike for known and unknown addresses, for any number of requests, with a username too', async () => {
    await verify(ada.email);
    const ask = async (email: string, username: string) => {
      const answers = [];
      for (let time = 0; time < 3; time++)
        answers.push(await post('/auth/register', { email, username, password: 'another fine password' }));
      return answers.map(({ status, body }) => [status, body.code ?? body.username]);
    };
    expect(await ask(ada.email, 'fresh')).toEqual([...Array(3)].map(() => [201, 'fresh']));
    expect(await ask('unknown@example.com', 'fresh')).toEqual(await ask(ada.email, 'fresh'));
  });

  const SIGMAS = ['ϲ', '𝛓', '𝜍', '𝝇', '𝞁', 'ς', 'Σ', 'Ϲ'];
  it.each(SIGMAS.entries().toArray())('mails the mailbox whose account it makes: %i, %s', async (at, label) => {
    const email = `Ada${at}@${label}.example.com`;
    await post('/auth/register', { email, password: 'another fine password' });
    const [stored] = await app.rows('users').where({ email });
    const mailed = await eventually(
      () => app.mails.find(({ to }) => to.startsWith(`Ada${at}@xn--`)),
      'a mail to the address',
    );
    expect(mailed.to.toLowerCase()).toBe(stored!.emailKey);
  });

  it('mails the owner of a verified account instead, without a token', async () => {
    await verify(ada.email);
    await post('/auth/register', { email: ada.email, password: 'another fine password' });
    const notice = await eventually(
      () => app.mails.find(({ to, subject }) => to === ada.email && /already/.test(subject)),
      'the notice',
    );
    expect(notice.text).not.toContain('token=');
    expect((await post('/auth/login', { email: ada.email, password: ada.password })).status).toBe(200);
  });

  it('gives one mailbox one account, whatever its case or Unicode form', async () => {
    for (const email of [
      'User@m\u00fcnchen.de',
      'user@mu\u0308nchen.de',
      'USER@M\u00dcNCHEN.DE',
      'user@xn--mnchen-3ya.de',
    ])
      expect((await post('/auth/register', { email, password: 'another fine password' })).status).toBe(201);
    expect(await app.rows('users').where({ emailKey: 'user@xn--mnchen-3ya.de' })).toHaveLength(1);
    expect((await app.mailTo('User@xn--mnchen-3ya.de')).subject).toBe('Confirm your e-mail address');
    const login = await post('/auth/login', { email: 'user@m\u00fcnchen.de', password: 'another fine password' });
    expect(login.body.user.email).toBe('User@m\u00fcnchen.de');
  });

  it('refuses an address that no mail reaches, in words', async () => {
    const { body } = await post('/auth/register', {
      email: 'jos\u00e9@example.com',
      password: 'another fine password',
    });
    expect(body.errors).toEqual([{ path: 'email', message: 'must have only ASCII characters before the @' }]);
  });

  it('creates one account of 20 concurrent registrations', async () => {
    const email = 'twenty@example.com';
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post('/auth/register', { email, password: 'another fine password' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(await app.rows('users').where({ email })).toHaveLength(1);
  });

  it('gives a username to the first account that verifies, in any case, also of two at once', async () => {
    const wishes = ['Turing', 'turing', 'TURING'].map((username, at) => ({ username, email: `${at}@turing.example` }));
    for (const wish of wishes)
      expect((await post('/auth/register', { ...wish, password: 'another fine password' })).status).toBe(201);
    const verified = await Promise.all(wishes.map(({ email }) => verify(email)));
    expect(verified.map(({ status }) => status)).toEqual([204, 204, 204]);
    const holders = await app.rows('users').whereRaw('lower(username) = ?', ['turing']);
    expect(holders).toHaveLength(1);
    expect(holders[0]).toMatchObject({ usernameKey: 'turing' });
    const late = await post('/auth/register', {
      email: 'late@example.com',
      username: 'tUring',
      password: 'another fine password',
    });
    expect([late.status, late.body.code]).toEqual([409, 'username_taken']);
  });

  it('refuses a megabyte of password before it reads it, over REST and tRPC', async () => {
    const password = '\ufdfa'.repeat(330_000);
    const normalize = vi.spyOn(String.prototype, 'normalize');
    const rest = await post('/auth/register', { email: 'mega@example.com', password });
    const trpc = await app.request('/trpc/auth.register', {
      method: 'POST',
      body: { email: 'mega@example.com', password },
    });
    const sizes = normalize.mock.contexts.map((text) => String(text).length);
    normalize.mockRestore();
    const errors = [{ path: 'password', message: 'must have at most 256 characters' }];
    expect([rest.status, rest.body.errors]).toEqual([400, errors]);
    expect([trpc.status, trpc.body.error.data.problem.errors]).toEqual([400, errors]);
    expect(Math.max(0, ...sizes)).toBeLessThan(2000);
  });

  it('refuses a common password, and one that is too short or too long, in words', async () => {
    for (const password of ['password123', 'short', 'x'.repeat(257)]) {
      const { status, body } = await post('/auth/register', { email: 'weak@example.com', password });
      expect([password.length, status, body.errors[0].path]).toEqual([password.length, 400, 'password']);
    }
  });

  it('counts characters, not bytes, and accepts all of them', async () => {
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

  it('confirms the registration it was mailed for, with its own password', async () => {
    const email = 'once@example.com';
    await post('/auth/register', { email, username: 'once', password: 'another fine password', fullName: 'Once' });
    expect((await verify(email)).status).toBe(204);
    const { body } = await post('/auth/login', { email, password: 'another fine password' });
    expect(body.user).toMatchObject({ username: 'once', fullName: 'Once' });
  });

  it.each([1, 2])('keeps no password of an address that was registered twice, by link %i', async (nth) => {
    const email = `victim-${nth}@example.com`;
    const attacker = { email, username: `eve-${nth}`, password: 'the password of eve', fullName: 'Eve' };
    const owner = { email, username: `vic-${nth}`, password: 'the password of vic', fullName: 'Vic' };
    await post('/auth/register', attacker);
    const first = await linkTo(email, 'verify-email');
    const { body: prepared } = await post('/auth/login', { email, password: attacker.password });
    const { body: key } = await app.request('/api/v1/api-keys', {
      method: 'POST',
      headers: { authorization: `Bearer ${prepared.accessToken}` },
      body: { name: 'back door', scopes: ['*'] },
    });
    await giveWaysIn(app, prepared.user.id);
    expect((await post('/auth/register', owner)).status).toBe(201);
    const second = await linkTo(email, 'verify-email', 2);

    expect((await post('/auth/verify-email', { token: [first, second][nth - 1] })).status).toBe(204);
    for (const { password } of [attacker, owner])
      expect((await post('/auth/login', { email, password })).body.code).toBe('invalid_credentials');
    expect((await me(prepared.accessToken)).body.code).toBe('session_revoked');
    expect((await post('/auth/refresh', { refreshToken: prepared.refreshToken })).status).toBe(401);
    const withKey = await app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
    expect(withKey.body.code).toBe('api_key_revoked');
    expect(await waysIn(app, prepared.user.id)).toEqual([]);
    expect((await post('/auth/verify-email', { token: [second, first][nth - 1] })).body.code).toBe('invalid_token');

    const token = await linkTo(email, 'reset-password');
    expect((await post('/auth/password-reset/confirm', { token, password: 'at last my own' })).status).toBe(204);
    const { body } = await post('/auth/login', { email, password: 'at last my own' });
    const { username, fullName } = [attacker, owner][nth - 1]!;
    expect(body.user).toMatchObject({ username, fullName });
    expect(body.user.emailVerifiedAt).not.toBeNull();
  });

  it('is mailed again when an address that is not verified is registered again', async () => {
    await linkTo(ada.email, 'verify-email');
    await post('/auth/register', { email: ada.email, password: 'another fine password' });
    expect(await linkTo(ada.email, 'verify-email', 2)).toBeTruthy();
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

  it('is required before the first login where the settings require it, but revealed only after the right password', async () => {
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

describe('a password reset', () => {
  const request = (email: string) => post('/auth/password-reset/request', { email });
  const confirm = (token: string, password = 'a new fine password') =>
    post('/auth/password-reset/confirm', { token, password });

  it('sets the password once, and ends every session and every other link', async () => {
    await request(ada.email);
    const first = await linkTo(ada.email, 'reset-password');
    await request(ada.email);
    const second = await linkTo(ada.email, 'reset-password', 2);
    expect((await confirm(second)).status).toBe(204);
    for (const token of [second, first]) expect((await confirm(token)).body.code).toBe('invalid_token');
    expect((await me(ada.tokens.accessToken)).body.code).toBe('session_revoked');
    expect((await post('/auth/login', { email: ada.email, password: ada.password })).status).toBe(401);
    const { body } = await post('/auth/login', { email: ada.email, password: 'a new fine password' });
    expect(body.user.emailVerifiedAt).not.toBeNull(); // the link came to the mailbox
    await eventually(
      () => app.mails.find(({ to, subject }) => to === ada.email && /was changed/.test(subject)),
      'the notice',
    );
  });

  it('ends what was made before the address was verified, and keeps what was made since', async () => {
    const key = (person: Person) =>
      person.request('/api/v1/api-keys', { method: 'POST', body: { name: 'own', scopes: ['*'] } });
    const owner = await app.signUp();
    await verify(owner.email);
    const [strange, own] = [await key(ada), await key(owner)];
    for (const person of [ada, owner]) {
      await giveWaysIn(app, person.id);
      await request(person.email);
      expect((await confirm(await linkTo(person.email, 'reset-password'))).status).toBe(204);
    }
    expect(await waysIn(app, ada.id)).toEqual([]);
    expect(await waysIn(app, owner.id)).toHaveLength(4);
    const codeOf = async (secret: string) =>
      (await app.request('/api/v1/api-keys', { headers: { 'x-api-key': secret } })).body.code;
    expect([await codeOf(strange.body.secret), await codeOf(own.body.secret)]).toEqual(['api_key_revoked', undefined]);
    expect((await post('/auth/login', { email: ada.email, password: 'a new fine password' })).body.user.id).toBe(
      ada.id,
    );
  });

  it('answers alike for an address without an account and a suspended one, which get no mail', async () => {
    const suspended = await app.signUp();
    await app.rows('users').where({ email: suspended.email }).update({ status: 'SUSPENDED' });
    const answers = [await request(ada.email), await request('nobody@example.com'), await request(suspended.email)];
    expect(answers.map(({ status, body }) => [status, body])).toEqual([...Array(3)].map(() => [202, '']));
    await linkTo(ada.email, 'reset-password');
    for (const email of ['nobody@example.com', suspended.email]) expect(linksTo(email, 'reset-password')).toEqual([]);
  });

  it('ends after an hour', async () => {
    await request(ada.email);
    const token = await linkTo(ada.email, 'reset-password');
    app.advance(3_600_000);
    const late = await confirm(token);
    app.advance(-3_600_000);
    expect(late.body.code).toBe('invalid_token');
  });

  it('accepts no verification token, and its own tokens verify no address', async () => {
    await request(ada.email);
    const [verification, reset] = [await linkTo(ada.email, 'verify-email'), await linkTo(ada.email, 'reset-password')];
    expect((await confirm(verification)).body.code).toBe('invalid_token');
    expect((await post('/auth/verify-email', { token: reset })).body.code).toBe('invalid_token');
  });

  it('succeeds once for 20 concurrent requests', async () => {
    await request(ada.email);
    const token = await linkTo(ada.email, 'reset-password');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => confirm(token, `password number ${at}`)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  });

  it('refuses a common password and keeps the link', async () => {
    await request(ada.email);
    const token = await linkTo(ada.email, 'reset-password');
    expect((await confirm(token, 'password123')).body.errors[0].path).toBe('password');
    expect((await confirm(token)).status).toBe(204);
  });

  it('is served under the old paths', async () => {
    expect((await post('/auth/forgot-password', { email: ada.email })).status).toBe(202);
    const token = await linkTo(ada.email, 'reset-password');
    const answer = await post('/auth/reset-password', { token, password: 'a new fine password' });
    expect([answer.status, answer.headers.get('link')]).toEqual([
      204,
      '</api/v1/auth/password-reset/confirm>; rel="successor-version"',
    ]);
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

  it('is limited per source, for all addresses together', async () => {
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
    expect((await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken })).body.code).toBe(
      'invalid_refresh_token',
    );
  });
});

describe('a request in flight', () => {
  const overtakenBy = (request: () => ReturnType<typeof post>, fields: object) =>
    overtake(app, {
      lock: (db) => db('users').where({ email: ada.email }).forUpdate(),
      request,
      change: (db) => db('users').where({ email: ada.email }).update(fields),
    });

  it.each([
    ['the password is reset', { passwordHash: HASH_OF_ANOTHER }, 'invalid_credentials', 401],
    ['the password is removed', { passwordHash: null }, 'invalid_credentials', 401],
    ['the account is suspended', { status: 'SUSPENDED' }, 'account_inactive', 403],
  ])('proves nothing with a password when %s after the comparison', async (_, fields, code, status) => {
    const { email, password } = ada;
    const body = { password };
    const sessions = () => app.rows('sessions').where({ userId: app.ports.ids.decode('usr', ada.id) });
    const before = await sessions();
    const login = await overtakenBy(() => post('/auth/login', { email, password }), fields);
    expect(statusAndCode(login)).toEqual([status, code]);
    ada = await app.signUp();
    const again = await overtakenBy(() => ada.request('/api/v1/auth/reauthenticate', { method: 'POST', body }), fields);
    expect(statusAndCode(again)).toEqual([status, code]);
    expect(before).toHaveLength(1);
    expect(await app.rows('sessions').where({ userId: before[0]!.userId })).toEqual(before);
  });

  it('does not renew a session that ends meanwhile', async () => {
    const sessions = (db: TestApp['rows']) => db('sessions').where({ userId: app.ports.ids.decode('usr', ada.id) });
    const answer = await overtake(app, {
      lock: (db) => sessions(db).forUpdate(),
      request: () => ada.request('/api/v1/auth/reauthenticate', { method: 'POST', body: { password: ada.password } }),
      change: (db) => sessions(db).update({ revokedAt: new Date() }),
    });
    expect(statusAndCode(answer)).toEqual([401, 'session_revoked']);
  });

  it.each<[string, (account: { passkey: object }) => [method: string, path: string, body?: object]]>([
    ['a passkey', ({ passkey }) => ['POST', '/auth/passkeys/register', passkey]],
    ['a removed passkey', () => ['DELETE', `/auth/passkeys/${app.ports.ids.encode('psk', 1)}`]],
    ['an app', () => ['POST', '/auth/2fa/enable']],
    ['a confirmed app', () => ['POST', '/auth/2fa/verify', { code: '000000' }]],
    ['backup codes', () => ['POST', '/auth/2fa/backup-codes']],
    ['a removed provider', () => ['DELETE', '/users/me/identities/github']],
    [
      'a password',
      () => ['POST', '/auth/password/change', { currentPassword: ada.password, newPassword: 'a new one' }],
    ],
    ['an address', () => ['POST', '/users/me/email', { email: 'eve@example.com' }]],
    ['an export', () => ['POST', '/users/me/export']],
    ['a name', () => ['PATCH', '/users/me', { fullName: 'Eve' }]],
  ])('leaves no trace of a session that ends meanwhile: %s', async (_, describeRequest) => {
    const { body } = await ada.request('/api/v1/auth/passkeys/register/options', { method: 'POST' });
    const { challengeToken, options } = body;
    const credential = new SoftAuthenticator(app.ports.env.PUBLIC_URL).create(options);
    const [method, path, sent] = describeRequest({ passkey: { challengeToken, credential } });
    const answer = await overtake(app, {
      lock: (db) => db('users').where({ email: ada.email }).forUpdate(),
      request: () => ada.request(`/api/v1${path}`, { method, ...(sent && { body: sent }) }),
      change: (db) =>
        db('sessions')
          .where({ userId: app.ports.ids.decode('usr', ada.id) })
          .update({ revokedAt: new Date() }),
    });
    expect(statusAndCode(answer)).toEqual([401, 'session_revoked']);
  });

  it('leaves no live key behind a password reset that revokes the keys of the account', async () => {
    const acme = await makeOrganization(app, ada);
    await app.rows('users').where({ email: ada.email }).update({ registeredAgainAt: new Date() });
    await post('/auth/password-reset/request', { email: ada.email });
    const token = await linkTo(ada.email, 'reset-password');
    const reset: { answer?: ReturnType<typeof post> } = {};
    await acme.overtaken(
      () => acme.as(ada)('/api/v1/api-keys', { method: 'POST', body: { name: 'souvenir', scopes: ['members:*'] } }),
      async (db) => {
        reset.answer = post('/auth/password-reset/confirm', { token, password: 'a new fine password' });
        const bothWait = async () => {
          const rows = await db('pg_stat_activity').whereRaw('datname = current_database() and wait_event_type = ?', [
            'Lock',
          ]);
          return rows.length >= 2 ? true : undefined;
        };
        await Promise.race([reset.answer, eventually(bothWait, 'the reset to wait')]);
      },
    );
    expect((await reset.answer)?.status).toBe(204);
    const keys = app.rows('api_keys').where({ organizationId: acme.organizationId });
    expect(await keys.whereNull('revokedAt').select('id')).toEqual([]);
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

  it('needs a new access token after 15 minutes, although the old one was accepted just before', async () => {
    expect((await me(ada.tokens.accessToken)).status).toBe(200);
    app.advance(15 * 60_000);
    expect((await me(ada.tokens.accessToken)).body.code).toBe('access_token_expired');
    expect((await me(ada.tokens.accessToken)).body.code).toBe('access_token_expired');
    app.advance(-15 * 60_000);
  });

  it('continues with each refresh, whose token works once', async () => {
    const first = await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    expect(first.status).toBe(200);
    expect(first.body.refreshToken).not.toBe(ada.tokens.refreshToken);
    expect((await me(first.body.accessToken)).status).toBe(200);
    expect((await post('/auth/refresh', { refreshToken: first.body.refreshToken })).status).toBe(200);
  });

  it('gives 50 concurrent refreshes the same child', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post('/auth/refresh', { refreshToken: ada.tokens.refreshToken })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
  });

  it('ends when a used token comes back after the grace period', async () => {
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

  it('ends when a grandparent comes back, even within the grace period', async () => {
    const { body: child } = await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    const { body: grandchild } = await post('/auth/refresh', { refreshToken: child.refreshToken });
    expect((await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken })).status).toBe(401);
    expect((await me(grandchild.accessToken)).body.code).toBe('session_revoked');
  });

  it('keeps the child of a used token readable during the grace period, and then erases it', async () => {
    await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    const sessions = app.rows('sessions').where({ userId: app.ports.ids.decode('usr', ada.id) });
    const sealed = () =>
      app.rows('refresh_tokens').whereIn('sessionId', sessions.clone().select('id')).whereNotNull('childSealed');
    const job = app.ports.jobs.all.find(({ name }) => name === 'auth.erase_sealed_tokens')!;
    const erase = async () => {
      const ctx = systemContext(app.ports, 'test');
      await job.run(ctx, { at: ctx.now }, runControl());
    };
    await erase();
    expect(await sealed()).toHaveLength(1);
    app.advance(60_000);
    await erase();
    app.advance(-60_000);
    expect(await sealed()).toEqual([]);
    expect(job.every).toBe('1 minute');
  });

  it('stores only hashes of its tokens', async () => {
    await post('/auth/refresh', { refreshToken: ada.tokens.refreshToken });
    const kept = await Promise.all(['refresh_tokens', 'sessions'].map((table) => app.rows(table)));
    expect(JSON.stringify(kept)).not.toContain(ada.tokens.refreshToken);
  });
});
