import { createSecretBox } from '@rentapi/platform/secrets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { addAuthenticator, challengeOf, codeAt } from '../../../test/second-factor.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const userId = ({ id }: Person): number => app.ports.ids.decode('usr', id);
const post = (path: string, body: object = {}) => app.request(`/api/v1${path}`, { method: 'POST', body });
const complete = (body: object) => post('/auth/2fa/login', body);
const outcomeOf = ({ status, body }: Answer) => (status === 200 ? 'ok' : body.code);
const login = (person: Person, more: object = {}) =>
  post('/auth/login', { email: person.email, password: person.password, ...more });
const minutes = (count: number) => count * 60_000;

async function withAuthenticator() {
  const person = await app.signUp();
  return { person, ...(await addAuthenticator(app, person)) };
}

it('shows in the profile whether it is on, also with a key of the person', async () => {
  const person = await app.signUp();
  const body = { name: 'mine', scopes: ['*'] };
  const { secret } = (await person.request('/api/v1/api-keys', { method: 'POST', body })).body;
  const isOn = async () => {
    const profiles = [
      await person.request('/api/v1/users/me'),
      await app.request('/api/v1/users/me', { headers: { 'x-api-key': secret } }),
    ];
    return profiles.map((answer) => answer.body.twoFactorEnabled);
  };
  expect([await isOn(), person.tokens.user]).toEqual([
    [false, false],
    expect.objectContaining({ twoFactorEnabled: false }),
  ]);
  await addAuthenticator(app, person);
  expect(await isOn()).toEqual([true, true]);
});

describe('setting up an authenticator app', () => {
  it('answers the secret, its URL and a QR code, and asks logins for nothing until a code was verified', async () => {
    const person = await app.signUp();
    const { status, body } = await person.request('/api/v1/auth/2fa/enable', { method: 'POST' });
    expect(status).toBe(200);
    expect(body.secret).toMatch(/^[A-Z2-7]{32}$/); // 160 bits
    const url = new URL(body.otpauthUrl);
    expect([url.protocol, url.host, decodeURIComponent(url.pathname)]).toEqual([
      'otpauth:',
      'totp',
      `/localhost:${person.email}`,
    ]);
    expect(url.searchParams.get('secret')).toBe(body.secret);
    const png = Buffer.from(body.qrCode.replace('data:image/png;base64,', ''), 'base64');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect((await login(person)).body).toHaveProperty('accessToken');
  });

  it('replaces a secret that was never verified', async () => {
    const person = await app.signUp();
    const first = await person.request('/api/v1/auth/2fa/enable', { method: 'POST' });
    const second = await person.request('/api/v1/auth/2fa/enable', { method: 'POST' });
    const verify = (secret: string) =>
      person.request('/api/v1/auth/2fa/verify', {
        method: 'POST',
        body: { code: codeAt(secret, app.ports.clock.now()) },
      });
    expect(outcomeOf(await verify(first.body.secret))).toBe('invalid_code');
    expect(outcomeOf(await verify(second.body.secret))).toBe('ok');
  });

  it('answers ten backup codes of 120 bits, once (V6.5.2)', async () => {
    const { backupCodes } = await withAuthenticator();
    expect(new Set(backupCodes).size).toBe(10);
    for (const code of backupCodes) expect(code).toMatch(/^[A-Z2-7]{24}$/);
  });

  it('stores the seed sealed under SECRET_KEY, and keyed hashes of the backup codes', async () => {
    const { person, secret, backupCodes } = await withAuthenticator();
    const { secretSealed } = await app
      .rows('totp_factors')
      .where({ userId: userId(person) })
      .first();
    expect(secretSealed.toString('latin1')).not.toContain(secret);
    const box = createSecretBox(app.ports.keyring, 'rentapi/totp');
    expect(box.open(secretSealed, `totp ${userId(person)}`)).toBe(secret);
    expect(box.open(secretSealed, `totp ${userId(person) + 1}`)).toBeNull();
    const stored = await app.rows('backup_codes').where({ userId: userId(person) });
    const hashes = backupCodes.map((code) => app.ports.twoFactor.hashBackupCode(code).toString('hex'));
    expect(stored.map(({ codeHash }) => codeHash.toString('hex')).toSorted()).toEqual(hashes.toSorted());
  });

  it('mails the owner, and shows it in their activity', async () => {
    const { person } = await withAuthenticator();
    await eventually(
      () => app.mails.find(({ to, subject }) => to === person.email && /second factor/.test(subject)),
      'the notice',
    );
    const { body } = await person.request('/api/v1/users/me/activity');
    expect(body.items[0]).toMatchObject({ kind: 'two_factor_enabled' });
  });
});

describe('a login with a second factor', () => {
  it('answers tokens for a code of the app, typed with a space', async () => {
    const { person, nextCode } = await withAuthenticator();
    const { body: challenge } = await login(person);
    expect(challenge.methods).toEqual(['totp', 'backup_code']);
    const code = nextCode().replace(/^.../, '$& ');
    const { status, body } = await complete({ challengeToken: challenge.challengeToken, code });
    expect(status).toBe(200);
    expect(body).toMatchObject({ user: { id: person.id }, deviceToken: null });
    const me = await app.request('/api/v1/users/me', { headers: { authorization: `Bearer ${body.accessToken}` } });
    expect(me.status).toBe(200);
  });

  it('accepts each code once', async () => {
    const { person, nextCode } = await withAuthenticator();
    const code = nextCode();
    expect(outcomeOf(await complete({ challengeToken: await challengeOf(app, person), code }))).toBe('ok');
    expect(outcomeOf(await complete({ challengeToken: await challengeOf(app, person), code }))).toBe('invalid_code');
  });

  it('accepts a code once of 50 concurrent challenges', async () => {
    const { person, nextCode } = await withAuthenticator();
    const challenges = await Promise.all(Array.from({ length: 50 }, () => challengeOf(app, person)));
    const code = nextCode();
    const answers = await Promise.all(challenges.map((challengeToken) => complete({ challengeToken, code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect([...new Set(answers.map(outcomeOf))].toSorted()).toEqual(['invalid_code', 'ok', 'too_many_codes']);
  });

  it('accepts a backup code once of 50 concurrent challenges, in any case', async () => {
    const { person, backupCodes } = await withAuthenticator();
    const challenges = await Promise.all(Array.from({ length: 50 }, () => challengeOf(app, person)));
    const code = backupCodes[3]!.toLowerCase().replaceAll(/.{4}(?=.)/g, '$&-');
    const answers = await Promise.all(challenges.map((challengeToken) => complete({ challengeToken, code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const { body } = await person.request('/api/v1/users/me/activity');
    expect(body.items.filter(({ kind }: { kind: string }) => kind === 'backup_code_used')).toHaveLength(1);
  });

  it('opens one session with a challenge', async () => {
    const { person, nextCode, backupCodes } = await withAuthenticator();
    const challengeToken = await challengeOf(app, person);
    expect(outcomeOf(await complete({ challengeToken, code: nextCode() }))).toBe('ok');
    expect(outcomeOf(await complete({ challengeToken, code: backupCodes[0] }))).toBe('invalid_challenge');
  });

  it('opens one session with a challenge for several right codes at once', async () => {
    const { person, nextCode, backupCodes } = await withAuthenticator();
    const challengeToken = await challengeOf(app, person);
    const codes = [nextCode(), ...backupCodes.slice(0, 3)];
    const answers = await Promise.all(codes.map((code) => complete({ challengeToken, code })));
    expect(answers.map(outcomeOf).toSorted()).toEqual([...Array(3).fill('invalid_challenge'), 'ok']);
  });

  it('takes 5 tries, however many are sent at once', async () => {
    const { person, nextCode } = await withAuthenticator();
    const challengeToken = await challengeOf(app, person);
    const answers = await Promise.all(Array.from({ length: 20 }, () => complete({ challengeToken, code: 'wrong' })));
    expect(answers.map(outcomeOf).filter((code) => code === 'invalid_code')).toHaveLength(5);
    expect(outcomeOf(await complete({ challengeToken, code: nextCode() }))).toBe('invalid_challenge');
  });

  it('takes 10 wrong codes an hour over all challenges, and as many as it said after that', async () => {
    const { person, nextCode } = await withAuthenticator();
    const challenges = await Promise.all(Array.from({ length: 20 }, () => challengeOf(app, person)));
    const answers = await Promise.all(challenges.map((challengeToken) => complete({ challengeToken, code: 'wrong' })));
    expect(answers.map(outcomeOf).filter((code) => code === 'invalid_code')).toHaveLength(10);
    const refused = await complete({ challengeToken: await challengeOf(app, person), code: nextCode() });
    expect(outcomeOf(refused)).toBe('too_many_codes');
    app.advance(Number(refused.headers.get('retry-after')) * 1000);
    expect(outcomeOf(await complete({ challengeToken: await challengeOf(app, person), code: nextCode() }))).toBe('ok');
  });

  it('counts no right code', async () => {
    const { person, nextCode } = await withAuthenticator();
    for (let count = 0; count < 12; count++)
      expect(outcomeOf(await complete({ challengeToken: await challengeOf(app, person), code: nextCode() }))).toBe(
        'ok',
      );
  });

  it('ends a challenge after 5 minutes (V6.5.5)', async () => {
    const { person, nextCode } = await withAuthenticator();
    const challengeToken = await challengeOf(app, person);
    app.advance(minutes(5));
    expect(outcomeOf(await complete({ challengeToken, code: nextCode() }))).toBe('invalid_challenge');
  });

  it('opens nothing else with a challenge token', async () => {
    const { person } = await withAuthenticator();
    const token = await challengeOf(app, person);
    const me = await app.request('/api/v1/users/me', { headers: { authorization: `Bearer ${token}` } });
    expect(me.body.code).toBe('invalid_access_token');
    expect((await post('/auth/refresh', { refreshToken: token })).body.code).toBe('invalid_refresh_token');
    expect((await post('/auth/verify-email', { token })).body.code).toBe('invalid_token');
    const confirm = await post('/auth/password-reset/confirm', { token, password: 'a password of its own' });
    expect(confirm.body.code).toBe('invalid_token');
  });

  it("accepts no other person's code", async () => {
    const [ada, eve] = [await withAuthenticator(), await withAuthenticator()];
    const challengeToken = await challengeOf(app, ada.person);
    for (const code of [eve.nextCode(), eve.backupCodes[0]!])
      expect(outcomeOf(await complete({ challengeToken, code }))).toBe('invalid_code');
  });

  it('remembers the device for 30 days, if asked to', async () => {
    const { person, nextCode } = await withAuthenticator();
    const { body } = await complete({
      challengeToken: await challengeOf(app, person),
      code: nextCode(),
      rememberDevice: true,
    });
    const { deviceToken } = body;
    expect((await login(person, { deviceToken })).body).toHaveProperty('accessToken');
    app.advance(minutes(30 * 24 * 60 - 5));
    expect((await login(person, { deviceToken })).body).toHaveProperty('accessToken');
    app.advance(minutes(5));
    expect((await login(person, { deviceToken })).body).toHaveProperty('mfaRequired');
  });

  it('carries cookie mode from the login to its end, for the device too', async () => {
    const { person, nextCode } = await withAuthenticator();
    const { challengeToken } = (await login(person, { cookie: true })).body;
    const { headers, body } = await complete({ challengeToken, code: nextCode(), rememberDevice: true });
    expect(body).toMatchObject({ refreshToken: null, deviceToken: null });
    const cookies = headers.getSetCookie();
    expect(cookies.map((cookie) => cookie.split('=')[0])).toEqual(['__Host-rentapi_refresh', '__Host-rentapi_device']);
    for (const cookie of cookies) expect(cookie).toMatch(/Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const next = await app.request('/api/v1/auth/login', {
      method: 'POST',
      headers: { cookie: cookies[1]!.split(';')[0]! },
      body: { email: person.email, password: person.password, cookie: true },
    });
    expect(next.body).toHaveProperty('accessToken');
  });
});

describe('backup codes', () => {
  it('are replaced by new ones', async () => {
    const { person, backupCodes } = await withAuthenticator();
    const { body } = await person.request('/api/v1/auth/2fa/backup-codes', { method: 'POST' });
    expect(body.backupCodes).toHaveLength(10);
    const challengeToken = await challengeOf(app, person);
    expect(outcomeOf(await complete({ challengeToken, code: backupCodes[0] }))).toBe('invalid_code');
    expect(outcomeOf(await complete({ challengeToken, code: body.backupCodes[0] }))).toBe('ok');
    await eventually(
      () => app.mails.find(({ to, subject }) => to === person.email && /backup codes/.test(subject)),
      'the notice',
    );
  });
});

describe('removing the authenticator app', () => {
  const disable = (person: Person, body: object) =>
    person.request('/api/v1/auth/2fa/disable', { method: 'POST', body });

  it('needs both the password and a code', async () => {
    const { person, nextCode } = await withAuthenticator();
    const { password } = person;
    expect(outcomeOf(await disable(person, { password, code: 'wrong' }))).toBe('invalid_code');
    expect(outcomeOf(await disable(person, { password: 'wrong', code: nextCode() }))).toBe('invalid_credentials');
    expect(outcomeOf(await disable(person, { code: nextCode() }))).toBe('invalid_credentials');
    expect((await disable(person, { password, code: nextCode() })).status).toBe(204);
  });

  it('ends what belongs to it: codes, backup codes and trusted devices', async () => {
    const { person, nextCode, backupCodes } = await withAuthenticator();
    const challengeToken = await challengeOf(app, person);
    const { password } = person;
    expect((await disable(person, { password, code: backupCodes[1] })).status).toBe(204);
    expect(outcomeOf(await complete({ challengeToken, code: nextCode() }))).toBe('invalid_code');
    expect(outcomeOf(await complete({ challengeToken, code: backupCodes[2] }))).toBe('invalid_code');
    expect((await login(person)).body).toHaveProperty('accessToken');
    await eventually(
      () => app.mails.find(({ to, subject }) => to === person.email && /was removed/.test(subject)),
      'the notice',
    );
  });
});
