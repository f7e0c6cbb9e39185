import { randomBytes } from 'node:crypto';
import { systemContext } from '@rentapi/api/context';
import { ERASED_TABLES } from '@rentapi/api/slices/accounts/service/erase';
import { PARTS } from '@rentapi/api/slices/exports/service/parts';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, runControl, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode } from '../../../test/organization.ts';
import { giveWaysIn } from '../../../test/ways-in.ts';

const ME = '/api/v1/users/me/export';
const HOUR_MS = 3_600_000;

/** Tables of a user that no file of an export has, and why. */
const NOT_EXPORTED = {
  avatars: 'the profile has the address of the picture',
  user_exports: 'the files themselves',
  verification_tokens: 'hashes of mailed links, for an hour or a day',
  sign_in_challenges: 'hashes of sign-ins that are not complete, for minutes',
  passkey_challenges: 'random bytes to sign, for minutes',
  code_attempts: 'a count of wrong codes, for an hour',
  oauth_codes: 'hashes of codes, for a minute',
};

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const ask = (by = ada) => by.request(ME, { method: 'POST' });
const pathOf = (id: string) => `/api/v1/users/me/exports/${id}`;
const mailed = (to = ada.email) =>
  eventually(() => app.mails.find((mail) => mail.to === to && /data are ready/.test(mail.subject)), 'the mail');
async function download(id: string, by = ada) {
  const response = await fetch(app.url + pathOf(id), { headers: { authorization: `Bearer ${by.tokens.accessToken}` } });
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}
const filesIn = (bytes: Uint8Array) =>
  Object.fromEntries(
    Object.entries(unzipSync(bytes)).map(([name, file]) => [name, JSON.parse(Buffer.from(file).toString())]),
  );
const run = (name: string) => {
  const control = runControl();
  return app.ports.jobs.all
    .find((job) => job.name === name)!
    .run(systemContext(app.ports, 't'), { at: new Date() }, control);
};

describe('a copy of a person’s data', () => {
  it('is made by a job, mailed as a link, and is a ZIP of JSON files', async () => {
    const { as, join } = await makeOrganization(app, ada);
    const bob = await join('MEMBER');
    await as(bob)('/api/v1/api-keys', { method: 'POST', body: { name: 'of bob', scopes: ['org:read'] } });
    const { body: key } = await as(ada)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'of ada', scopes: ['org:read'] },
    });
    const { status, body } = await ask();
    expect([status, body]).toEqual([202, { id: expect.stringMatching(/^exp_/), status: 'PENDING', progress: 0 }]);
    const mail = await mailed();
    expect(mail.text).toContain(`${app.ports.env.PUBLIC_URL}/download-export?token=${body.id}`);
    const { status: found, headers, bytes } = await download(body.id);
    expect([found, headers.get('content-type')]).toEqual([200, 'application/zip']);
    expect(headers.get('content-disposition')).toBe('attachment; filename="export.zip"');
    expect(headers.get('cache-control')).toBe('no-store');
    const files = filesIn(bytes);
    expect(Object.keys(files)).toEqual(PARTS.map(({ name }) => name));
    expect(files['profile.json']).toMatchObject([{ id: ada.id, email: ada.email }]);
    expect(files['organizations.json']).toMatchObject([{ personal: true }, { role: 'OWNER' }]);
    expect(files['api-keys.json']).toMatchObject([{ id: key.id }]);
    expect(files['sessions.json']).toHaveLength(1);
    expect(files['actions.json'].map(({ action }: { action: string }) => action)).toContain('api_key.created');
    const text = JSON.stringify(files);
    expect(text).not.toContain(bob.email);
    for (const secret of [key.secret, ada.tokens.refreshToken, 'passwordHash', 'secretHash', 'tokenHash'])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/"(id|userId|organizationId)":\d/);
  });

  it('has every table whose rows go with the account, or gives a reason', () => {
    const exported = PARTS.flatMap(({ tables = [] }) => tables);
    expect([...exported, ...Object.keys(NOT_EXPORTED)].toSorted()).toEqual([...ERASED_TABLES].toSorted());
  });

  it('shows every way in, and none of its secrets', async () => {
    await app.rows('users').where({ email: ada.email }).update({ emailVerifiedAt: new Date() });
    await giveWaysIn(app, ada.id);
    await app.rows('users').where({ email: ada.email }).update({ twoFactorEnabledAt: null });
    const userId = app.ports.ids.decode('usr', ada.id);
    const now = new Date();
    const hash = randomBytes(32);
    await app.rows('trusted_devices').insert({ userId, tokenHash: hash, createdAt: now, expiresAt: now });
    await app.rows('two_factor_resets').insert({ userId, tokenHash: hash, createdAt: now, effectiveAt: now });
    const change = { oldEmail: 'a@example.com', newEmail: 'b@example.com', createdAt: now, expiresAt: now };
    await app.rows('email_changes').insert({ userId, ...change, undoTokenHash: hash });
    const { body } = await ask();
    await mailed();
    const files = filesIn((await download(body.id)).bytes);
    expect(files['identities.json']).toMatchObject([{ provider: 'github', email: 'stranger@example.com' }]);
    expect(files['passkeys.json']).toMatchObject([{ name: 'a stranger’s', transports: [] }]);
    expect(files['authenticator-apps.json']).toMatchObject([{ confirmedAt: expect.any(String) }]);
    expect(files['backup-codes.json']).toMatchObject([{ createdAt: expect.any(String) }]);
    expect(files['two-factor-resets.json']).toMatchObject([{ effectiveAt: now.toISOString() }]);
    expect(files['trusted-devices.json']).toMatchObject([{ expiresAt: now.toISOString() }]);
    expect(files['email-changes.json']).toMatchObject([{ newEmail: 'b@example.com' }]);
    expect(files['networks.json']).toMatchObject([{ network: '127.0.0.1' }]);
    expect(JSON.stringify(files)).not.toMatch(/Sealed|Hash|publicKey|credentialId|Buffer/);
  });

  it('has the invitations of an address that is verified, and of no other', async () => {
    const bob = await app.signUp();
    const invitation = { email: ada.email, role: 'MEMBER' };
    const path = `/api/v1/organizations/${bob.organizationId}/invitations`;
    expect((await bob.request(path, { method: 'POST', body: invitation })).status).toBe(201);
    const invitations = async () => {
      const { body } = await ask();
      const ready = () => app.mails.find(({ text }) => text.includes(`token=${body.id}`));
      await eventually(ready, 'the mail');
      return filesIn((await download(body.id)).bytes)['invitations.json'];
    };
    expect(await invitations()).toEqual([]);
    await app.rows('users').where({ email: ada.email }).update({ emailVerifiedAt: new Date() });
    expect(await invitations()).toMatchObject([invitation]);
  });

  it('belongs to its person alone', async () => {
    const { body } = await ask();
    await mailed();
    const eve = await app.signUp();
    const [others, never] = [await download(body.id, eve), await download(app.ports.ids.encode('exp', 2 ** 40), eve)];
    expect([others.status, never.status]).toEqual([404, 404]);
    expect((await app.request(pathOf(body.id))).status).toBe(401);
  });

  it('needs a recent login', async () => {
    await app.ageLogins(ada.id);
    expect(statusAndCode(await ask())).toEqual([403, 'reauthentication_required']);
  });

  it('is made once, however often it is asked for meanwhile, and shows its progress', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask()));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    await mailed();
    const again = await ask();
    const userId = app.ports.ids.decode('usr', ada.id);
    const id = app.ports.ids.decode('exp', again.body.id);
    await eventually(
      async () => ((await app.rows('userExports').where({ id, status: 'READY' })).length ? true : undefined),
      'it',
    );
    await app.rows('userExports').where({ id }).update({ status: 'RUNNING', progress: 42 });
    expect((await ask()).body).toMatchObject({ id: again.body.id, status: 'RUNNING', progress: 42 });
    const early = await ada.request(pathOf(again.body.id));
    expect([early.status, early.body.code, early.body.detail]).toEqual([
      409,
      'export_not_ready',
      'The file is being made: 42 % is done.',
    ]);
    expect(await app.rows('userExports').where({ userId })).toHaveLength(2);
  });

  it('is deleted with its file after 24 hours', async () => {
    const { body } = await ask();
    await mailed();
    const [{ storageKey }] = await app.rows('userExports').where({ id: app.ports.ids.decode('exp', body.id) });
    app.advance(24 * HOUR_MS + 1000);
    await run('exports.purge');
    app.advance(-24 * HOUR_MS - 1000);
    expect((await download(body.id)).status).toBe(404);
    expect(await app.ports.storage.get(storageKey)).toBeNull();
  });

  it('is refused after 24 hours, before it is deleted', async () => {
    const { body } = await ask();
    await mailed();
    const id = app.ports.ids.decode('exp', body.id);
    await app
      .rows('userExports')
      .where({ id })
      .update({ expiresAt: new Date(Date.now() - 1000) });
    expect((await download(body.id)).status).toBe(404);
  });

  it('goes with the account', async () => {
    const { body } = await ask();
    await mailed();
    const userId = app.ports.ids.decode('usr', ada.id);
    const [{ storageKey }] = await app.rows('userExports').where({ id: app.ports.ids.decode('exp', body.id) });
    await ada.request('/api/v1/users/me', { method: 'DELETE' });
    await app
      .rows('userDeletions')
      .where({ userId })
      .update({ eraseAt: new Date(0) });
    await run('accounts.erase_deleted');
    expect([await app.ports.storage.get(storageKey), await app.rows('userExports').where({ userId })]).toEqual([
      null,
      [],
    ]);
  });
});
