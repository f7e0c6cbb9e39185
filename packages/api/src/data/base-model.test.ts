import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../test/app.ts';
import { makeOrganization, type TestOrganization } from '../../test/organization.ts';
import { systemContext } from '../context.ts';
import { MemberModel } from '../slices/members/model.ts';
import { UserModel } from '../slices/users/model.ts';
import { change } from './base-model.ts';
import { transaction } from './transaction.ts';

let app: TestApp;
let acme: TestOrganization;
beforeAll(async () => {
  app = await startApp();
  acme = await makeOrganization(app);
});
afterAll(() => app.close());

const now = new Date('2030-01-31T12:00:00Z');
const there = () => ({ db: app.ports.database, now });

async function user() {
  const { id } = await app.signUp();
  return UserModel.query(app.ports.database).findById(app.ports.ids.decode('usr', id)).throwIfNotFound();
}

describe('a change', () => {
  it('counts the version of its row, and leaves what is undefined', async () => {
    const before = await user();
    const after = await change(there(), before, { fullName: 'Ada', username: undefined });
    expect(after).toEqual({ ...before, fullName: 'Ada', version: 2, updatedAt: now });
    expect(before.version).toBe(1);
  });

  it('without a difference returns the row unchanged', async () => {
    const before = await change(there(), await user(), { metadata: { a: 1, b: null }, emailVerifiedAt: now });
    const same = { metadata: { b: null, a: 1 }, emailVerifiedAt: new Date(now), fullName: null };
    expect(await change(there(), before, {})).toBe(before);
    expect(await change(there(), before, same)).toBe(before);
  });

  it('of an old version is refused', async () => {
    const before = await user();
    await change(there(), before, { fullName: 'Ada' });
    await expect(change(there(), before, { fullName: 'Eve' })).rejects.toMatchObject({ errorCode: 'version_mismatch' });
  });

  it('of an old version undoes its transaction', async () => {
    const before = await user();
    await change(there(), before, { fullName: 'Ada' });
    const failing = transaction(systemContext(app.ports, 'test'), async (ctx) => {
      await ctx.db('users').where({ id: before.id }).update({ username: 'undone' });
      await change(ctx, before, { fullName: 'Eve' });
    });
    await expect(failing).rejects.toMatchObject({ errorCode: 'version_mismatch' });
    expect(await app.rows('users').where({ id: before.id }).first()).toMatchObject({ fullName: 'Ada', username: null });
  });

  it("of a tenant's row names the organization of the row", async () => {
    const { id } = await acme.join('ADMIN');
    const before = await MemberModel.of({ db: app.ports.database, organization: { id: acme.organizationId } })
      .findOne({ userId: app.ports.ids.decode('usr', id) })
      .throwIfNotFound();
    expect(before.primaryKey).toEqual({ organizationId: acme.organizationId, id: before.id });
    expect(await change(there(), before, { role: 'VIEWER' })).toMatchObject({ role: 'VIEWER', version: 2 });
  });
});

describe('an update without a difference', () => {
  const etagAndRecords = async (url: string) => {
    return [(await acme.as(acme.owner)(url)).headers.get('etag'), await app.rows('audit_logs').count()];
  };

  it.each([
    ['a user', async () => '/api/v1/users/me', [{}, { fullName: null, metadata: {} }]],
    ['an organization', async () => acme.path, [{}, { name: 'Acme', deletionProtection: false }]],
    [
      'a role',
      async () => `/api/v1/roles/${await acme.role('Support', ['org:read', 'api_keys:read'])}`,
      [{}, { name: 'Support', parentId: null, permissions: ['api_keys:read', 'org:read', 'org:read'] }],
    ],
  ])('of %s is not counted as a change, and not recorded', async (_, make, bodies) => {
    const url = await make();
    const before = await etagAndRecords(url);
    expect(before[0]).toBe('"1"');
    for (const body of bodies) {
      const answer = await acme.as(acme.owner)(url, { method: 'PATCH', body });
      expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"1"']);
    }
    expect(await etagAndRecords(url)).toEqual(before);
  });

  it("of a member's roles is not counted as a change, and not recorded", async () => {
    const viewer = await acme.join('VIEWER');
    const roles = [await acme.role('First', []), await acme.role('Second', [])];
    const { headers } = await acme.assign(acme.owner, viewer, roles);
    const records = await app.rows('audit_logs').count();
    expect((await acme.assign(acme.owner, viewer, roles.toReversed())).headers.get('etag')).toBe(headers.get('etag'));
    expect(await app.rows('audit_logs').count()).toEqual(records);
    expect((await acme.assign(acme.owner, viewer, roles.slice(1))).headers.get('etag')).not.toBe(headers.get('etag'));
  });
});
