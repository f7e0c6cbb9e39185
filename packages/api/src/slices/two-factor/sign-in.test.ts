import { newToken, tokenHash } from '@rentapi/platform/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { addAuthenticator } from '../../../test/second-factor.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const userId = ({ id }: Person): number => app.ports.ids.decode('usr', id);
const login = ({ email, password }: Person, more: object = {}) =>
  app.request('/api/v1/auth/login', { method: 'POST', body: { email, password, ...more } });
const sessionsOf = (person: Person) => app.rows('sessions').where({ userId: userId(person) });

/** With an authenticator app. */
async function withTwoFactor(): Promise<Person> {
  const person = await app.signUp();
  await addAuthenticator(app, person);
  return person;
}

/** A device that the person's first session trusts. */
async function trustedDevice(person: Person): Promise<string> {
  const token = newToken();
  const [session] = await sessionsOf(person);
  await app.rows('trusted_devices').insert({
    userId: userId(person),
    sessionId: session.id,
    tokenHash: tokenHash(token),
    createdAt: new Date(),
    expiresAt: new Date(Date.now() + 30 * 86_400_000),
  });
  return token;
}

describe('a login to an account with a second factor', () => {
  it('answers a challenge, and opens no session', async () => {
    const person = await withTwoFactor();
    const { status, body } = await login(person);
    expect(status).toBe(200);
    expect(body).toEqual({
      mfaRequired: true,
      challengeToken: expect.any(String),
      methods: ['totp', 'backup_code'],
      expiresIn: 300,
    });
    expect(await sessionsOf(person)).toHaveLength(1);
  });

  it('answers no challenge for a wrong password', async () => {
    const { body } = await login({ ...(await withTwoFactor()), password: 'not the one' });
    expect(body.code).toBe('invalid_credentials');
  });

  it('answers tokens on a trusted device, until its session is revoked', async () => {
    const person = await withTwoFactor();
    const deviceToken = await trustedDevice(person);
    expect((await login(person, { deviceToken })).body).toHaveProperty('accessToken');
    await sessionsOf(person).update({ revokedAt: new Date() });
    expect((await login(person, { deviceToken })).body).toHaveProperty('mfaRequired');
  });

  it('answers tokens on a trusted device after a logout', async () => {
    const person = await withTwoFactor();
    const deviceToken = await trustedDevice(person);
    expect((await person.request('/api/v1/auth/logout', { method: 'POST' })).status).toBe(204);
    expect((await login(person, { deviceToken })).body).toHaveProperty('accessToken');
  });

  it("takes no other person's device", async () => {
    const deviceToken = await trustedDevice(await withTwoFactor());
    expect((await login(await withTwoFactor(), { deviceToken })).body).toHaveProperty('mfaRequired');
  });

  it('answers a challenge 30 days after the device was remembered', async () => {
    const person = await withTwoFactor();
    const deviceToken = await trustedDevice(person);
    await app
      .rows('trusted_devices')
      .where({ userId: userId(person) })
      .update({ expiresAt: new Date() });
    expect((await login(person, { deviceToken })).body).toHaveProperty('mfaRequired');
  });

  it('has neither challenge nor trusted device after the password was reset', async () => {
    const person = await withTwoFactor();
    // Of an address that was never verified, the second factor ends too: it may be a stranger's.
    await app.rows('users').where({ email: person.email }).update({ emailVerifiedAt: new Date() });
    const deviceToken = await trustedDevice(person);
    await login(person);
    await app.request('/api/v1/auth/password-reset/request', { method: 'POST', body: { email: person.email } });
    const mail = await eventually(
      () => app.mails.find(({ to, text }) => to === person.email && text.includes('/reset-password')),
      'the link',
    );
    const token = /token=([\w-]+)/.exec(mail.text)![1];
    await app.request('/api/v1/auth/password-reset/confirm', {
      method: 'POST',
      body: { token, password: person.password },
    });
    expect(await app.rows('sign_in_challenges').where({ userId: userId(person) })).toEqual([]);
    expect((await login(person, { deviceToken })).body).toHaveProperty('mfaRequired');
  });
});
