import { createHash } from 'node:crypto';
import { OutboundError } from '@rentapi/platform/outbound';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { overtake, statusAndCode } from '../../../test/organization.ts';
import { ensureSuperAdmin } from '../../superusers.ts';
import { createPasswords } from './passwords.ts';

const LIST = 'https://list.example/range';
const NEW = 'three quiet green lamps';

/** Well-formed: on a busy machine the request may read it before its comparison. */
const HASH_OF_ANOTHER = `$2b$04$${'.'.repeat(53)}`;

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp({ BREACH_LIST_URL: LIST });
});
beforeEach(async () => {
  vi.spyOn(app.ports.outbound, 'send').mockResolvedValue({ status: 200, headers: {}, body: '', truncated: false });
  ada = await app.signUp();
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => app.close());

const change = (body: object, by = ada) => by.request('/api/v1/auth/password/change', { method: 'POST', body });
const login = (email: string, password: string) =>
  app.request('/api/v1/auth/login', { method: 'POST', body: { email, password } });
const stored = async ({ id }: Person): Promise<string> =>
  (
    await app
      .rows('users')
      .where({ id: app.ports.ids.decode('usr', id) })
      .first('passwordHash')
  ).passwordHash;
const me = (accessToken: string) =>
  app.request('/api/v1/users/me', { headers: { authorization: `Bearer ${accessToken}` } });

describe('a changed password', () => {
  it('ends other sessions and open links, and leaves the own session', async () => {
    const { body: other } = await login(ada.email, ada.password);
    await app.request('/api/v1/auth/password-reset/request', { method: 'POST', body: { email: ada.email } });
    const { text } = await eventually(
      () => app.mails.find((mail) => mail.to === ada.email && mail.text.includes('/reset-password?token=')),
      'the link',
    );
    expect((await change({ currentPassword: ada.password, newPassword: NEW })).status).toBe(204);
    expect(statusAndCode(await me(other.accessToken))).toEqual([401, 'session_revoked']);
    expect(
      (await app.request('/api/v1/auth/refresh', { method: 'POST', body: { refreshToken: other.refreshToken } }))
        .status,
    ).toBe(401);
    expect((await ada.request('/api/v1/users/me')).status).toBe(200);
    const token = /token=([\w-]+)/.exec(text)![1];
    const reset = await app.request('/api/v1/auth/password-reset/confirm', {
      method: 'POST',
      body: { token, password: 'yet another password' },
    });
    expect(statusAndCode(reset)).toEqual([400, 'invalid_token']);
    expect([(await login(ada.email, ada.password)).status, (await login(ada.email, NEW)).status]).toEqual([401, 200]);
  });

  it('is mailed and recorded', async () => {
    await change({ currentPassword: ada.password, newPassword: NEW });
    await eventually(
      () => app.mails.find(({ to, subject }) => to === ada.email && subject === 'Your password was changed'),
      'the mail',
    );
    const { items } = (await ada.request('/api/v1/users/me/activity')).body;
    expect(items.map(({ kind }: { kind: string }) => kind)).toContain('password_changed');
  });

  it('needs the current one, and a recent login', async () => {
    expect(statusAndCode(await change({ currentPassword: 'not the one', newPassword: NEW }))).toEqual([
      401,
      'invalid_credentials',
    ]);
    await app.ageLogins(ada.id);
    expect(statusAndCode(await change({ currentPassword: ada.password, newPassword: NEW }))).toEqual([
      403,
      'reauthentication_required',
    ]);
  });

  it('says what an account without a password can do', async () => {
    await app.rows('users').where({ email: ada.email }).update({ passwordHash: null });
    const { body } = await change({ currentPassword: ada.password, newPassword: NEW });
    expect(body.detail).toBe('Your account has no password: request a mail with a link to set one.');
  });

  it('loses to one that was set meanwhile', async () => {
    const id = app.ports.ids.decode('usr', ada.id);
    const answer = await overtake(app, {
      lock: (db) => db('users').where({ id }).forUpdate(),
      request: () => change({ currentPassword: ada.password, newPassword: NEW }),
      change: (db) => db('users').where({ id }).update({ passwordHash: HASH_OF_ANOTHER }),
    });
    expect(statusAndCode(answer)).toEqual([401, 'invalid_credentials']);
  });

  it('is none of the common ones, nor a name around it: by change, reset and registration (V6.2.11)', async () => {
    await ada.request('/api/v1/organizations', { method: 'POST', body: { name: 'Zanzibar Works' } });
    for (const newPassword of ['password123', 'Zanzibar Works!', ada.email, 'rentapi2026']) {
      const { status, body } = await change({ currentPassword: ada.password, newPassword });
      expect([newPassword, status, body.errors?.[0].path]).toEqual([newPassword, 400, 'newPassword']);
    }
    const registered = await app.request('/api/v1/auth/register', {
      method: 'POST',
      body: { email: 'grace.hopper@example.com', fullName: 'Grace Hopper', password: 'GraceHopper1906' },
    });
    expect([registered.status, registered.body.errors[0].path]).toEqual([400, 'password']);
    expect((await login(ada.email, ada.password)).status).toBe(200);
  });
});

describe('a list of stolen passwords', () => {
  const hash = createHash('sha1').update(NEW).digest('hex').toUpperCase();
  const answering = (body: string, status = 200) =>
    vi.mocked(app.ports.outbound.send).mockResolvedValue({ status, headers: {}, body, truncated: false });

  it('is asked by five characters of the hash, and refuses what it has', async () => {
    answering(`0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n${hash.slice(5)}:12`);
    const { status, body } = await change({ currentPassword: ada.password, newPassword: NEW });
    expect([status, body.errors]).toEqual([
      400,
      [{ path: 'newPassword', message: 'is in a list of stolen passwords: choose another' }],
    ]);
    const [request] = vi.mocked(app.ports.outbound.send).mock.lastCall!;
    expect(request).toMatchObject({ url: `${LIST}/${hash.slice(0, 5)}`, method: 'GET' });
    expect(JSON.stringify(request)).not.toContain(hash.slice(0, 6));
  });

  it.each([
    ['has other passwords only', () => answering('0018A45C4D1DEF81644B54AB7F969B88D65:3')],
    ['has it among the invented lines', () => answering(`${hash.slice(5)}:0`)],
    ['fails', () => answering('', 500)],
    [
      'does not answer',
      () => vi.mocked(app.ports.outbound.send).mockRejectedValue(new OutboundError('timeout', 'took too long')),
    ],
  ])('keeps no one from changing a password when it %s', async (_, prepare) => {
    prepare();
    expect((await change({ currentPassword: ada.password, newPassword: NEW })).status).toBe(204);
  });

  it('is not asked unless it is set', async () => {
    const plain = await startApp({}, app);
    try {
      const send = vi.spyOn(plain.ports.outbound, 'send');
      await plain.signUp();
      expect(send).not.toHaveBeenCalled();
    } finally {
      await plain.close();
    }
  });
});

describe('a hash of an earlier pepper or cost', () => {
  const OLD_PEPPER = 'an earlier pepper of the tests 0123456789';
  const hashed = (pepper: string, cost: number, password = ada.password) =>
    createPasswords({ pepper, cost, atOnce: 5 }).hash(password);
  const set = (passwordHash: string) => app.rows('users').where({ email: ada.email }).update({ passwordHash });
  const rotated = () => startApp({ PASSWORD_PEPPER_OLD: OLD_PEPPER }, app);
  const at = (process: TestApp, password: string) =>
    process.request('/api/v1/auth/login', { method: 'POST', body: { email: ada.email, password } });

  it.each([
    ['a pepper', async () => set(await hashed(OLD_PEPPER, 4))],
    ['no id of a pepper', async () => set((await hashed(OLD_PEPPER, 4)).replace(/^[0-9a-f]+/, ''))],
    ['another cost', async () => set(await hashed('pepper-of-the-tests-0123456789abc', 5))],
  ])('with %s accepts the password, and is replaced at login', async (_, prepare) => {
    await prepare();
    const before = await stored(ada);
    const process = await rotated();
    try {
      expect((await at(process, 'not the one')).status).toBe(401);
      expect(await stored(ada)).toBe(before);
      const answers = await Promise.all(Array.from({ length: 5 }, () => at(process, ada.password)));
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
      expect(await stored(ada)).not.toBe(before);
      expect((await login(ada.email, ada.password)).status).toBe(200); // without the earlier pepper
    } finally {
      await process.close();
    }
  });

  it('is not accepted without its pepper', async () => {
    await set(await hashed(OLD_PEPPER, 4));
    expect((await login(ada.email, ada.password)).status).toBe(401);
  });

  it('costs as much to compare as one of now', async () => {
    const bcrypt = (await import('bcrypt')).default;
    const compared = vi.spyOn(bcrypt, 'compare');
    const passwords = createPasswords({ pepper: OLD_PEPPER, cost: 6, atOnce: 5 });
    const cost = async (hash: string | null) => {
      compared.mockClear();
      await passwords.compare('not the one', hash);
      return compared.mock.calls.reduce((sum, [, each]) => sum + 2 ** bcrypt.getRounds(each), 0);
    };
    const costs = [await cost(null), await cost(await hashed(OLD_PEPPER, 6)), await cost(await hashed(OLD_PEPPER, 4))];
    expect(costs).toEqual([2 ** 6, 2 ** 6, 2 ** 6]);
  });
});

it('of an administrator is held to the same rules when an operator sets it (V6.2.11)', async () => {
  for (const password of ['password123', 'rentapi2026!', 'root@example.com'])
    await expect(ensureSuperAdmin(app.ports, { email: 'root@example.com', password })).rejects.toThrow(
      /^The password is /,
    );
  expect(await app.rows('users').where({ email: 'root@example.com' })).toEqual([]);
});
