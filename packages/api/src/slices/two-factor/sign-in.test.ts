import { newToken, tokenHash } from '@rentapi/platform/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { addAuthenticator } from '../../../test/second-factor.ts';
import { ensureSuperAdmin } from '../../superusers.ts';

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
  // Of an address that was never verified, the second factor ends with a reset: it may be a stranger's.
  await app.rows('users').where({ email: person.email }).update({ emailVerifiedAt: new Date() });
  await addAuthenticator(app, person);
  return person;
}

/** A device that the person's first session trusts; or one whose own session is over. */
async function trustedDevice(person: Person, { loggedOut = false, expired = false } = {}): Promise<string> {
  const token = newToken();
  const [session] = await sessionsOf(person).orderBy('id');
  const { id: over } = expired ? await expiredSession(person) : { id: null };
  await app.rows('trusted_devices').insert({
    userId: userId(person),
    sessionId: loggedOut || expired ? over : session.id,
    tokenHash: tokenHash(token),
    createdAt: new Date(),
    expiresAt: new Date(Date.now() + 30 * 86_400_000),
  });
  return token;
}

async function expiredSession(person: Person): Promise<{ id: number }> {
  const long = new Date(Date.now() - 8 * 86_400_000);
  const row = { userId: userId(person), ip: '203.0.113.1', createdAt: long, authenticatedAt: long, expiresAt: long };
  const [session] = await app.rows('sessions').insert(row).returning('id');
  return session;
}

const NEW_PASSWORD = 'three quiet green lamps';
const PASSWORD_CHANGE = 'a change of the password';
const post = (by: Person, path: string, body?: object) => by.request(`/api/v1${path}`, { method: 'POST', body });

/** An account that an administrator has stopped logs in again once it is active. */
async function stopped(person: Person, stop: (staff: Person, path: string) => Promise<Answer>): Promise<Answer> {
  const staff = await app.signUp();
  await app.rows('users').where({ email: staff.email }).update({ role: 'ADMIN' });
  await stop(staff, `/users/${person.id}`);
  return post(staff, `/users/${person.id}/activate`);
}

/** Every way to end the sessions of a person, besides a reset of the password. */
const ENDS: Record<string, (person: Person) => Promise<Answer>> = {
  'a logout everywhere': (person) => post(person, '/auth/logout-all'),
  'a logout everywhere else': (person) => post(person, '/auth/logout-all', { keepCurrent: true }),
  [PASSWORD_CHANGE]: (person) =>
    post(person, '/auth/password/change', { currentPassword: person.password, newPassword: NEW_PASSWORD }),
  'a suspension': (person) => stopped(person, (staff, path) => post(staff, `${path}/suspend`)),
  'a deactivation': (person) => stopped(person, (staff, path) => post(staff, `${path}/deactivate`)),
  'a deletion': (person) => stopped(person, (staff, path) => staff.request(`/api/v1${path}`, { method: 'DELETE' })),
  'being made the super administrator': async (person) => {
    await ensureSuperAdmin(app.ports, person);
    return post(person, '/auth/password-reset/request', { email: person.email });
  },
};

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

  it.each(Object.keys(ENDS))('answers a challenge after %s, also on a device that had logged out', async (how) => {
    const person = await withTwoFactor();
    const devices = [await trustedDevice(person, { loggedOut: true }), await trustedDevice(person, { expired: true })];
    const answer = await ENDS[how]!(person);
    expect(answer.status).toBeLessThan(300);
    const password = how === PASSWORD_CHANGE ? NEW_PASSWORD : person.password;
    for (const deviceToken of devices)
      expect((await login({ ...person, password }, { deviceToken })).body).toHaveProperty('mfaRequired');
  });

  it('answers tokens on the device that ended the trust of the others', async () => {
    const person = await withTwoFactor();
    const deviceToken = await trustedDevice(person);
    await post(person, '/auth/logout-all', { keepCurrent: true });
    const body = { currentPassword: person.password, newPassword: NEW_PASSWORD };
    await post(person, '/auth/password/change', body);
    expect((await login({ ...person, password: NEW_PASSWORD }, { deviceToken })).body).toHaveProperty('accessToken');
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
