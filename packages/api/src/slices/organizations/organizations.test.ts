import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';
import { nameFrom } from '../../contract/names.ts';
import { createPersonalOrganization } from './service/create.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
  ada = await app.signUp();
});
afterAll(() => app.close());

const create = (body: object, who = ada) => who.request('/api/v1/organizations', { method: 'POST', body });
const day = 86_400_000;

describe('creating', () => {
  it('makes its creator the owner and starts on the plan of the deployment, under a name of its own', async () => {
    const { status, body } = await create({ name: 'Zoë & Søn GmbH' });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      slug: 'zoe-s-n-gmbh',
      subdomain: 'zoe-s-n-gmbh',
      plan: app.ports.env.DEFAULT_PLAN,
      personal: false,
    });
    const { body: list } = await ada.request('/api/v1/organizations');
    expect(list.items[0]).toMatchObject({ id: body.id, role: 'OWNER' });
  });

  it('shortens a long address to a name, in whole characters', async () => {
    const { organizationId, ...long } = await app.signUp({ email: `${'a'.repeat(60)}@${'b'.repeat(60)}.example.com` });
    const { status, body } = await long.request('/api/v1/organizations');
    expect([status, body.items.map(({ id, name }: { id: string; name: string }) => [id, name])]).toEqual([
      200,
      [[organizationId, long.email.slice(0, 120)]],
    ]);
    const foxes = await createPersonalOrganization(systemContext(app.ports, 'test'), `a${'🦊'.repeat(60)}`);
    expect(foxes.name).toBe(`a${'🦊'.repeat(59)}`);
  });

  it.each(['Prize! https://evil.example/win', 'see://this'])('refuses a name with a web address: %s', async (name) => {
    const refusal = [{ path: 'name', message: 'must not contain a web address: leave out the ://' }];
    expect((await create({ name })).body.errors).toEqual(refusal);
    const acme = await makeOrganization(app);
    const renamed = await acme.owner.request(acme.path, { method: 'PATCH', body: { name } });
    expect(renamed.body.errors).toEqual(refusal);
  });

  it('finds another slug where the name is taken', async () => {
    const first = await create({ name: 'Twice' });
    const second = await create({ name: 'Twice' });
    expect(first.body.slug).toBe('twice');
    expect(second.body.slug).toMatch(/^twice-\d{4}$/);
  });

  it.each([
    ['www', [400, 'name_reserved']],
    ['admin', [400, 'name_reserved']],
    ['bi11ing', [400, 'name_reserved']],
    ['vvebhook', [400, 'name_reserved']],
    ['Acme', [400, 'invalid_input']],
    ['a', [400, 'invalid_input']],
    ['-acme', [400, 'invalid_input']],
    ['аcme', [400, 'invalid_input']], // a Cyrillic а
    ['xn--cme-5cd', [400, 'invalid_input']],
  ])('refuses the slug %s', async (slug, answer) => {
    expect(statusAndCode(await create({ name: 'Bad', slug }))).toEqual(answer);
  });

  it('refuses a slug or subdomain that is taken or looks like it', async () => {
    await create({ name: 'Modern', slug: 'modern-tools', subdomain: 'modern' });
    expect(statusAndCode(await create({ name: 'x', slug: 'modern-tools' }))).toEqual([409, 'slug_taken']);
    expect(statusAndCode(await create({ name: 'x', slug: 'rnodern-too1s' }))).toEqual([409, 'slug_taken']);
    expect(statusAndCode(await create({ name: 'x', subdomain: 'm0dern' }))).toEqual([409, 'subdomain_taken']);
  });

  it('gives one name to one of ten concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ name: 'Rush', slug: 'rush-hour' })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.filter(({ status }) => status !== 201).map(({ body }) => body.code))).toEqual(
      new Set(['slug_taken']),
    );
  });
});

it('checks whether a subdomain is free, and why not', async () => {
  await create({ name: 'Here', slug: 'here-we-are' });
  const ask = async (subdomain: string) =>
    (await ada.request(`/api/v1/organizations/subdomain-availability?subdomain=${encodeURIComponent(subdomain)}`)).body;
  expect(await ask('nobody-has-it')).toEqual({ subdomain: 'nobody-has-it', available: true, reason: null });
  expect((await ask('here-vve-are')).reason).toBe('taken');
  expect((await ask('api')).reason).toBe('reserved');
  expect((await ask('No!')).reason).toBe('invalid');
});

it("finds organizations by part of the name, among one's own only", async () => {
  const eve = await app.signUp();
  await create({ name: '100% Sure' });
  await create({ name: '1000 Sure' }, eve);
  const find = async (who: Person, query: string) =>
    (await who.request(`/api/v1/organizations/search?query=${encodeURIComponent(query)}`)).body.items.map(
      ({ name }: { name: string }) => name,
    );
  expect(await find(ada, '0% s')).toEqual(['100% Sure']);
  expect(await find(eve, '100%')).toEqual([]);
  expect(await find(eve, 'sure')).toEqual(['1000 Sure']);
});

it("lists one's organizations without one that the caller leaves while they are read", async () => {
  const acme = await makeOrganization(app);
  const bob = await acme.join('VIEWER');
  const membership = { organizationId: acme.organizationId, userId: app.ports.ids.decode('usr', bob.id) };
  const other = await startApp({ DB_POOL_MAX: '2' }, app);
  const { database } = other.ports;
  // Both connections are acquired while the first query runs, so that the second query comes after the membership has
  // ended.
  const between = new Promise<void>((done, failed) => {
    database.on('query', function hold({ sql }: { sql: string }) {
      if (!sql.includes('from "organizations" where "id" in')) return;
      database.off('query', hold);
      Promise.all([database.transaction(), database.transaction()])
        .then(async (held) => {
          await app.rows('organization_members').where(membership).delete();
          for (const transaction of held) await transaction.rollback();
        })
        .then(done, failed);
    });
  });
  const { status, body } = await other.request('/api/v1/organizations', {
    headers: { authorization: `Bearer ${bob.tokens.accessToken}` },
  });
  await between;
  expect([status, body.items?.map(({ id }: { id: string }) => id)]).toEqual([200, [bob.organizationId]]);
  await other.close();
});

describe('owning', () => {
  /** A user who owns `owned` organizations, of which `deleted` can still be restored. */
  async function ownerOf(owned: number, deleted = 0): Promise<Person> {
    const person = await app.signUp();
    const made = await app
      .rows('organizations')
      .insert(
        Array.from({ length: owned - 1 }, (_, at) => ({
          name: `${at}`,
          deletedAt: at < deleted ? new Date() : null,
          createdAt: new Date(),
          updatedAt: new Date(),
        })),
      )
      .returning('id');
    const userId = app.ports.ids.decode('usr', person.id);
    await app
      .rows('organization_members')
      .insert(made.map(({ id }) => ({ organizationId: id, userId, role: 'OWNER', createdAt: new Date() })));
    return person;
  }

  it('ends at 100, including those that can be restored, on every way to become an owner', async () => {
    const acme = await makeOrganization(app);
    const rich = await ownerOf(100, 40);
    expect(statusAndCode(await create({ name: 'One more' }, rich))).toEqual([409, 'limit_reached']);

    await acme.join('ADMIN', rich);
    const transferred = await acme.owner.request(`${acme.path}/transfer-ownership`, {
      method: 'POST',
      body: { userId: rich.id },
    });
    expect(statusAndCode(transferred)).toEqual([409, 'limit_reached']);
    expect(statusAndCode(await acme.setRole(acme.owner, rich, 'OWNER'))).toEqual([409, 'limit_reached']);

    const other = await makeOrganization(app);
    await other.owner.request(`${other.path}/invitations`, {
      method: 'POST',
      body: { email: rich.email, role: 'OWNER' },
    });
    const mail = await eventually(
      () => app.mails.find(({ to, text }) => to === rich.email && text.includes('/accept-invitation')),
      'the invitation',
    );
    const token = /token=([\w-]+)/.exec(mail.text)![1];
    const accepted = await rich.request('/api/v1/invitations/accept', { method: 'POST', body: { token } });
    expect(statusAndCode(accepted)).toEqual([409, 'limit_reached']);
    expect(await acme.owners()).toEqual([acme.owner.id]);
  });

  it('counts a deleted one for 30 days, so that restoring cannot pass the limit', async () => {
    const rich = await ownerOf(99);
    const { body: last } = await create({ name: 'The hundredth' }, rich);
    await rich.request(`/api/v1/organizations/${last.id}`, { method: 'DELETE' });
    expect(statusAndCode(await create({ name: 'One more' }, rich))).toEqual([409, 'limit_reached']);
    const restored = await rich.request(`/api/v1/organizations/${last.id}/restore`, { method: 'POST' });
    expect(restored.status).toBe(200);
    await rich.request(`/api/v1/organizations/${last.id}`, { method: 'DELETE' });
    await app
      .rows('organizations')
      .where({ id: app.ports.ids.decode('org', last.id) })
      .update({ deletedAt: new Date(Date.now() - 30 * day) });
    expect((await create({ name: 'One more' }, rich)).status).toBe(201);
  });

  it('ends at 100 for ten concurrent requests', async () => {
    const rich = await ownerOf(95);
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ name: 'Rush' }, rich)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
  });
});

describe('deleting', () => {
  it('is refused while protected, and to everyone except owners', async () => {
    const acme = await makeOrganization(app);
    const admin = await acme.join('ADMIN');
    expect(statusAndCode(await admin.request(acme.path, { method: 'DELETE' }))).toEqual([403, 'permission_denied']);
    await acme.owner.request(acme.path, { method: 'PATCH', body: { deletionProtection: true } });
    expect(statusAndCode(await acme.owner.request(acme.path, { method: 'DELETE' }))).toEqual([
      409,
      'deletion_protected',
    ]);
    expect((await acme.owner.request(acme.path)).status).toBe(200);
  });

  it('hides it from members and keys, until an owner restores it', async () => {
    const acme = await makeOrganization(app);
    const member = await acme.join('MEMBER');
    const me = await member.request('/api/v1/users/me', {
      method: 'PATCH',
      body: { defaultOrganizationId: acme.id },
    });
    const { body: key } = await acme.as(acme.owner)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'k', scopes: ['*'] },
    });
    const withKey = () => app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
    expect((await acme.owner.request(acme.path, { method: 'DELETE' })).status).toBe(204);
    expect(statusAndCode(await acme.owner.request(acme.path))).toEqual([404, 'not_found']);
    expect(statusAndCode(await acme.owner.request(acme.path, { method: 'DELETE' }))).toEqual([404, 'not_found']);
    expect(statusAndCode(await withKey())).toEqual([401, 'api_key_revoked']);
    const home = await member.request('/api/v1/users/me');
    expect(home.body.defaultOrganizationId).toBe(member.organizationId);
    expect(home.headers.get('etag')).not.toBe(me.headers.get('etag'));
    const { body: gone } = await acme.owner.request('/api/v1/organizations?deleted=true');
    expect(gone.items.map(({ id }: { id: string }) => id)).toEqual([acme.id]);

    const restore = (who: Person, headers = {}) => who.request(`${acme.path}/restore`, { method: 'POST', headers });
    expect(statusAndCode(await restore(member))).toEqual([403, 'permission_denied']);
    expect(statusAndCode(await restore(acme.owner, { 'if-match': '"1"' }))).toEqual([412, 'version_mismatch']);
    expect((await restore(acme.owner)).body.deletedAt).toBeNull();
    expect((await withKey()).status).toBe(200);
    expect((await member.request(acme.path)).status).toBe(200);
  });

  it('is final after 30 days, and then its name is free', async () => {
    const acme = await makeOrganization(app, undefined, { name: 'Gone', slug: 'gone-fishing' });
    await acme.owner.request(acme.path, { method: 'DELETE' });
    expect(statusAndCode(await create({ name: 'x', slug: 'gone-fishing' }))).toEqual([409, 'slug_taken']);
    await app.ports
      .database('organizations')
      .where({ id: acme.organizationId })
      .update({ deletedAt: new Date(Date.now() - 30 * day) });
    const late = await acme.owner.request(`${acme.path}/restore`, { method: 'POST' });
    expect(statusAndCode(late)).toEqual([409, 'restore_window_over']);
    expect((await create({ name: 'New', slug: 'gone-fishing' })).status).toBe(201);
  });

  it('is never possible with a key, which has no login', async () => {
    const acme = await makeOrganization(app);
    const { body: key } = await acme.as(acme.owner)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'k', scopes: ['*'] },
    });
    const answer = await app.request(acme.path, { method: 'DELETE', headers: { 'x-api-key': key.secret } });
    expect(statusAndCode(answer)).toEqual([403, 'user_required']);
  });
});

it('is served as /tenants too, marked deprecated', async () => {
  const acme = await makeOrganization(app);
  const path = acme.path.replace('/organizations/', '/tenants/');
  const read = await acme.owner.request(path);
  expect([read.status, read.body.id, read.headers.get('deprecation')]).toEqual([200, acme.id, '@1767225600']);
  expect(read.headers.get('link')).toBe(`<${acme.path}>; rel="successor-version"`);
  expect((await acme.owner.request(path, { method: 'PUT', body: { name: 'Renamed' } })).body.name).toBe('Renamed');
  expect((await acme.owner.request('/api/v1/tenants')).body.items[0].name).toBe('Renamed');
  expect((await acme.owner.request(`${path}/members`)).status).toBe(200);
});

it('makes names out of any text, or none', () => {
  expect(nameFrom('Crème Brûlée!')).toBe('creme-brulee');
  expect(nameFrom('東京')).toBeNull();
  expect(nameFrom('東京', '1234')).toBe('org-1234');
  expect(nameFrom('Admin')).toBeNull();
});
