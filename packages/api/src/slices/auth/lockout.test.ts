import { readdirSync, readFileSync } from 'node:fs';
import { newToken, tokenHash } from '@rentapi/platform/tokens';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';

const HOME = '192.0.2.10';
const MINUTE_MS = 60_000;
const WRONG = 'not the one';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const login = (email: string, password: string, ip = '203.0.113.66', process = app) =>
  process.request('/api/v1/auth/login', {
    method: 'POST',
    body: { email, password },
    headers: { 'x-test-ip': ip, 'user-agent': 'lockout/1' },
  });
const fail = async (email: string, times: number, ip?: string) => {
  for (let time = 0; time < times; time++) await login(email, WRONG, ip);
};
const kindsOf = async (person: Person): Promise<string[]> =>
  (await person.request('/api/v1/users/me/activity?limit=100')).body.items.map(({ kind }: { kind: string }) => kind);

describe('an address', () => {
  it('is locked after five wrong passwords, for 30 minutes, and answers the right one as a wrong one', async () => {
    await fail(ada.email, 4);
    expect((await login(ada.email, ada.password)).status).toBe(200);
    const other = '198.51.100.1';
    await fail(ada.email, 5, other);
    const locked = await login(ada.email, ada.password, other);
    expect(statusAndCode(locked)).toEqual([401, 'invalid_credentials']);
    app.advance(29 * MINUTE_MS);
    expect((await login(ada.email, ada.password, other)).status).toBe(401);
    app.advance(MINUTE_MS);
    expect((await login(ada.email, ada.password, other)).status).toBe(200);
    app.advance(-30 * MINUTE_MS);
  });

  it('is locked for 30 minutes from the fifth wrong password, not from the first', async () => {
    await fail(ada.email, 4);
    app.advance(20 * MINUTE_MS);
    await fail(ada.email, 1);
    app.advance(25 * MINUTE_MS);
    expect((await login(ada.email, ada.password)).status).toBe(401);
    app.advance(-45 * MINUTE_MS);
  });

  it('is not locked by five wrong passwords that took longer than 30 minutes', async () => {
    await fail(ada.email, 4);
    app.advance(30 * MINUTE_MS);
    await fail(ada.email, 4);
    expect((await login(ada.email, ada.password)).status).toBe(200);
    app.advance(-30 * MINUTE_MS);
  });

  it.each(['known', 'unknown'])('has exactly five of 100 parallel guesses compared, if it is %s', async (which) => {
    const email = which === 'known' ? ada.email : `${crypto.randomUUID()}@example.com`;
    const [before] = await app.rows('security_events').where({ kind: 'login_failed' }).count();
    const answers = await Promise.all(Array.from({ length: 100 }, () => login(email, WRONG)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    const [after] = await app.rows('security_events').where({ kind: 'login_failed' }).count();
    expect(Number(after!['count']) - Number(before!['count'])).toBe(5);
    expect((await login(email, ada.password)).status).toBe(401);
  });

  it('accepts the right password many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => login(ada.email, ada.password)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  });

  it('costs the database nothing while it waits for its turn', async () => {
    const compare = vi.spyOn(app.ports.passwords, 'compare');
    const held = Promise.withResolvers<void>();
    compare.mockImplementation(async () => {
      await held.promise;
      return { right: false, outdated: false };
    });
    const emails = Array.from({ length: 40 }, () => `${crypto.randomUUID()}@example.com`);
    const [before] = await app.rows('sign_in_attempts').count();
    const answers = Promise.all(emails.map((email) => login(email, WRONG)));
    await eventually(async () => (compare.mock.calls.length > 0 ? true : undefined), 'the first comparison');
    for (let time = 0; time < 20; time++) await app.request('/health'); // time in which the others would begin
    const [during] = await app.rows('sign_in_attempts').count();
    expect(Number(during!['count']) - Number(before!['count'])).toBeLessThan(20);
    held.resolve();
    compare.mockRestore();
    expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([401]));
  });

  it('is locked in every process', async () => {
    const other = await startApp({}, app);
    try {
      await fail(ada.email, 3);
      for (let time = 0; time < 2; time++) await login(ada.email, WRONG, undefined, other);
      expect((await login(ada.email, ada.password)).status).toBe(401);
      expect((await login(ada.email, ada.password, undefined, other)).status).toBe(401);
    } finally {
      await other.close();
    }
  });

  it('is compared whatever its case', async () => {
    for (const email of [ada.email, ada.email.toUpperCase()]) await fail(email, 3);
    expect((await login(ada.email, ada.password)).status).toBe(401);
  });

  it('is stored as a keyed hash', async () => {
    await fail(ada.email, 1);
    expect(JSON.stringify(await app.rows('sign_in_attempts'))).not.toContain(ada.email);
  });
});

describe('a known source', () => {
  it.each([
    ['an IPv4 address', HOME, HOME],
    ['another address of an IPv6 /64', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
  ])('stays open while strangers lock the account: %s', async (_, signedInAt, home) => {
    await login(ada.email, ada.password, signedInAt);
    for (let stranger = 1; stranger <= 6; stranger++) await fail(ada.email, 2, `198.51.100.${stranger}`);
    expect((await login(ada.email, ada.password, '198.51.100.99')).status).toBe(401);
    expect((await login(ada.email, ada.password, home)).status).toBe(200);
  });

  it('has five tries of its own, and no more', async () => {
    await login(ada.email, ada.password, HOME);
    await fail(ada.email, 5, HOME);
    expect((await login(ada.email, ada.password, HOME)).status).toBe(401);
    expect((await login(ada.email, ada.password, '198.51.100.7')).status).toBe(200);
  });

  it('is a stranger after 30 days without a sign-in', async () => {
    await login(ada.email, ada.password, HOME);
    app.advance(30 * 24 * 60 * MINUTE_MS);
    await fail(ada.email, 5, '198.51.100.8');
    expect((await login(ada.email, ada.password, HOME)).status).toBe(401);
    app.advance(-30 * 24 * 60 * MINUTE_MS);
  });
});

describe('a locked bucket', () => {
  it('hashes and writes as a wrong password does, with and without an account (V6.3.4)', async () => {
    const unknown = `${crypto.randomUUID()}@example.com`;
    const work = async (email: string) => {
      const matches = vi.spyOn(app.ports.passwords, 'compare');
      const statements: string[] = [];
      const listen = ({ sql }: { sql: string }) => void (/sign_in_attempts/.test(sql) && statements.push(sql));
      app.ports.database.on('query', listen);
      await login(email, WRONG);
      app.ports.database.off('query', listen);
      const hashes = matches.mock.calls.length;
      matches.mockRestore();
      return { hashes, reservations: statements.length };
    };
    const first = [await work(ada.email), await work(unknown)];
    expect(first[0]).toEqual(first[1]);
    for (const email of [ada.email, unknown]) await fail(email, 4);
    const locked = [await work(ada.email), await work(unknown)];
    expect(locked).toEqual(Array(2).fill({ hashes: 1, reservations: 2 }));
  });

  it('gives an attempt back that was not compared', async () => {
    const matches = vi.spyOn(app.ports.passwords, 'compare').mockRejectedValue(new ApiError('overloaded'));
    for (let time = 0; time < 6; time++) expect((await login(ada.email, WRONG)).status).toBe(503);
    matches.mockRestore();
    expect((await login(ada.email, ada.password)).status).toBe(200);
  });

  it('is paid into by every operation that takes a password (V6.3.4)', async () => {
    for (let time = 0; time < 5; time++)
      await ada.request('/api/v1/auth/reauthenticate', { method: 'POST', body: { password: WRONG } });
    const right = await ada.request('/api/v1/auth/reauthenticate', {
      method: 'POST',
      body: { password: ada.password },
    });
    expect(statusAndCode(right)).toEqual([401, 'invalid_credentials']);
  });

  it('guards every place where a password is compared (V6.3.4)', () => {
    const src = new URL('../../', import.meta.url);
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
    );
    const comparing = files.filter((name) =>
      /passwords\.compare\(|bcrypt\.compare/.test(readFileSync(new URL(name, src), 'utf8')),
    );
    expect(comparing.sort()).toEqual(['slices/auth/passwords.ts', 'slices/auth/service/lockout.ts']);
  });
});

describe('the owner', () => {
  it('is mailed once, and sees the lockout with the address of the last guess', async () => {
    await fail(ada.email, 8);
    const mail = await eventually(
      () => app.mails.find(({ to, subject }) => to === ada.email && subject === 'Too many wrong passwords'),
      'the mail',
    );
    expect(mail.text).toContain('the address 203.0.113.66 on ');
    expect(mail.text).toContain('For 30 minutes,');
    const { items } = (await ada.request('/api/v1/users/me/activity')).body;
    const locked = items.filter(({ kind }: { kind: string }) => kind === 'account_locked');
    expect(locked).toMatchObject([{ ip: '203.0.113.66', userAgent: 'lockout/1' }]);
  });

  it('is not mailed twice by a job that runs twice', async () => {
    const job = app.ports.jobs.all.find(({ name }) => name === 'auth.notice_lockout')!;
    const requester = { ip: '203.0.113.9', userAgent: null, requestId: 'twice', at: new Date().toISOString() };
    const control = runControl();
    for (let run = 0; run < 2; run++)
      await job.run(systemContext(app.ports, 'test'), { email: ada.email, requester }, control);
    expect((await kindsOf(ada)).filter((kind) => kind === 'account_locked')).toHaveLength(1);
    expect(await app.rows('audit_logs').where({ requestId: 'twice' })).toHaveLength(1);
  });

  it('logs in again at once after a reset of the password', async () => {
    await fail(ada.email, 5);
    await app.request('/api/v1/auth/password-reset/request', { method: 'POST', body: { email: ada.email } });
    const { text } = await eventually(
      () => app.mails.find((mail) => mail.to === ada.email && mail.text.includes('/reset-password?token=')),
      'the link',
    );
    const token = /token=([\w-]+)/.exec(text)![1];
    const password = 'a new one after the lock';
    await app.request('/api/v1/auth/password-reset/confirm', { method: 'POST', body: { token, password } });
    expect((await login(ada.email, password)).status).toBe(200);
  });
});

describe('the link of the mail', () => {
  const unlock = (token: string) => app.request('/api/v1/auth/unlock', { method: 'POST', body: { token } });
  const lockoutMails = () =>
    app.mails.filter(({ to, subject }) => to === ada.email && subject === 'Too many wrong passwords');
  /** From one network, and the token that is mailed then. */
  const lockOut = async (ip = '203.0.113.66') => {
    const before = lockoutMails().length;
    await fail(ada.email, 5, ip);
    const { text } = await eventually(() => lockoutMails()[before], 'the mail');
    return /\/unlock\?token=([\w-]+)/.exec(text)![1]!;
  };

  it('ends the lockout for every network, which is recorded', async () => {
    const token = await lockOut();
    expect((await login(ada.email, ada.password)).status).toBe(401);
    expect((await unlock(token)).status).toBe(204);
    expect((await login(ada.email, ada.password)).status).toBe(200);
    expect((await login(ada.email, ada.password, '198.51.100.44')).status).toBe(200);
    expect(await kindsOf(ada)).toContain('account_unlocked_by_link');
    const targetId = app.ports.ids.decode('usr', ada.id);
    expect(await app.rows('audit_logs').where({ action: 'user.unlocked', targetId })).toHaveLength(1);
  });

  it('works once, so that guessers get five more tries at most', async () => {
    const token = await lockOut();
    const answers = await Promise.all([unlock(token), unlock(token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 400]);
    await fail(ada.email, 5);
    expect(statusAndCode(await unlock(token))).toEqual([400, 'invalid_token']);
    expect((await login(ada.email, ada.password)).status).toBe(401);
  });

  it('ends with the link of another lockout', async () => {
    const token = await lockOut();
    const [{ id, ...row }] = (await app.rows('verification_tokens').where({ tokenHash: tokenHash(token) })) as [
      Record<string, unknown>,
    ];
    const other = newToken();
    await app.rows('verification_tokens').insert({ ...row, tokenHash: tokenHash(other) });
    expect((await unlock(other)).status).toBe(204);
    expect(statusAndCode(await unlock(token))).toEqual([400, 'invalid_token']);
  });

  it('is refused after an hour, with a wrong token, and with a link for something else', async () => {
    const token = await lockOut();
    app.advance(60 * MINUTE_MS);
    expect(statusAndCode(await unlock(token))).toEqual([400, 'invalid_token']);
    app.advance(-60 * MINUTE_MS);
    expect(statusAndCode(await unlock('not a token'))).toEqual([400, 'invalid_token']);
    const verification = app.mails.find(({ to, text }) => to === ada.email && text.includes('/verify-email?'))!;
    const [, ofAnotherPurpose] = /token=([\w-]+)/.exec(verification.text)!;
    expect(statusAndCode(await unlock(ofAnotherPurpose!))).toEqual([400, 'invalid_token']);
  });

  it('opens nothing else', async () => {
    const token = await lockOut();
    const elsewhere: [string, object][] = [
      ['/verify-email', { token }],
      ['/password-reset/confirm', { token, password: 'a new one after the lock' }],
      ['/email-change/confirm', { token }],
      ['/2fa/reset/object', { token }],
    ];
    for (const [path, body] of elsewhere)
      expect(statusAndCode(await app.request(`/api/v1/auth${path}`, { method: 'POST', body }))).toEqual([
        400,
        'invalid_token',
      ]);
    expect((await unlock(token)).status).toBe(204);
  });

  it('is refused for an account that may not sign in', async () => {
    const token = await lockOut();
    const id = app.ports.ids.decode('usr', ada.id);
    await app.rows('users').where({ id }).update({ status: 'SUSPENDED' });
    expect(statusAndCode(await unlock(token))).toEqual([400, 'invalid_token']);
  });

  it.each(['account_unlocked', 'password_reset'])('is not mailed any more after %s', async (kind) => {
    const userId = app.ports.ids.decode('usr', ada.id);
    const job = app.ports.jobs.all.find(({ name }) => name === 'auth.mail_lockout')!;
    const { body: user } = await ada.request('/api/v1/users/me');
    const createdAt = app.ports.clock.now();
    await app.rows('security_events').insert({ userId, kind, details: {}, requestId: 'ended', createdAt });
    const event = { id: 2 ** 41, organizationId: null, type: 'user.locked', data: { ...user, ip: HOME }, createdAt };
    await job.run(systemContext(app.ports, 'test'), event, runControl());
    expect(lockoutMails().map(({ text }) => text.includes('/unlock?'))).toEqual([false]);
  });
});

describe('an administrator', () => {
  const unlock = (staff: Person, id: string) => staff.request(`/api/v1/admin/users/${id}/unlock`, { method: 'POST' });
  const makeAdmin = async () => {
    const staff = await app.signUp();
    const id = app.ports.ids.decode('usr', staff.id);
    await app.rows('users').where({ id }).update({ role: 'ADMIN' });
    return staff;
  };

  it('ends a lockout, which is recorded', async () => {
    const staff = await makeAdmin();
    await fail(ada.email, 5);
    expect((await unlock(staff, ada.id)).status).toBe(204);
    expect((await login(ada.email, ada.password)).status).toBe(200);
    expect(await kindsOf(ada)).toContain('account_unlocked');
    const targetId = app.ports.ids.decode('usr', ada.id);
    const [entry] = await app.rows('audit_logs').where({ action: 'user.unlocked', targetId });
    expect(entry).toMatchObject({ actorKind: 'user', actorId: app.ports.ids.decode('usr', staff.id) });
  });

  it('needs a recent login, and the permission', async () => {
    expect(statusAndCode(await unlock(ada, ada.id))).toEqual([403, 'permission_denied']);
    const staff = await makeAdmin();
    await app.ageLogins(staff.id, 11 * MINUTE_MS);
    expect(statusAndCode(await unlock(staff, ada.id))).toEqual([403, 'reauthentication_required']);
  });
});

describe('a new device', () => {
  const mails = () =>
    app.mails.filter(({ to, subject }) => to === ada.email && subject === 'New sign-in to your account');
  const signIn = (ip: string, userAgent: string) =>
    app.request('/api/v1/auth/login', {
      method: 'POST',
      body: { email: ada.email, password: ada.password },
      headers: { 'x-test-ip': ip, 'user-agent': userAgent },
    });
  const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

  it('is mailed and recorded, the first time', async () => {
    expect(await kindsOf(ada)).not.toContain('new_device');
    await signIn('203.0.113.80', FIREFOX);
    const { text } = await eventually(() => mails()[0], 'the mail');
    expect(text).toContain('“Firefox on Windows”, address 203.0.113.80, on ');
    await signIn('203.0.113.80', FIREFOX);
    expect((await kindsOf(ada)).filter((kind) => kind === 'new_device')).toHaveLength(1);
  });

  it('is also a known program from a new network', async () => {
    await signIn('203.0.113.81', FIREFOX);
    await signIn('203.0.113.82', FIREFOX);
    expect((await kindsOf(ada)).filter((kind) => kind === 'new_device')).toHaveLength(2);
  });
});
