import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';

let app: TestApp;
let acme: TestOrganization;
let viewer: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  acme = await makeOrganization(app);
  viewer = await acme.join('VIEWER');
});
afterAll(() => app.close());

const create = (by: Person, body: object) => acme.as(by)('/api/v1/roles', { method: 'POST', body });
const update = (by: Person, roleId: string, body: object) =>
  acme.as(by)(`/api/v1/roles/${roleId}`, { method: 'PATCH', body });
const remove = (by: Person, roleId: string) => acme.as(by)(`/api/v1/roles/${roleId}`, { method: 'DELETE' });
const mayRevoke = async (who: Person) =>
  (await acme.as(who)('/api/v1/permissions/check', { method: 'POST', body: { permissions: ['api_keys:delete'] } })).body
    .allowed;

describe('a custom role', () => {
  it('adds to what a member may do, at once, and removes it again', async () => {
    const role = await acme.role('Keys', ['api_keys:delete']);
    expect(await mayRevoke(viewer)).toBe(false);
    const { body } = await acme.assign(acme.owner, viewer, [role]);
    expect(body).toMatchObject({ role: 'VIEWER', roles: [{ id: role, name: 'Keys' }] });
    expect(await mayRevoke(viewer)).toBe(true);
    await acme.assign(acme.owner, viewer, []);
    expect(await mayRevoke(viewer)).toBe(false);
  });

  it('includes what its ancestors grant, and follows their changes', async () => {
    const top = await acme.role('Top', ['api_keys:delete']);
    const middle = await acme.role('Middle', ['webhooks:test'], top);
    const bottom = await acme.role('Bottom', [], middle);
    await acme.assign(acme.owner, viewer, [bottom]);
    expect(await mayRevoke(viewer)).toBe(true);
    const { body } = await acme.as(viewer)(`/api/v1/roles/${bottom}`);
    expect([body.permissions, body.inheritedPermissions]).toEqual([[], ['api_keys:delete', 'webhooks:test']]);

    await update(acme.owner, top, { permissions: [] });
    expect(await mayRevoke(viewer)).toBe(false);
    await update(acme.owner, top, { permissions: ['api_keys:delete'] });
    await update(acme.owner, middle, { parentId: null });
    expect(await mayRevoke(viewer)).toBe(false);
  });

  it('drops only its holders from the actor cache: other members stay cached', async () => {
    const role = await acme.role('Keys', ['api_keys:delete']);
    await acme.assign(acme.owner, viewer, [role]);
    const forget = vi.spyOn(app.ports.actors, 'forget');
    await update(acme.owner, role, { permissions: [] });
    await update(acme.owner, role, { name: 'Renamed' });
    expect(forget.mock.calls).toEqual([[`user:${app.ports.ids.decode('usr', viewer.id)}`]]);
    await remove(acme.owner, role);
    expect(forget).toHaveBeenCalledTimes(2);
    forget.mockRestore();
  });

  it('gets a new version when an ancestor changes it, and so does a member whose role is deleted', async () => {
    const top = await acme.role('Top', []);
    const bottom = await acme.role('Bottom', [], top);
    const read = () => acme.as(acme.owner)(`/api/v1/roles/${bottom}`);
    const before = await read();
    expect(before.headers.get('etag')).toBe('"1"');
    expect((await update(acme.owner, top, { permissions: ['api_keys:delete'] })).headers.get('etag')).toBe('"2"');
    const after = await read();
    expect([after.headers.get('etag'), after.body.inheritedPermissions]).toEqual(['"2"', ['api_keys:delete']]);
    expect(after.body.updatedAt > before.body.updatedAt).toBe(true);

    const member = await acme.assign(acme.owner, viewer, [bottom]);
    await remove(acme.owner, bottom);
    const stale = await acme.as(acme.owner)(`/api/v1/users/${viewer.id}/roles`, {
      method: 'PUT',
      body: { roleIds: [top] },
      headers: { 'if-match': member.headers.get('etag')! },
    });
    expect(statusAndCode(stale)).toEqual([412, 'version_mismatch']);
  });

  it('names the path by which a permission came', async () => {
    const top = await acme.role('Top', ['api_keys:delete']);
    const bottom = await acme.role('Bottom', [], top);
    await acme.assign(acme.owner, viewer, [bottom]);
    const { body } = await acme.as(viewer)('/api/v1/users/me/permissions');
    const via = (name: string) =>
      body.permissions.find(({ permission }: { permission: string }) => permission === name)?.via;
    const path = [
      { id: bottom, name: 'Bottom' },
      { id: top, name: 'Top' },
    ];
    expect(via('api_keys:delete')).toEqual([{ from: 'custom_role', path }]);
    expect(via('org:read')).toEqual([{ from: 'organization_role', role: 'VIEWER' }]);
    expect(via('org:delete')).toBeUndefined();
  });

  it('never inherits from itself, at any distance', async () => {
    const a = await acme.role('A', []);
    const b = await acme.role('B', [], a);
    const c = await acme.role('C', [], b);
    for (const parentId of [a, b, c]) {
      expect(statusAndCode(await update(acme.owner, a, { parentId }))).toEqual([409, 'role_cycle']);
    }
    expect((await acme.as(acme.owner)(`/api/v1/roles/${a}`)).body.parentId).toBeNull();
  });

  it('is at most five generations deep', async () => {
    let parent: string | undefined;
    for (let depth = 1; depth <= 5; depth++) parent = await acme.role(`Depth ${depth}`, [], parent);
    const sixth = await create(acme.owner, { name: 'Depth 6', permissions: [], parentId: parent });
    expect(statusAndCode(sixth)).toEqual([409, 'role_too_deep']);
    const { body } = await acme.as(acme.owner)('/api/v1/roles');
    expect(body.items).toHaveLength(5 + 4);
  });

  it('has a unique name, and can be deleted only when no role inherits from it', async () => {
    const top = await acme.role('Top', ['api_keys:delete']);
    const bottom = await acme.role('Bottom', [], top);
    expect(statusAndCode(await create(acme.owner, { name: 'tOP', permissions: [] }))).toEqual([409, 'role_name_taken']);
    expect(statusAndCode(await remove(acme.owner, top))).toEqual([409, 'role_has_children']);
    await acme.assign(acme.owner, viewer, [bottom]);
    expect((await remove(acme.owner, bottom)).status).toBe(204);
    expect((await remove(acme.owner, top)).status).toBe(204);
    expect(await mayRevoke(viewer)).toBe(false);
    const { body } = await acme.owner.request(`${acme.path}/members`);
    expect(body.items[0].roles).toEqual([]);
  });

  it('contains neither the permissions of owners nor those of the platform', async () => {
    for (const permission of ['org:delete', 'org:transfer', 'users:read', 'system:manage', 'no:such']) {
      const { status, body } = await create(acme.owner, { name: permission, permissions: [permission] });
      expect([status, body.errors?.[0].path]).toEqual([400, 'permissions.0']);
    }
  });
});

describe('callers cannot grant what they do not hold', () => {
  let clerk: Person;
  beforeEach(async () => {
    clerk = await acme.join('VIEWER');
    const clerks = await acme.role('Clerks', ['roles:create', 'roles:update', 'roles:assign', 'members:update']);
    await acme.assign(acme.owner, clerk, [clerks]);
  });

  it('by creating a role', async () => {
    const answer = await create(clerk, { name: 'Mighty', permissions: ['api_keys:delete'] });
    expect(statusAndCode(answer)).toEqual([403, 'permission_not_held']);
    expect((await create(clerk, { name: 'Modest', permissions: ['roles:create'] })).status).toBe(201);
  });

  it('by changing a role, its parent included', async () => {
    const mighty = await acme.role('Mighty', ['api_keys:delete']);
    const { body: modest } = await create(clerk, { name: 'Modest', permissions: [] });
    const tries = [{ permissions: ['api_keys:delete'] }, { parentId: mighty }];
    for (const change of tries) {
      expect(statusAndCode(await update(clerk, modest.id, change))).toEqual([403, 'permission_not_held']);
    }
    expect((await update(clerk, mighty, { description: 'Still mighty' })).status).toBe(200);
  });

  it('by assigning a role, or an organization role', async () => {
    const mighty = await acme.role('Mighty', ['api_keys:delete']);
    expect(statusAndCode(await acme.assign(clerk, viewer, [mighty]))).toEqual([403, 'permission_not_held']);
    expect(statusAndCode(await acme.assign(clerk, clerk, [mighty]))).toEqual([403, 'permission_not_held']);
    expect(statusAndCode(await acme.setRole(clerk, viewer, 'ADMIN'))).toEqual([403, 'permission_not_held']);
    expect(await mayRevoke(viewer)).toBe(false);
  });

  it('or by changing a member with more permissions', async () => {
    expect(statusAndCode(await acme.assign(clerk, acme.owner, []))).toEqual([403, 'target_has_more_permissions']);
    expect(statusAndCode(await acme.setRole(clerk, acme.owner, 'VIEWER'))).toEqual([
      403,
      'target_has_more_permissions',
    ]);
  });
});

describe('system roles', () => {
  const idOf = async (name: string) =>
    (await acme.as(acme.owner)('/api/v1/roles')).body.items.find((role: { name: string }) => role.name === name).id;

  it("are listed after the organization's own, page by page", async () => {
    await acme.role('Own', []);
    const first = await acme.as(acme.owner)('/api/v1/roles?limit=3');
    const second = await acme.as(acme.owner)(`/api/v1/roles?limit=3&cursor=${first.body.nextCursor}`);
    const names = [...first.body.items, ...second.body.items].map(({ name }: { name: string }) => name);
    expect(names).toEqual(['Own', 'OWNER', 'ADMIN', 'MEMBER', 'VIEWER']);
    expect(second.body.nextCursor).toBeNull();
  });

  it('cannot be changed, inherited, or assigned as custom ones', async () => {
    const admin = await idOf('ADMIN');
    expect((await acme.as(viewer)(`/api/v1/roles/${admin}`)).body).toMatchObject({ system: true, name: 'ADMIN' });
    const answers = [
      await update(acme.owner, admin, { name: 'x' }),
      await remove(acme.owner, admin),
      await create(acme.owner, { name: 'x', permissions: [], parentId: admin }),
      await acme.assign(acme.owner, viewer, [admin]),
    ];
    for (const answer of answers) expect(statusAndCode(answer)).toEqual([409, 'system_role']);
  });
});

it('shows the matrix of roles and permissions', async () => {
  const top = await acme.role('Top', ['api_keys:delete']);
  await acme.role('Bottom', ['webhooks:test'], top);
  const { body } = await acme.as(viewer)('/api/v1/permissions/matrix');
  const at = (name: string, permission: string) =>
    body.roles.find((role: { name: string }) => role.name === name).grants[body.permissions.indexOf(permission)];
  expect([at('Bottom', 'webhooks:test'), at('Bottom', 'api_keys:delete'), at('Bottom', 'org:read')]).toEqual([
    'own',
    'inherited',
    null,
  ]);
  expect([at('OWNER', 'org:delete'), at('ADMIN', 'org:delete')]).toEqual(['own', null]);
});

it('lists every permission, and which roles contain it', async () => {
  const { body } = await viewer.request('/api/v1/permissions');
  expect(body.items.length).toBeGreaterThanOrEqual(38);
  const find = (name: string) => body.items.find(({ permission }: { permission: string }) => permission === name);
  expect(find('org:delete')).toMatchObject({ kind: 'fresh', grantable: false, roles: ['OWNER'] });
  expect(find('system:manage')).toMatchObject({ level: 'platform', roles: [] });
});

it("hides a stranger's roles", async () => {
  const eve = await makeOrganization(app);
  const theirs = await eve.role('Theirs', []);
  const mine = await acme.role('Mine', []);
  const answers = [
    await acme.as(acme.owner)(`/api/v1/roles/${theirs}`),
    await update(acme.owner, theirs, { name: 'x' }),
    await remove(acme.owner, theirs),
    await update(acme.owner, mine, { parentId: theirs }),
    await acme.assign(acme.owner, viewer, [theirs]),
    await acme.assign(acme.owner, eve.owner, [mine]),
  ];
  for (const answer of answers) expect(statusAndCode(answer)).toEqual([404, 'not_found']);
});
