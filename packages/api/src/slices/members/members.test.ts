import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, overtake, statusAndCode, type TestOrganization } from '../../../test/organization.ts';

let app: TestApp;
let acme: TestOrganization;
let admin: Person;
let member: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  acme = await makeOrganization(app);
  admin = await acme.join('ADMIN');
  member = await acme.join('MEMBER');
});
afterAll(() => app.close());

const remove = (by: Person, who: Person) => by.request(`${acme.path}/members/${who.id}`, { method: 'DELETE' });
const leave = (who: Person) => who.request(`${acme.path}/leave`, { method: 'POST' });

describe('roles of members', () => {
  it('let an admin manage members, but never owners', async () => {
    expect((await acme.setRole(admin, member, 'ADMIN')).body.role).toBe('ADMIN');
    expect(statusAndCode(await acme.setRole(admin, member, 'OWNER'))).toEqual([403, 'permission_not_held']);
    expect(statusAndCode(await acme.setRole(admin, acme.owner, 'MEMBER'))).toEqual([
      403,
      'target_has_more_permissions',
    ]);
    expect(statusAndCode(await remove(admin, acme.owner))).toEqual([403, 'target_has_more_permissions']);
    expect(await acme.owners()).toHaveLength(1);
  });

  it('let members and viewers change nothing', async () => {
    const viewer = await acme.join('VIEWER');
    for (const who of [member, viewer]) {
      expect(statusAndCode(await acme.setRole(who, admin, 'VIEWER'))).toEqual([403, 'permission_denied']);
      expect(statusAndCode(await remove(who, admin))).toEqual([403, 'permission_denied']);
    }
  });

  it('refuse an unknown role, and change nothing', async () => {
    expect(statusAndCode(await acme.setRole(acme.owner, member, 'KING'))).toEqual([400, 'invalid_input']);
    expect((await acme.owner.request(`${acme.path}/members`)).body.items[0].role).toBe('MEMBER');
  });

  it('take effect with the next request', async () => {
    const invite = () =>
      member.request(`${acme.path}/invitations`, { method: 'POST', body: { email: 'x@example.com', role: 'VIEWER' } });
    expect(statusAndCode(await invite())).toEqual([403, 'permission_denied']);
    await acme.setRole(acme.owner, member, 'ADMIN');
    expect((await invite()).status).toBe(201);
  });

  it('change for one of two who read the same version', async () => {
    const first = await acme.setRole(acme.owner, member, 'VIEWER');
    const stale = await acme.owner.request(`${acme.path}/members/${member.id}`, {
      method: 'PATCH',
      body: { role: 'ADMIN' },
      headers: { 'if-match': '"1"' },
    });
    expect([first.headers.get('etag'), ...statusAndCode(stale)]).toEqual(['"2"', 412, 'version_mismatch']);
  });
});

it('refuses to remove, promote or transfer to a member who was just changed', async () => {
  const stale = { 'if-match': '"1"' };
  await acme.setRole(acme.owner, member, 'VIEWER');
  const answers = [
    await acme.owner.request(`${acme.path}/members/${member.id}`, { method: 'DELETE', headers: stale }),
    await member.request(`${acme.path}/leave`, { method: 'POST', headers: stale }),
    await acme.owner.request(`${acme.path}/transfer-ownership`, {
      method: 'POST',
      body: { userId: member.id },
      headers: stale,
    }),
  ];
  for (const answer of answers) expect(statusAndCode(answer)).toEqual([412, 'version_mismatch']);
  const current = { 'if-match': '"2"' };
  const removed = await acme.owner.request(`${acme.path}/members/${member.id}`, { method: 'DELETE', headers: current });
  expect(removed.status).toBe(204);
});

describe('the last owner', () => {
  it('can neither step down, nor be removed, nor leave', async () => {
    expect(statusAndCode(await acme.setRole(acme.owner, acme.owner, 'ADMIN'))).toEqual([409, 'last_owner']);
    expect(statusAndCode(await remove(acme.owner, acme.owner))).toEqual([409, 'last_owner']);
    expect(statusAndCode(await leave(acme.owner))).toEqual([409, 'last_owner']);
    expect(await acme.owners()).toHaveLength(1);
  });

  it('remains when 50 owners step down at once, in every way', async () => {
    const owners = await Promise.all(Array.from({ length: 49 }, () => acme.join('OWNER')));
    const all = [acme.owner, ...owners];
    const ways = [
      (who: Person) => acme.setRole(who, who, 'MEMBER'),
      (who: Person) => leave(who),
      (who: Person) => remove(who, who),
    ];
    const answers = await Promise.all(all.map((who, at) => ways[at % ways.length]!(who)));
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(49);
    expect(answers.filter(({ status }) => status >= 300).map(statusAndCode)).toEqual([[409, 'last_owner']]);
    expect(await acme.owners()).toHaveLength(1);
  });

  it('remains when pairs of owners demote each other at once', async () => {
    for (let race = 0; race < 10; race++) {
      const here = await makeOrganization(app);
      const other = await here.join('OWNER');
      const answers = await Promise.all([
        here.setRole(here.owner, other, 'MEMBER'),
        here.setRole(other, here.owner, 'MEMBER'),
      ]);
      // The second one waits for the lock, and is no longer an owner when it gets it.
      expect(answers.map(statusAndCode).sort()).toEqual([[200], [403, 'permission_denied']]);
      expect(await here.owners()).toHaveLength(1);
    }
  });
});

describe('leaving', () => {
  it('resets the default of users who had this organization as default', async () => {
    const me = (body: object) => member.request('/api/v1/users/me', { method: 'PATCH', body });
    const before = await me({ defaultOrganizationId: acme.id });
    expect(before.body.defaultOrganizationId).toBe(acme.id);
    expect((await leave(member)).status).toBe(204);
    const after = await member.request('/api/v1/users/me');
    expect(after.body.defaultOrganizationId).toBe(member.organizationId);
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
    expect(statusAndCode(await member.request(acme.path))).toEqual([404, 'not_found']);
    expect(statusAndCode(await me({ defaultOrganizationId: acme.id }))).toEqual([404, 'not_found']);
  });

  it('is not possible from the personal organization', async () => {
    const home = `/api/v1/organizations/${member.organizationId}`;
    const answer = await member.request(`${home}/leave`, { method: 'POST' });
    expect(statusAndCode(answer)).toEqual([409, 'personal_organization']);
    const deletion = await member.request(home, { method: 'DELETE' });
    expect(statusAndCode(deletion)).toEqual([409, 'personal_organization']);
  });
});

describe('transferring ownership', () => {
  const transfer = (by: Person, to: string) =>
    by.request(`${acme.path}/transfer-ownership`, { method: 'POST', body: { userId: to } });

  it('makes the member owner and the owner admin, in one step', async () => {
    expect((await transfer(acme.owner, member.id)).body.role).toBe('OWNER');
    expect(await acme.owners()).toEqual([member.id]);
    expect(statusAndCode(await transfer(acme.owner, admin.id))).toEqual([403, 'permission_denied']);
  });

  it('is for owners only, and to members only', async () => {
    const stranger = await app.signUp();
    expect(statusAndCode(await transfer(admin, member.id))).toEqual([403, 'permission_denied']);
    expect(statusAndCode(await transfer(acme.owner, stranger.id))).toEqual([404, 'not_found']);
    expect(statusAndCode(await transfer(acme.owner, acme.owner.id))).toEqual([400, 'invalid_input']);
    expect(await acme.owners()).toHaveLength(1);
  });

  it('requires a login within ten minutes, which the password renews', async () => {
    app.advance(601_000);
    expect(statusAndCode(await transfer(acme.owner, member.id))).toEqual([403, 'reauthentication_required']);
    const confirm = (password: string) =>
      acme.owner.request('/api/v1/auth/reauthenticate', { method: 'POST', body: { password } });
    expect(statusAndCode(await confirm('not the password'))).toEqual([401, 'invalid_credentials']);
    expect(statusAndCode(await transfer(acme.owner, member.id))).toEqual([403, 'reauthentication_required']);
    const { body: tokens } = await confirm(acme.owner.password);
    const authorization = `Bearer ${tokens.accessToken}`;
    const body = { userId: member.id };
    const answer = await app.request(`${acme.path}/transfer-ownership`, {
      method: 'POST',
      body,
      headers: { authorization },
    });
    expect(answer.status).toBe(200);
    app.advance(-601_000);
  });
});

it('lists every member exactly once, page by page, while others join', async () => {
  for (let at = 0; at < 4; at++) await acme.join('VIEWER');
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await acme.owner.request(`${acme.path}/members?limit=3${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map((item: { userId: string }) => item.userId));
    cursor = body.nextCursor;
    await acme.join('VIEWER');
  }
  expect(new Set(seen).size).toBe(7);
  expect(seen).toHaveLength(7);
});

it('lists members without a role that is deleted while they are read', async () => {
  const role = await acme.role('Passing', []);
  await acme.assign(acme.owner, member, [role]);
  const { status, body } = await overtake(app, {
    lock: (db) => db.raw('lock table roles in access exclusive mode'),
    request: () => acme.owner.request(`${acme.path}/members`),
    change: (db) => db('roles').where({ organizationId: acme.organizationId }).delete(),
  });
  const listed = body.items?.map(({ userId, roles }: { userId: string; roles: unknown[] }) => [userId, roles]);
  expect([status, listed]).toEqual([200, [member, admin, acme.owner].map(({ id }) => [id, []])]);
});

it('shows strangers neither an organization nor its members', async () => {
  const eve = await makeOrganization(app);
  for (const path of [acme.path, `${acme.path}/members`])
    expect(statusAndCode(await eve.owner.request(path))).toEqual([404, 'not_found']);
  expect(statusAndCode(await acme.setRole(acme.owner, eve.owner, 'VIEWER'))).toEqual([404, 'not_found']);
  expect(statusAndCode(await remove(acme.owner, eve.owner))).toEqual([404, 'not_found']);
});
