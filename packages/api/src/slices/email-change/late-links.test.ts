import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { systemContext } from '../../context.ts';
import { readEvent } from '../../jobs/read-event.ts';

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

const NEW = 'three quiet green lamps';
const anyEmail = () => `${crypto.randomUUID()}@example.com`;
const post = (path: string, body: object) => app.request(`/api/v1/auth/${path}`, { method: 'POST', body });
const links = (to: string, page: string) =>
  app.mails
    .filter((mail) => mail.to === to && mail.text.includes(page))
    .map(({ text }) => /token=([\w-]+)/.exec(text)![1]!);
const link = (to: string, page: string) => eventually(() => links(to, page).at(-1), page);

async function requestReset(email: string): Promise<void> {
  await post('password-reset/request', { email });
  await link(email, '/reset-password');
}

async function requestChange(email: string): Promise<void> {
  await ada.request('/api/v1/users/me/email', { method: 'POST', body: { email } });
  await link(email, '/confirm-email-change');
}

/** The token that takes the change back. */
async function changeTo(email: string): Promise<string> {
  const { body: before } = await ada.request('/api/v1/users/me');
  await requestChange(email);
  await post('email-change/confirm', { token: await link(email, '/confirm-email-change') });
  return link(before.email, '/undo-email-change');
}

const changePassword = () =>
  ada.request('/api/v1/auth/password/change', {
    method: 'POST',
    body: { currentPassword: ada.password, newPassword: NEW },
  });
const resetPassword = async () =>
  post('password-reset/confirm', { token: await link(ada.email, '/reset-password'), password: NEW });

/** Sends the mail of the last such event of the person again, as one is sent that waited for its mailbox. */
async function mailLate(name: string): Promise<void> {
  const job = app.ports.jobs.all.find((each) => each.name === name)!;
  const { id } = await app
    .rows('events')
    .where({ type: job.on!.name })
    .whereRaw("data->>'id' = ?", [ada.id])
    .orderBy('id', 'desc')
    .first('id');
  const control = runControl();
  await job.run(systemContext(app.ports, 'test'), await readEvent(app.ports, job, id), control);
}

describe('a link to set a password, mailed late', () => {
  it('comes if nothing has happened since', async () => {
    await requestReset(ada.email);
    await mailLate('auth.mail_password_reset');
    expect(links(ada.email, '/reset-password')).toHaveLength(2);
  });

  it.each([
    ['changed', changePassword],
    ['reset', resetPassword],
  ])('does not come once the password was %s', async (_, setPassword) => {
    await requestReset(ada.email);
    expect((await setPassword()).status).toBe(204);
    await mailLate('auth.mail_password_reset');
    expect(links(ada.email, '/reset-password')).toHaveLength(1);
  });

  it('does not come to an address that the account had', async () => {
    await requestReset(ada.email);
    await changeTo(anyEmail());
    await mailLate('auth.mail_password_reset');
    expect(links(ada.email, '/reset-password')).toHaveLength(1);
  });

  it('does not come to a thief whose change of the address was taken back', async () => {
    const thief = anyEmail();
    const undo = await changeTo(thief);
    await requestReset(thief);
    expect((await post('email-change/undo', { token: undo })).status).toBe(204);
    await mailLate('auth.mail_password_reset');
    expect(links(thief, '/reset-password')).toHaveLength(1);
  });
});

describe('a link to change the address, mailed late', () => {
  it('comes if nothing has happened since', async () => {
    const email = anyEmail();
    await requestChange(email);
    await mailLate('email_change.mail_new_address');
    expect(links(email, '/confirm-email-change')).toHaveLength(2);
  });

  it('does not come to a thief whose earlier change was taken back', async () => {
    const next = anyEmail();
    const undo = await changeTo(anyEmail());
    await requestChange(next);
    expect((await post('email-change/undo', { token: undo })).status).toBe(204);
    await mailLate('email_change.mail_new_address');
    expect(links(next, '/confirm-email-change')).toHaveLength(1);
  });
});

describe('a link to take a change back, mailed late', () => {
  it('comes after a later change, too', async () => {
    await changeTo(anyEmail());
    await mailLate('email_change.mail_old_address');
    expect(links(ada.email, '/undo-email-change')).toHaveLength(2);
  });

  it('does not come to a thief whose earlier change was taken back', async () => {
    const first = anyEmail();
    const undo = await changeTo(first);
    await changeTo(anyEmail());
    expect((await post('email-change/undo', { token: undo })).status).toBe(204);
    await mailLate('email_change.mail_old_address');
    expect(links(first, '/undo-email-change')).toHaveLength(1);
  });
});
