import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { addAuthenticator, addPasskey, challengeOf, passkeyProof } from '../../../test/second-factor.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const outcomeOf = ({ status, body }: Answer) => (status < 300 ? 'ok' : body.code);
const reauthenticate = (person: Person, body: object) =>
  person.request('/api/v1/auth/reauthenticate', { method: 'POST', body });
const fresh = (person: Person) => person.request('/api/v1/auth/passkeys/register/options', { method: 'POST' });
const again = ({ email }: Person, { body }: Answer) => app.person(email, body);
const sessionOf = (person: Person): string =>
  JSON.parse(Buffer.from(person.tokens.accessToken.split('.')[1]!, 'base64url').toString()).sid;

describe('re-authentication', () => {
  it('answers a new session, and ends the old one with all its tokens (V7.2.4)', async () => {
    const ada = await app.signUp();
    app.advance(601_000);
    expect(outcomeOf(await fresh(ada))).toBe('reauthentication_required');
    const answer = await reauthenticate(ada, { password: ada.password });
    expect(answer.status).toBe(200);
    const renewed = again(ada, answer);
    expect(sessionOf(renewed)).not.toBe(sessionOf(ada));
    expect(outcomeOf(await fresh(renewed))).toBe('ok');
    expect(outcomeOf(await fresh(ada))).toBe('session_revoked');
    const { refreshToken } = ada.tokens;
    const refreshed = await app.request('/api/v1/auth/refresh', { method: 'POST', body: { refreshToken } });
    expect(outcomeOf(refreshed)).toBe('invalid_refresh_token');
    app.advance(-601_000);
  });

  it('opens one session of many concurrent requests', async () => {
    const ada = await app.signUp();
    const answers = await Promise.all(Array.from({ length: 5 }, () => reauthenticate(ada, { password: ada.password })));
    expect(answers.map(outcomeOf).toSorted()).toEqual(['ok', ...Array(4).fill('session_revoked')]);
  });

  it('takes a code, once', async () => {
    const ada = await app.signUp();
    const { nextCode } = await addAuthenticator(app, ada);
    const code = nextCode();
    const answer = await reauthenticate(ada, { code });
    expect(outcomeOf(answer)).toBe('ok');
    expect(outcomeOf(await reauthenticate(again(ada, answer), { code }))).toBe('invalid_code');
  });

  it('pays wrong codes into the same ten an hour as logins', async () => {
    const ada = await app.signUp();
    const { nextCode } = await addAuthenticator(app, ada);
    for (let count = 0; count < 10; count++)
      expect(outcomeOf(await reauthenticate(ada, { code: 'wrong' }))).toBe('invalid_code');
    expect(outcomeOf(await reauthenticate(ada, { code: nextCode() }))).toBe('too_many_codes');
    const challengeToken = await challengeOf(app, ada);
    const login = await app.request('/api/v1/auth/2fa/login', { method: 'POST', body: { challengeToken, code: '1' } });
    expect(outcomeOf(login)).toBe('too_many_codes');
  });

  it('takes a passkey of the caller, and of no other person', async () => {
    const [ada, eve] = [await app.signUp(), await app.signUp()];
    const [own, foreign] = [await addPasskey(app, ada), await addPasskey(app, eve)];
    expect(outcomeOf(await reauthenticate(ada, await passkeyProof(app, foreign.authenticator)))).toBe(
      'invalid_passkey',
    );
    expect(outcomeOf(await reauthenticate(ada, await passkeyProof(app, own.authenticator)))).toBe('ok');
  });

  it('sets the cookie of the new session, if asked to', async () => {
    const ada = await app.signUp();
    const { headers, body } = await reauthenticate(ada, { password: ada.password, cookie: true });
    expect(body.refreshToken).toBeNull();
    expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-rentapi_refresh=/)]);
  });

  it('says what to do where the account has no password', async () => {
    const ada = await app.signUp();
    await app
      .rows('users')
      .where({ id: app.ports.ids.decode('usr', ada.id) })
      .update({ passwordHash: null });
    const { body } = await reauthenticate(ada, { password: 'any' });
    expect(body).toMatchObject({ code: 'invalid_credentials', detail: expect.stringContaining('password-reset') });
  });

  it.each([{}, { password: 'x', code: '1' }, { challengeToken: 'x' }])(
    'refuses %j: it takes one proof',
    async (body) => {
      const answer = await reauthenticate(await app.signUp(), body);
      expect(answer.body).toMatchObject({
        code: 'invalid_input',
        errors: [{ message: expect.stringContaining('one of the three') }],
      });
    },
  );
});
