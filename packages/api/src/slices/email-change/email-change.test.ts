import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { statusAndCode } from '../../../test/organization.ts';
import { giveWaysIn, waysIn } from '../../../test/ways-in.ts';

const DAY_MS = 86_400_000;

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
  await app.rows('users').where({ email: ada.email }).update({ emailVerifiedAt: new Date() });
});
afterAll(() => app.close());

const anyEmail = () => `${crypto.randomUUID()}@example.com`;
const ask = (email: string, by = ada) => by.request('/api/v1/users/me/email', { method: 'POST', body: { email } });
const post = (path: string, body: object) => app.request(`/api/v1/auth/${path}`, { method: 'POST', body });
const confirm = (token: string) => post('email-change/confirm', { token });
const undo = (token: string) => post('email-change/undo', { token });
const login = (email: string, password = ada.password) => post('login', { email, password });
const tokens = (to: string, page: string) =>
  app.mails
    .filter((mail) => mail.to === to && mail.text.includes(page))
    .map(({ text }) => /token=([\w-]+)/.exec(text)![1]!);
const confirmLink = (to: string, nth = 1) =>
  eventually(() => tokens(to, '/confirm-email-change')[nth - 1], 'the link to confirm');
const undoLink = (to: string) => eventually(() => tokens(to, '/undo-email-change').at(-1), 'the link to undo');

async function resetPassword(email: string): Promise<void> {
  await post('password-reset/request', { email });
  const token = await eventually(() => tokens(email, '/reset-password').at(-1), 'the reset');
  expect((await post('password-reset/confirm', { token, password: 'three quiet green lamps' })).status).toBe(204);
}

/** The token that takes the change back. */
async function changeTo(email: string): Promise<string> {
  const { body } = await ada.request('/api/v1/users/me');
  await ask(email);
  expect((await confirm(await confirmLink(email))).status).toBe(204);
  return undoLink(body.email);
}

describe('a change of the e-mail address', () => {
  it('takes effect when the link in the new mailbox is opened, and sessions go on', async () => {
    const email = anyEmail();
    expect((await ask(email)).status).toBe(202);
    const token = await confirmLink(email);
    expect((await ada.request('/api/v1/users/me')).body.email).toBe(ada.email);
    expect((await confirm(token)).status).toBe(204);
    expect((await ada.request('/api/v1/users/me')).body).toMatchObject({ email, emailVerifiedAt: expect.any(String) });
    expect((await login(email)).status).toBe(200);
    expect(statusAndCode(await login(ada.email))).toEqual([401, 'invalid_credentials']);
    expect(statusAndCode(await confirm(token))).toEqual([400, 'invalid_token']);
    const { items } = (await ada.request('/api/v1/users/me/activity')).body;
    expect(items.map(({ kind }: { kind: string }) => kind)).toContain('email_changed');
  });

  it('needs a recent login', async () => {
    await app.ageLogins(ada.id);
    expect(statusAndCode(await ask(anyEmail()))).toEqual([403, 'reauthentication_required']);
  });

  it('is answered alike for an address that has an account, whose mailbox alone learns it', async () => {
    const eve = await app.signUp();
    const [free, taken] = [await ask(anyEmail()), await ask(eve.email.toUpperCase())];
    expect([taken.status, taken.body]).toEqual([free.status, free.body]);
    const headers = ({ headers }: typeof free) => [...headers.keys()].filter((name) => name !== 'date').sort();
    expect(headers(taken)).toEqual(headers(free));
    const mail = await eventually(
      () => app.mails.find(({ to, subject }) => to === eve.email.toUpperCase() && /account already/.test(subject)),
      'the mail',
    );
    expect(mail.text).not.toContain('token=');
  });

  it('is refused to the address that it has', async () => {
    expect((await ask(ada.email.toUpperCase())).body.errors[0].path).toBe('email');
  });

  it('is refused when the address was taken before the link is opened', async () => {
    const email = anyEmail();
    await ask(email);
    const token = await confirmLink(email);
    await app.signUp({ email });
    expect(statusAndCode(await confirm(token))).toEqual([409, 'email_taken']);
    expect((await ada.request('/api/v1/users/me')).body.email).toBe(ada.email);
  });

  it('gives an address to one of two accounts that confirm it at once', async () => {
    const [eve, email] = [await app.signUp(), anyEmail()];
    await Promise.all([ask(email), ask(email, eve)]);
    const links = [await confirmLink(email, 1), await confirmLink(email, 2)];
    const answers = await Promise.all(links.map(confirm));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
  });

  it('ends what was mailed to the old address, and earlier requests', async () => {
    const [first, second] = [anyEmail(), anyEmail()];
    await post('password-reset/request', { email: ada.email });
    const reset = await eventually(() => tokens(ada.email, '/reset-password')[0], 'the reset');
    await ask(first);
    const stale = await confirmLink(first);
    await changeTo(second);
    expect((await confirm(stale)).body.code).toBe('invalid_token');
    const body = { token: reset, password: 'a password of its own' };
    expect((await post('password-reset/confirm', body)).body.code).toBe('invalid_token');
  });

  it.each(['change', 'reset'])('does not outlive a %s of the password: a thief may have asked for it', async (how) => {
    const email = anyEmail();
    await ask(email);
    const token = await confirmLink(email);
    if (how === 'change') {
      const body = { currentPassword: ada.password, newPassword: 'three quiet green lamps' };
      expect((await ada.request('/api/v1/auth/password/change', { method: 'POST', body })).status).toBe(204);
    } else await resetPassword(ada.email);
    expect(statusAndCode(await confirm(token))).toEqual([400, 'invalid_token']);
  });

  it('has a link for 24 hours, of its own purpose, for an active account', async () => {
    const email = anyEmail();
    await ask(email);
    const token = await confirmLink(email);
    expect((await undo(token)).body.code).toBe('invalid_token');
    expect((await post('verify-email', { token })).body.code).toBe('invalid_token');
    await app.rows('users').where({ email: ada.email }).update({ status: 'SUSPENDED' });
    expect((await confirm(token)).body.code).toBe('invalid_token');
    await app.rows('users').where({ email: ada.email }).update({ status: 'ACTIVE' });
    app.advance(DAY_MS + 1000);
    expect((await confirm(token)).body.code).toBe('invalid_token');
  });

  it('stores tokens as hashes only', async () => {
    const email = anyEmail();
    const token = await changeTo(email);
    const { rows } = await app.rows.raw('select email_changes::text as row from email_changes');
    expect(rows.length).toBeGreaterThan(0);
    for (const { row } of rows) expect(row).not.toContain(token);
    const { rows: events } = await app.rows.raw('select 1 from events where data::text like ?', [`%${token}%`]);
    expect(events).toEqual([]);
  });
});

describe('taking a change back', () => {
  it('returns the address and ends every session, within 7 days, once', async () => {
    const email = anyEmail();
    const token = await changeTo(email);
    app.advance(7 * DAY_MS - 60_000);
    const { body: thief } = await login(email);
    expect((await undo(token)).status).toBe(204);
    const stolen = { headers: { authorization: `Bearer ${thief.accessToken}` } };
    expect(statusAndCode(await app.request('/api/v1/users/me', stolen))).toEqual([401, 'session_revoked']);
    expect((await login(email)).body.code).toBe('invalid_credentials');
    expect((await login(ada.email)).body.user.id).toBe(ada.id);
    expect(statusAndCode(await undo(token))).toEqual([400, 'invalid_token']);
    await eventually(
      () => app.mails.find(({ to, subject }) => to === ada.email && /is back/.test(subject)),
      'the mail',
    );
  });

  it('leaves a thief no password, second factor, provider or key that came since', async () => {
    const key = (name: string) => ada.request('/api/v1/api-keys', { method: 'POST', body: { name, scopes: ['*'] } });
    const { id: kept } = (await key('before')).body;
    const email = anyEmail();
    const token = await changeTo(email);
    const { id: stolen } = (await key('since')).body;
    await giveWaysIn(app, ada.id);
    await resetPassword(email);
    expect((await undo(token)).status).toBe(204);
    expect((await login(ada.email, 'three quiet green lamps')).body.code).toBe('invalid_credentials');
    expect(await waysIn(app, ada.id)).toEqual([]);
    const userId = app.ports.ids.decode('usr', ada.id);
    expect(await app.rows('users').where({ id: userId }).first('twoFactorEnabledAt')).toEqual({
      twoFactorEnabledAt: null,
    });
    const revoked = app.rows('api_keys').where({ createdBy: userId }).whereNotNull('revokedAt').select('id');
    expect(await revoked).toEqual([{ id: app.ports.ids.decode('key', stolen) }]);
    expect(kept).toBeDefined();
  });

  it('is not offered to an address that was never verified: it may be another person’s', async () => {
    await app.rows('users').where({ email: ada.email }).update({ emailVerifiedAt: null });
    const email = anyEmail();
    await ask(email);
    expect((await confirm(await confirmLink(email))).status).toBe(204);
    const working = async () => (await app.rows('outbox').first('id')) ?? (await app.rows('agendaJobs').first('name'));
    await eventually(async () => ((await working()) ? undefined : true), 'the jobs');
    expect(tokens(ada.email, '/undo-email-change')).toEqual([]);
    const undo = app.rows('email_changes').whereNotNull('undoTokenHash');
    expect(await undo.where({ userId: app.ports.ids.decode('usr', ada.id) })).toEqual([]);
  });

  it('is over after 7 days', async () => {
    const token = await changeTo(anyEmail());
    app.advance(7 * DAY_MS + 1000);
    expect(statusAndCode(await undo(token))).toEqual([400, 'invalid_token']);
  });

  it('ends the links of later changes, which may be an attacker’s', async () => {
    const [first, second] = [anyEmail(), anyEmail()];
    const token = await changeTo(first);
    const later = await changeTo(second);
    expect((await undo(token)).status).toBe(204);
    expect((await undo(later)).body.code).toBe('invalid_token');
    expect((await login(ada.email)).status).toBe(200);
  });

  it('is not prevented by an account that took the address and never verified it', async () => {
    const token = await changeTo(anyEmail());
    const squatter = await app.signUp({ email: ada.email });
    expect((await undo(token)).status).toBe(204);
    expect((await login(ada.email)).body.user.id).toBe(ada.id);
    expect((await squatter.request('/api/v1/users/me')).body.code).toBe('session_revoked');
  });

  it('is refused where the mailbox has verified another account', async () => {
    const token = await changeTo(anyEmail());
    const { email } = await app.signUp({ email: ada.email });
    await app.rows('users').where({ email }).update({ emailVerifiedAt: new Date() });
    expect(statusAndCode(await undo(token))).toEqual([409, 'email_taken']);
  });

  it('works for an account that was suspended or deleted since', async () => {
    const token = await changeTo(anyEmail());
    await ada.request('/api/v1/users/me', { method: 'DELETE' });
    expect((await undo(token)).status).toBe(204);
    expect((await login(ada.email)).body.code).toBe('account_inactive');
  });
});

it('builds its links from configuration, never from the Host header', async () => {
  const email = anyEmail();
  await ada.request('/api/v1/users/me/email', {
    method: 'POST',
    body: { email },
    headers: { 'x-test-host': 'evil.example' },
  });
  await confirmLink(email);
  expect(app.mails.find(({ to }) => to === email)!.text).toContain(`${app.ports.env.PUBLIC_URL}/confirm-email-change?`);
});
