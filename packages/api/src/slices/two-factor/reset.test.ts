import { systemContext } from '@rentapi/api/context';
import { resetDueTwoFactors } from '@rentapi/api/slices/two-factor/service/reset';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { addAuthenticator, addPasskey, passkeyProof } from '../../../test/second-factor.ts';

let app: TestApp;
let admin: Person;
beforeAll(async () => {
  app = await startApp();
  admin = await staff('SUPER_ADMIN');
});
afterAll(() => app.close());

const HOUR_MS = 3_600_000;
const outcomeOf = ({ status, body }: Answer) => (status < 300 ? 'ok' : body.code);
const rowOf = ({ id }: Person) => app.rows('users').where({ id: app.ports.ids.decode('usr', id) });
async function staff(role: string): Promise<Person> {
  const person = await app.signUp();
  await rowOf(person).update({ role });
  app.ports.actors.forget(`user:${app.ports.ids.decode('usr', person.id)}`);
  return person;
}
const post = (path: string, body: object) => app.request(`/api/v1${path}`, { method: 'POST', body });
const login = ({ email, password }: Person) => post('/auth/login', { email, password });
const reset = (by: Person, { id }: Person, reason = 'Lost the phone; seen in person.') =>
  by.request(`/api/v1/admin/users/${id}/2fa/reset`, { method: 'POST', body: { reason } });
const runDue = () => resetDueTwoFactors(systemContext(app.ports, 'test'), runControl());

/** A right answer to every question of a login, and the link of the mail. */
async function asked() {
  const person = await app.signUp();
  await addAuthenticator(app, person);
  const { authenticator } = await addPasskey(app, person);
  const answer = await reset(admin, person);
  const mail = await eventually(
    () => app.mails.find(({ to, subject }) => to === person.email && /will be removed/.test(subject)),
    'the notice',
  );
  return { person, authenticator, answer, mail, token: /keep-two-factor\?token=([\w-]+)/.exec(mail.text)![1]! };
}

/** The clock goes back afterwards, because the sessions of other tests would not be recent. */
async function after(ms: number, work: () => Promise<void>): Promise<void> {
  app.advance(ms);
  try {
    await work();
  } finally {
    app.advance(-ms);
  }
}

describe("an administrator's reset of the second factor (V6.4.4)", () => {
  it('takes effect 24 hours later: every factor, every session', async () => {
    const { person, authenticator, answer } = await asked();
    expect(answer.status).toBe(202);
    const delay = Date.parse(answer.body.effectiveAt) - app.ports.clock.now().getTime();
    expect(Math.round(delay / HOUR_MS)).toBe(24);
    await after(23 * HOUR_MS, async () => {
      await runDue();
      expect((await login(person)).body).toHaveProperty('mfaRequired');
    });
    await after(25 * HOUR_MS, async () => {
      await runDue();
      expect((await login(person)).body).toHaveProperty('accessToken');
      expect(outcomeOf(await post('/auth/passkeys/login', await passkeyProof(app, authenticator)))).toBe(
        'invalid_passkey',
      );
    });
    expect(outcomeOf(await person.request('/api/v1/users/me'))).toBe('session_revoked');
    await eventually(
      () => app.mails.find(({ to, subject }) => to === person.email && /was removed/.test(subject)),
      'the second notice',
    );
  });

  it('does not happen if the owner objects with the mailed link, once', async () => {
    const { person, mail, token } = await asked();
    expect(mail.text).toContain('Lost the phone; seen in person.');
    expect(outcomeOf(await post('/auth/2fa/reset/object', { token }))).toBe('ok');
    expect(outcomeOf(await post('/auth/2fa/reset/object', { token }))).toBe('invalid_token');
    await after(25 * HOUR_MS, async () => {
      await runDue();
      expect((await login(person)).body).toHaveProperty('mfaRequired');
    });
    const { body } = await person.request('/api/v1/users/me/activity');
    const kinds = body.items.map(({ kind }: { kind: string }) => kind);
    expect(kinds.slice(0, 2)).toEqual(['two_factor_reset_stopped', 'two_factor_reset_requested']);
    expect(body.items[1]).toMatchObject({ ip: null, details: { reason: 'Lost the phone; seen in person.' } });
  });

  it('survives a new password of the owner, and so does the objection', async () => {
    const { person, token } = await asked();
    await post('/auth/password-reset/request', { email: person.email });
    const mail = await eventually(
      () => app.mails.find(({ to, text }) => to === person.email && text.includes('/reset-password')),
      'the link',
    );
    const link = /token=([\w-]+)/.exec(mail.text)![1];
    await post('/auth/password-reset/confirm', { token: link, password: person.password });
    expect(outcomeOf(await post('/auth/2fa/reset/object', { token }))).toBe('ok');
  });

  it('is not put off or brought forward by asking again', async () => {
    const { person, answer } = await asked();
    const again = await reset(admin, person, 'Really.');
    expect(again.body).toEqual(answer.body);
  });

  it('is recorded with the administrator, and takes a reason', async () => {
    const { person } = await asked();
    const entry = await app
      .rows('audit_logs')
      .where({ action: 'user.two_factor_reset_requested', targetId: app.ports.ids.decode('usr', person.id) })
      .first();
    expect(entry).toMatchObject({ actorKind: 'user', actorId: app.ports.ids.decode('usr', admin.id) });
    expect(outcomeOf(await reset(admin, person, ''))).toBe('invalid_input');
  });

  it('is for super administrators alone', async () => {
    const { person } = await asked();
    expect(outcomeOf(await reset(await staff('ADMIN'), person))).toBe('permission_denied');
    expect(outcomeOf(await reset(await app.signUp(), person))).toBe('permission_denied');
  });
});
