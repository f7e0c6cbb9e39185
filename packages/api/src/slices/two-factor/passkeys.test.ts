import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { SoftAuthenticator } from '../../../test/passkey.ts';
import { addAuthenticator, addPasskey, challengeOf, passkeyProof } from '../../../test/second-factor.ts';

let app: TestApp;
const PAGES = 'https://pages.example.com';
beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: `*,${PAGES}` });
});
afterAll(() => app.close());

const outcomeOf = ({ status, body }: Answer) => (status < 300 ? 'ok' : body.code);
const userId = ({ id }: Person): number => app.ports.ids.decode('usr', id);
const post = (path: string, body: object = {}) => app.request(`/api/v1${path}`, { method: 'POST', body });
const login = (body: object) => post('/auth/passkeys/login', body);
const remove = (person: Person, id: string) => person.request(`/api/v1/auth/passkeys/${id}`, { method: 'DELETE' });
const register = async (person: Person, change: (authenticator: SoftAuthenticator) => void) => {
  const authenticator = new SoftAuthenticator(app.ports.env.PUBLIC_URL);
  change(authenticator);
  const { body } = await person.request('/api/v1/auth/passkeys/register/options', { method: 'POST' });
  const { challengeToken, options } = body;
  return person.request('/api/v1/auth/passkeys/register', {
    method: 'POST',
    body: { challengeToken, credential: authenticator.create(options) },
  });
};

async function withPasskey() {
  const person = await app.signUp();
  return { person, ...(await addPasskey(app, person)) };
}

describe('a passkey', () => {
  it('signs in alone, without an address or a password', async () => {
    const { person, authenticator } = await withPasskey();
    const { status, body } = await login(await passkeyProof(app, authenticator));
    expect(status).toBe(200);
    expect(body).toMatchObject({ user: { id: person.id }, deviceToken: null, tokenType: 'Bearer' });
    const { body: list } = await person.request('/api/v1/auth/passkeys');
    expect(list.items).toMatchObject([{ name: 'Phone', lastUsedAt: expect.any(String) }]);
  });

  it('is the second factor of a login, and of no other', async () => {
    const [ada, eve] = [await withPasskey(), await withPasskey()];
    const { body } = await post('/auth/login', { email: ada.person.email, password: ada.person.password });
    expect(body).toMatchObject({ mfaRequired: true, methods: ['passkey'] });
    const foreign = await passkeyProof(app, eve.authenticator, body.challengeToken);
    expect(outcomeOf(await login(foreign))).toBe('invalid_passkey');
    const own = await passkeyProof(app, ada.authenticator, body.challengeToken);
    expect((await login(own)).body.user.id).toBe(ada.person.id);
    const again = await post('/auth/passkeys/login/options', { challengeToken: body.challengeToken });
    expect(outcomeOf(again)).toBe('invalid_challenge');
  });

  it('names the passkeys of the account as second factor only', async () => {
    const { person, authenticator } = await withPasskey();
    const alone = await post('/auth/passkeys/login/options');
    expect(alone.body.options).toMatchObject({ rpId: 'localhost', userVerification: 'required', allowCredentials: [] });
    const second = await post('/auth/passkeys/login/options', { challengeToken: await challengeOf(app, person) });
    expect(second.body.options.allowCredentials).toEqual([
      { id: authenticator.id.toString('base64url'), type: 'public-key', transports: ['internal'] },
    ]);
  });

  it('signs each challenge once, within 5 minutes', async () => {
    const { authenticator } = await withPasskey();
    const proof = await passkeyProof(app, authenticator);
    const answers = await Promise.all(Array.from({ length: 10 }, () => login(proof)));
    expect(answers.map(outcomeOf).toSorted()).toEqual([...Array(9).fill('invalid_challenge'), 'ok']);
    const late = await passkeyProof(app, authenticator);
    app.advance(300_000);
    expect(outcomeOf(await login(late))).toBe('invalid_challenge');
  });

  it.each([
    ['asks its owner for nothing', { userVerified: false }],
    ['signed for another origin', { origin: 'https://evil.example.com' }],
    ['signed for another site', { rpId: 'evil.example.com' }],
    ['belongs to another person', { userHandle: Buffer.from('usr_other').toString('base64url') }],
  ])('is refused if it %s, and the owner sees it', async (_, changed) => {
    const { person, authenticator } = await withPasskey();
    Object.assign(authenticator, changed);
    expect(outcomeOf(await login(await passkeyProof(app, authenticator)))).toBe('invalid_passkey');
    const { body } = await person.request('/api/v1/users/me/activity');
    expect(body.items[0]).toMatchObject({ kind: 'login_failed', details: { method: 'passkey' } });
  });

  it('is refused with a signature of another key, another challenge, or bytes that are nothing', async () => {
    const [ada, eve] = [await withPasskey(), await withPasskey()];
    const foreign = await passkeyProof(app, eve.authenticator);
    const own = ada.authenticator.id.toString('base64url');
    const { challengeToken, credential } = foreign;
    expect(outcomeOf(await login({ challengeToken, credential: { ...credential, id: own, rawId: own } }))).toBe(
      'invalid_passkey',
    );
    const first = await passkeyProof(app, ada.authenticator);
    const second = await passkeyProof(app, ada.authenticator);
    expect(outcomeOf(await login({ challengeToken: first.challengeToken, credential: second.credential }))).toBe(
      'invalid_passkey',
    );
    const third = await passkeyProof(app, ada.authenticator);
    const response = { clientDataJSON: '!', authenticatorData: '', signature: 'x', userHandle: null };
    expect(outcomeOf(await login({ ...third, credential: { ...third.credential, response } }))).toBe('invalid_passkey');
  });

  it('is accepted from a page of CORS_ORIGINS, with the domain of PUBLIC_URL', async () => {
    const { person, authenticator } = await withPasskey();
    authenticator.origin = PAGES;
    expect((await login(await passkeyProof(app, authenticator))).body.user.id).toBe(person.id);
  });

  it('is refused once its counter goes back or does not advance, with an event, under concurrency too', async () => {
    const { person, authenticator } = await withPasskey();
    authenticator.counter = 5;
    const proofs = await Promise.all(Array.from({ length: 5 }, () => passkeyProof(app, authenticator)));
    const answers = await Promise.all(proofs.map(login));
    expect(answers.map(outcomeOf).toSorted()).toEqual([...Array(4).fill('invalid_passkey'), 'ok']);
    authenticator.counter = 0;
    expect(outcomeOf(await login(await passkeyProof(app, authenticator)))).toBe('invalid_passkey');
    authenticator.counter = 6;
    expect(outcomeOf(await login(await passkeyProof(app, authenticator)))).toBe('ok');
    const { body } = await person.request('/api/v1/users/me/activity');
    const regressed = body.items.filter(({ kind }: { kind: string }) => kind === 'passkey_counter_regressed');
    expect(regressed).toHaveLength(5);
  });

  it('is refused to a suspended account', async () => {
    const { person, authenticator } = await withPasskey();
    await app
      .rows('users')
      .where({ id: userId(person) })
      .update({ status: 'SUSPENDED' });
    expect(outcomeOf(await login(await passkeyProof(app, authenticator)))).toBe('account_inactive');
  });

  it('carries cookie mode, and remembers the device', async () => {
    const { person, authenticator } = await withPasskey();
    const { headers, body } = await login({
      ...(await passkeyProof(app, authenticator)),
      cookie: true,
      rememberDevice: true,
    });
    expect(body).toMatchObject({ refreshToken: null, deviceToken: null });
    const names = headers.getSetCookie().map((cookie) => cookie.split('=')[0]);
    expect(names).toEqual(['__Host-rentapi_refresh', '__Host-rentapi_device']);
    const challengeToken = await challengeOf(app, person);
    const second = await login({ ...(await passkeyProof(app, authenticator, challengeToken)), rememberDevice: true });
    const { deviceToken } = second.body;
    const next = await post('/auth/login', { email: person.email, password: person.password, deviceToken });
    expect(next.body).toHaveProperty('accessToken');
  });
});

describe('adding a passkey', () => {
  it('asks for a discoverable one, and excludes those that the account has', async () => {
    const { person, authenticator } = await withPasskey();
    const { body } = await person.request('/api/v1/auth/passkeys/register/options', { method: 'POST' });
    expect(body.options).toMatchObject({
      rp: { id: 'localhost' },
      user: { id: Buffer.from(person.id).toString('base64url'), name: person.email },
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [{ id: authenticator.id.toString('base64url') }],
    });
  });

  it.each([
    ['another origin', { origin: 'https://evil.example.com' }],
    ['another site', { rpId: 'evil.example.com' }],
    ['an authenticator that asks its owner for nothing', { userVerified: false }],
  ])('is refused from %s', async (_, changed) => {
    const answer = await register(await app.signUp(), (authenticator) => Object.assign(authenticator, changed));
    expect(outcomeOf(answer)).toBe('invalid_passkey');
  });

  it("takes no other person's challenge, and no challenge of a sign-in", async () => {
    const [ada, eve] = [await app.signUp(), await app.signUp()];
    const authenticator = new SoftAuthenticator(app.ports.env.PUBLIC_URL);
    const { body } = await ada.request('/api/v1/auth/passkeys/register/options', { method: 'POST' });
    const credential = authenticator.create(body.options);
    const { challengeToken } = (await post('/auth/passkeys/login/options')).body;
    for (const token of [body.challengeToken, challengeToken]) {
      const answer = await eve.request('/api/v1/auth/passkeys/register', {
        method: 'POST',
        body: { challengeToken: token, credential },
      });
      expect(outcomeOf(answer)).toBe('invalid_challenge');
    }
    const proof = authenticator.get(body.options);
    expect(outcomeOf(await login({ challengeToken: body.challengeToken, credential: proof }))).toBe(
      'invalid_challenge',
    );
  });

  it('mails the owner, and makes password logins ask for a second factor, for which there are backup codes', async () => {
    const { person } = await withPasskey();
    await eventually(
      () => app.mails.find(({ to, subject }) => to === person.email && /passkey was added/.test(subject)),
      'the notice',
    );
    const { body } = await person.request('/api/v1/auth/2fa/backup-codes', { method: 'POST' });
    const challengeToken = await challengeOf(app, person);
    expect(outcomeOf(await post('/auth/2fa/login', { challengeToken, code: body.backupCodes[0] }))).toBe('ok');
  });

  it('holds 20 of an account, under concurrency too', async () => {
    const { person, authenticator } = await withPasskey();
    const row = { userId: userId(person), publicKey: authenticator.id, counter: 0, transports: [], name: 'x' };
    await app.rows('passkeys').insert(
      Array.from({ length: 18 }, (_, at) => ({
        ...row,
        credentialId: Buffer.from(`${person.id} ${at}`),
        createdAt: new Date(),
      })),
    );
    const answers = await Promise.all(Array.from({ length: 5 }, () => register(person, () => {})));
    expect(answers.map(outcomeOf).toSorted()).toEqual([...Array(4).fill('limit_reached'), 'ok']);
  });
});

describe('removing a passkey', () => {
  it('ends what it opens: sign-ins, and the second factor if there is no other', async () => {
    const { person, authenticator, id } = await withPasskey();
    expect((await remove(person, id)).status).toBe(204);
    expect(outcomeOf(await login(await passkeyProof(app, authenticator)))).toBe('invalid_passkey');
    const { body } = await post('/auth/login', { email: person.email, password: person.password });
    expect(body).toHaveProperty('accessToken');
    await eventually(
      () => app.mails.find(({ to, subject }) => to === person.email && /passkey was removed/.test(subject)),
      'the notice',
    );
  });

  it('leaves the second factor that an authenticator app is', async () => {
    const { person, id } = await withPasskey();
    await addAuthenticator(app, person);
    expect((await remove(person, id)).status).toBe(204);
    const { body } = await post('/auth/login', { email: person.email, password: person.password });
    expect(body.methods).toEqual(['totp', 'backup_code']);
  });

  it('is refused for the last way in, of two removals at once too', async () => {
    const { person, id } = await withPasskey();
    const second = await addPasskey(app, person);
    await app
      .rows('users')
      .where({ id: userId(person) })
      .update({ passwordHash: null });
    const answers = await Promise.all([remove(person, id), remove(person, second.id)]);
    expect(answers.map(outcomeOf).toSorted()).toEqual(['last_way_in', 'ok']);
  });

  it("is not possible for another person's", async () => {
    const [ada, eve] = [await withPasskey(), await withPasskey()];
    expect(outcomeOf(await remove(eve.person, ada.id))).toBe('not_found');
    const rename = await eve.person.request(`/api/v1/auth/passkeys/${ada.id}`, {
      method: 'PATCH',
      body: { name: 'Mine' },
    });
    expect(outcomeOf(rename)).toBe('not_found');
  });
});
