import { ERASED_TABLES, erasedColumns } from '@rentapi/api/slices/accounts/service/erase';
import { verifyAuditChains } from '@rentapi/api/slices/audit/verify';
import { ADVISORY_LOCKS } from '@rentapi/platform/advisory-locks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, overtake, statusAndCode } from '../../../test/organization.ts';
import { addAuthenticator } from '../../../test/second-factor.ts';

const DAY_MS = 86_400_000;

/** References to a user from rows of others, or from rows that end with the deletion. */
const KEPT = [
  'api_keys.created_by',
  'limit_overrides.created_by',
  'organization_invitations.former_user_id',
  'organization_invitations.inviter_user_id',
  'organization_members.user_id',
  'role_assignments.user_id',
  'user_deletions.user_id',
  'webhooks.created_by',
];

/** Without a key, whose check would write the user's row at each wrong password. */
const WITHOUT_KEY = ['security_events.user_id'];

/** Columns that erasing leaves, and why. */
const KEPT_COLUMNS = {
  id: 'rows of others refer to it',
  status: 'DELETED, so that nothing signs in',
  defaultOrganizationId: 'the personal organization, which is emptied',
  personalOrganizationId: 'refers to the organization that is emptied',
  version: 'counts changes',
  createdAt: 'says nothing of a person without the rest',
  updatedAt: 'when it was erased',
};

let app: TestApp;
let ada: Person;
let staff: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  [ada, staff] = await Promise.all([app.signUp(), app.signUp()]);
  await setRole(staff, 'ADMIN');
});
afterAll(() => app.close());

const rowId = ({ id }: Person) => app.ports.ids.decode('usr', id);
const setRole = (person: Person, role: string) =>
  app
    .rows('users')
    .where({ id: rowId(person) })
    .update({ role });
const about = (person: Person, verb = '') => `/api/v1/users/${person.id}${verb}`;
const post = (path: string, by = staff) => by.request(path, { method: 'POST' });
const remove = (path: string, by: Person) => by.request(path, { method: 'DELETE' });
const login = (person: Person) =>
  app.request('/api/v1/auth/login', { method: 'POST', body: { email: person.email, password: person.password } });
const tokenIn = (text: string) => /token=([\w-]+)/.exec(text)![1]!;

describe('the list of users', () => {
  const emails = ({ body }: Answer) => body.items.map(({ email }: { email: string }) => email);

  it('shows members as members, without what only platform staff may know (V8.1.2)', async () => {
    const { as, join } = await makeOrganization(app, ada);
    const bob = await join('MEMBER');
    for (const answer of [await as(bob)('/api/v1/users'), await as(bob)(about(ada))]) {
      const [shown] = answer.body.items?.filter(({ userId }: { userId: string }) => userId === ada.id) ?? [answer.body];
      expect(shown).toMatchObject({ userId: ada.id, email: ada.email, role: 'OWNER' });
      for (const field of ['status', 'metadata', 'defaultOrganizationId', 'emailVerifiedAt'])
        expect(shown).not.toHaveProperty(field);
    }
    expect(emails(await as(bob)('/api/v1/users')).toSorted()).toEqual([ada.email, bob.email].toSorted());
  });

  it('refuses filters by what is not shown', async () => {
    for (const filter of ['status=SUSPENDED', 'platformRole=ADMIN'])
      expect(statusAndCode(await ada.request(`/api/v1/users?${filter}`))).toEqual([403, 'permission_denied']);
  });

  it('shows oneself whole, and a person outside the organization not at all', async () => {
    expect((await ada.request(about(ada))).body).toMatchObject({ id: ada.id, status: 'ACTIVE' });
    expect(statusAndCode(await ada.request(about(staff)))).toEqual([404, 'not_found']);
  });

  it('shows everyone to platform staff who name no organization, and else its members', async () => {
    const { id, as } = await makeOrganization(app, staff);
    const everyone = await staff.request(`/api/v1/users?search=${ada.email}`);
    expect(everyone.body.items).toMatchObject([{ id: ada.id, status: 'ACTIVE', role: 'USER' }]);
    expect((await staff.request(about(ada))).body).toMatchObject({ id: ada.id, metadata: {} });
    expect(emails(await as(staff)('/api/v1/users'))).toEqual([staff.email]);
    expect(statusAndCode(await as(staff)(about(ada)))).toEqual([404, 'not_found']);
    const { body: key } = await staff.request('/api/v1/api-keys', {
      method: 'POST',
      headers: { 'x-organization-id': id },
      body: { name: 'of staff', scopes: ['*'] },
    });
    expect(emails(await app.request('/api/v1/users', { headers: { 'x-api-key': key.secret } }))).toEqual([staff.email]);
  });

  it.each([['email'], ['-email'], ['createdAt'], ['-createdAt']])(
    'returns each member once in the order of %s, while others come and go',
    async (sort) => {
      const { as, join } = await makeOrganization(app, ada);
      const people = [ada, ...(await Promise.all([join('MEMBER'), join('VIEWER'), join('ADMIN'), join('MEMBER')]))];
      const seen: string[] = [];
      for (let cursor = ''; ; ) {
        const { body } = await as(ada)(`/api/v1/users?limit=2&sort=${sort}${cursor && `&cursor=${cursor}`}`);
        seen.push(...body.items.map(({ email }: { email: string }) => email));
        if (body.nextCursor === null) break;
        cursor = body.nextCursor;
        await remove(`/api/v1/organizations/${(await as(ada)('/api/v1/users?limit=1')).body.items[0].userId}`, ada);
      }
      expect(seen.toSorted()).toEqual(people.map(({ email }) => email).toSorted());
      if (sort === 'email') expect(seen).toEqual(seen.toSorted());
      if (sort === '-email') expect(seen).toEqual(seen.toSorted().toReversed());
    },
  );

  it('refuses a cursor of another order', async () => {
    const { as, join } = await makeOrganization(app, ada);
    await join('MEMBER');
    const { nextCursor } = (await as(ada)('/api/v1/users?limit=1&sort=email')).body;
    const other = await as(ada)(`/api/v1/users?limit=1&sort=-createdAt&cursor=${nextCursor}`);
    expect(statusAndCode(other)).toEqual([400, 'invalid_cursor']);
  });

  it('finds by the beginning of address and name, whatever the case, and by role', async () => {
    const { as, join } = await makeOrganization(app, ada);
    const bob = await join('VIEWER');
    await ada.request('/api/v1/users/me', { method: 'PATCH', body: { fullName: 'Ada Lovelace' } });
    const found = async (query: string) => emails(await as(ada)(`/api/v1/users?${query}`));
    expect(await found('search=ADA%20lov')).toEqual([ada.email]);
    expect(await found('search=lovelace')).toEqual([]);
    expect(await found(`search=${bob.email.slice(0, 12).toUpperCase()}`)).toEqual([bob.email]);
    expect(await found('search=%25%25')).toEqual([]);
    expect(await found('role=VIEWER')).toEqual([bob.email]);
  });
});

describe('an account that an administrator creates', () => {
  const email = () => `${crypto.randomUUID()}@example.com`;
  const create = (body: object, by = staff) => by.request('/api/v1/users', { method: 'POST', body });

  it('is used once its owner has set a password with the mailed link', async () => {
    const address = email();
    const { status, body } = await create({ email: address, fullName: 'Bob' });
    expect([status, body.emailVerifiedAt, body.role]).toEqual([201, null, 'USER']);
    app.advance(6 * DAY_MS);
    const mail = await app.mailTo(address);
    expect(app.mails.filter(({ to }) => to === address)).toHaveLength(1);
    const password = 'a password of its own';
    const set = { method: 'POST', body: { token: tokenIn(mail.text), password } };
    expect((await app.request('/api/v1/auth/password-reset/confirm', set)).status).toBe(204);
    const { body: tokens } = await app.request('/api/v1/auth/login', {
      method: 'POST',
      body: { email: address, password },
    });
    expect(tokens.user).toMatchObject({ id: body.id, fullName: 'Bob', emailVerifiedAt: expect.any(String) });
  });

  it('needs an address that is free', async () => {
    expect(statusAndCode(await create({ email: ada.email.toUpperCase() }))).toEqual([409, 'email_taken']);
    const address = email();
    const answers = await Promise.all(Array.from({ length: 5 }, () => create({ email: address })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409]);
  });

  it.each([['role'], ['status'], ['emailVerifiedAt'], ['metadata'], ['password']])(
    'cannot be given a %s',
    async (field) => {
      expect((await create({ email: email(), [field]: 'SUPER_ADMIN' })).body.errors[0].path).toBe(field);
    },
  );
});

describe('a user', () => {
  it('is changed by themselves and by platform staff, also with PUT', async () => {
    const change = (by: Person, fullName: string, method = 'PATCH') =>
      by.request(about(ada), { method, body: { fullName } });
    expect((await change(ada, 'Ada')).body.fullName).toBe('Ada');
    expect((await change(staff, 'Ada King', 'PUT')).body.fullName).toBe('Ada King');
    const eve = await app.signUp();
    expect(statusAndCode(await change(eve, 'Eve'))).toEqual([403, 'permission_denied']);
    await setRole(staff, 'VIEWER');
    expect(statusAndCode(await change(staff, 'Viewer'))).toEqual([403, 'permission_denied']);
  });

  it('is changed by one of many writers who read the same version', async () => {
    const etag = (await ada.request(about(ada))).headers.get('etag')!;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        (at % 2 ? ada : staff).request(about(ada), {
          method: 'PATCH',
          body: { fullName: `Writer ${at}` },
          headers: { 'if-match': etag },
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9);
  });

  it('with more permissions cannot be changed by staff with fewer', async () => {
    await setRole(ada, 'SUPER_ADMIN');
    const answers = [
      await staff.request(about(ada), { method: 'PATCH', body: { fullName: 'x' } }),
      await post(about(ada, '/suspend')),
      await post(about(ada, '/deactivate')),
      await post(about(ada, '/activate')),
      await remove(about(ada), staff),
    ];
    for (const answer of answers) expect(statusAndCode(answer)).toEqual([403, 'target_has_more_permissions']);
  });

  it('is not changed by staff who lost their role while the request waited', async () => {
    const answer = await overtake(app, {
      lock: (db) =>
        db('users')
          .where({ id: rowId(ada) })
          .forUpdate(),
      request: () => post(about(ada, '/suspend')),
      change: (db) =>
        db('users')
          .where({ id: rowId(staff) })
          .update({ role: 'USER' }),
    });
    expect(statusAndCode(answer)).toEqual([403, 'permission_denied']);
    expect((await ada.request(about(ada))).body.status).toBe('ACTIVE');
  });
});

describe('the last active super administrator', () => {
  const onlyAdmin = async (): Promise<Person> => {
    await app.rows('users').where({ role: 'SUPER_ADMIN' }).update({ role: 'USER' });
    await setRole(ada, 'SUPER_ADMIN');
    return ada;
  };
  const ends: [string, (person: Person) => Promise<Answer>][] = [
    ['suspended', (person) => post(about(person, '/suspend'), person)],
    ['deactivated', (person) => post(about(person, '/deactivate'), person)],
    ['deleted', (person) => remove(about(person), person)],
    ['deleted as their own account', (person) => remove('/api/v1/users/me', person)],
  ];

  it.each(ends)('cannot be %s while no other one is active', async (_, end) => {
    const person = await onlyAdmin();
    await setRole(staff, 'SUPER_ADMIN');
    await app
      .rows('users')
      .where({ id: rowId(staff) })
      .update({ status: 'SUSPENDED' });
    expect(statusAndCode(await end(person))).toEqual([409, 'last_super_admin']);
    expect((await person.request(about(person))).body.status).toBe('ACTIVE');
  });

  it.each(ends)('can be %s once there is another one', async (_, end) => {
    const person = await onlyAdmin();
    await setRole(staff, 'SUPER_ADMIN');
    expect((await end(person)).status).toBeLessThan(300);
  });

  it.each(ends)('is not %s where the other one stops meanwhile', async (_, end) => {
    const person = await onlyAdmin();
    await setRole(staff, 'SUPER_ADMIN');
    const answer = await overtake(app, {
      lock: (db) => db.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCKS.superAdmins]),
      request: () => end(person),
      change: (db) =>
        db('users')
          .where({ id: rowId(staff) })
          .update({ status: 'INACTIVE' }),
    });
    expect(statusAndCode(answer)).toEqual([409, 'last_super_admin']);
  });
});

describe.each([
  ['suspend', 'SUSPENDED'],
  ['deactivate', 'INACTIVE'],
])('to %s', (verb, status) => {
  it('ends sessions, mailed links and the keys of the personal organization at once', async () => {
    const { body: key } = await ada.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'mine', scopes: ['*'] },
    });
    const withKey = () => app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
    expect([(await ada.request(about(ada))).status, (await withKey()).status]).toEqual([200, 200]);
    const verification = await app.mailTo(ada.email);
    expect((await post(about(ada, `/${verb}`))).body).toMatchObject({ id: ada.id, status });
    expect(statusAndCode(await ada.request('/api/v1/users/me'))).toEqual([401, 'session_revoked']);
    expect(statusAndCode(await withKey())).toEqual([401, 'api_key_revoked']);
    expect(statusAndCode(await login(ada))).toEqual([403, 'account_inactive']);
    const body = { token: tokenIn(verification.text) };
    expect((await app.request('/api/v1/auth/verify-email', { method: 'POST', body })).body.code).toBe('invalid_token');
    expect((await post(about(ada, `/${verb}`))).status).toBe(200);
  });

  it('is undone by activating, which brings back neither sessions nor keys', async () => {
    await post(about(ada, `/${verb}`));
    expect((await post(about(ada, '/activate'))).body.status).toBe('ACTIVE');
    expect((await login(ada)).status).toBe(200);
    expect(statusAndCode(await ada.request('/api/v1/users/me'))).toEqual([401, 'session_revoked']);
  });
});

describe('a deleted account', () => {
  it('stops at once, leaves its organizations, and its owner is mailed', async () => {
    const { id, as, join, owner } = await makeOrganization(app);
    await join('MEMBER', ada);
    expect((await remove('/api/v1/users/me', ada)).status).toBe(204);
    expect(statusAndCode(await ada.request('/api/v1/users/me'))).toEqual([401, 'session_revoked']);
    expect(statusAndCode(await login(ada))).toEqual([403, 'account_inactive']);
    expect((await as(owner)('/api/v1/users')).body.items).toHaveLength(1);
    expect((await staff.request(about(ada))).body.status).toBe('DELETED');
    await eventually(() => app.mails.find(({ to, text }) => to === ada.email && /30 days/.test(text)), 'the mail');
    expect(id).toMatch(/^org_/);
  });

  it('is refused while an organization would lose its last owner, also to the last two at once', async () => {
    const { id, join, owners } = await makeOrganization(app, ada);
    const answer = await remove('/api/v1/users/me', ada);
    expect(statusAndCode(answer)).toEqual([409, 'last_owner']);
    expect(answer.body.detail).toContain(id);
    expect((await ada.request('/api/v1/users/me')).status).toBe(200);
    const bob = await join('OWNER');
    const both = await Promise.all([remove('/api/v1/users/me', ada), remove('/api/v1/users/me', bob)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect(await owners()).toHaveLength(1);
  });

  it('cannot join an organization while it is being deleted', async () => {
    const { path, join } = await makeOrganization(app);
    const admin = await join('ADMIN');
    const body = { email: ada.email, role: 'MEMBER' };
    await admin.request(`${path}/invitations`, { method: 'POST', body });
    const mail = await eventually(
      () => app.mails.find(({ to, text }) => to === ada.email && /invited/.test(text)),
      'it',
    );
    const answer = await overtake(app, {
      lock: (db) =>
        db('users')
          .where({ id: rowId(ada) })
          .forUpdate(),
      request: () => ada.request('/api/v1/invitations/accept', { method: 'POST', body: { token: tokenIn(mail.text) } }),
      change: (db) =>
        db('users')
          .where({ id: rowId(ada) })
          .update({ status: 'DELETED' }),
    });
    expect(statusAndCode(answer)).toEqual([403, 'account_inactive']);
  });

  it('is restored with its memberships and roles within 30 days', async () => {
    const { id, path, join, role, assign, owner } = await makeOrganization(app);
    await join('MEMBER', ada);
    const support = await role('Support', ['members:invite']);
    await assign(owner, ada, [support]);
    expect((await remove(about(ada), staff)).status).toBe(204);
    expect((await post(about(ada, '/activate'))).body.status).toBe('ACTIVE');
    const { body: tokens } = await login(ada);
    const invited = await app.request(`${path}/invitations`, {
      method: 'POST',
      body: { email: 'x@example.com', role: 'VIEWER' },
      headers: { authorization: `Bearer ${tokens.accessToken}`, 'x-organization-id': id },
    });
    expect(invited.status).toBe(201);
    const home = { authorization: `Bearer ${tokens.accessToken}`, 'x-organization-id': ada.organizationId };
    expect((await app.request('/api/v1/api-keys', { headers: home })).status).toBe(200);
  });

  it('keeps its address until it is erased, which only its mailbox learns', async () => {
    await remove('/api/v1/users/me', ada);
    const again = await app.request('/api/v1/auth/register', {
      method: 'POST',
      body: { email: ada.email, password: ada.password },
    });
    expect(again.status).toBe(201);
    await eventually(
      () => app.mails.find(({ to, subject }) => to === ada.email && /deleted account/.test(subject)),
      'it',
    );
    expect(statusAndCode(await login(ada))).toEqual([403, 'account_inactive']);
  });
});

describe('erasing', () => {
  const erase = async () => {
    const job = app.ports.jobs.all.find(({ name }) => name === 'accounts.erase_deleted')!;
    const { systemContext } = await import('@rentapi/api/context');
    const signal = new AbortController().signal;
    await job.run(systemContext(app.ports, 'erasing'), { at: new Date() }, { touch() {}, signal });
  };
  /** Every table that contains the text anywhere. */
  async function tablesWith(text: string): Promise<string[]> {
    const tables = await app.rows('pg_tables').where({ schemaname: 'public' }).pluck('tablename');
    const found = await Promise.all(
      tables.map(async (table) => {
        const { rows } = await app.rows.raw(`select 1 from ${table} t where t::text ilike ? limit 1`, [`%${text}%`]);
        return rows.length > 0 ? [table] : [];
      }),
    );
    return found.flat();
  }
  const sequenced = () =>
    eventually(async () => ((await app.rows('auditLogs').whereNull('position').first('id')) ? undefined : true), 'it');

  it('takes every trace of the person after 30 days, and the chains still verify', async () => {
    const ip = '203.0.113.77';
    const name = `Ada ${crypto.randomUUID().slice(0, 8)}`;
    const headers = { 'x-test-ip': ip, 'user-agent': `of ${name}` };
    const { join, path } = await makeOrganization(app);
    await join('MEMBER', ada);
    const other = await makeOrganization(app);
    await other.owner.request(`${other.path}/invitations`, {
      method: 'POST',
      body: { email: ada.email, role: 'MEMBER' },
    });
    await ada.request('/api/v1/users/me', { method: 'PATCH', body: { fullName: name, metadata: { name } }, headers });
    const { body: key } = await ada.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name, scopes: ['*'], externalId: name },
      headers,
    });
    const made = [
      await ada.request('/api/v1/webhooks', {
        method: 'POST',
        body: { url: 'https://example.com/hook', events: ['api_key.created'], description: name },
      }),
      await ada.request('/api/v1/roles', { method: 'POST', body: { name, permissions: ['org:read'] } }),
      await ada.request('/api/v1/usage/meters', {
        method: 'POST',
        body: { slug: 'calls', name, aggregation: 'count' },
      }),
      await ada.request(`${path}/chat/messages`, { method: 'POST', body: { text: name } }),
    ];
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    await app.request('/api/v1/api-keys', { headers: { ...headers, 'x-api-key': key.secret } });
    await app.ports.keyUses.close();
    await app.request('/api/v1/auth/login', { method: 'POST', body: { email: ada.email, password: 'wrong' }, headers });
    await ada.request('/api/v1/users/me', { method: 'DELETE', headers });
    await sequenced();
    const last = { userAgent: headers['user-agent'], procedure: 'users.me.delete' };
    await eventually(async () => app.rows('usage_calls').where(last).first('callId'), 'the usage log');
    expect(await tablesWith(ada.email)).toEqual(expect.arrayContaining(['users', 'audit_logs', 'events']));

    app.advance(29 * DAY_MS);
    await erase();
    expect(await tablesWith(name)).toContain('users');
    app.advance(2 * DAY_MS);
    await erase();
    await eventually(async () => ((await app.rows('agendaJobs').first('name')) ? undefined : true), 'the jobs');
    // The wrong password was no one's call: it goes with its day, 30 days later.
    await app.rows('usage_calls').where({ organizationId: 0 }).whereNull('userId').delete();
    for (const trace of [ada.email.split('@')[0]!, name, ip])
      expect([trace, (await tablesWith(trace)).filter((table) => table !== 'mailbox_mails')]).toEqual([trace, []]);
    await sequenced();
    for await (const { broken } of verifyAuditChains(app.rows)) expect(broken).toBeNull();

    staff = await app.signUp();
    await setRole(staff, 'ADMIN');
    const { body } = await staff.request(about(ada));
    expect(body).toMatchObject({ email: 'erased@invalid', fullName: null, status: 'DELETED', metadata: {} });
    expect(statusAndCode(await post(about(ada, '/activate')))).toEqual([409, 'account_erased']);
    const { id } = await app.signUp({ email: ada.email });
    expect(id).not.toBe(ada.id);
  });

  it('leaves neither a personal column nor a right: each column is erased, or kept for a reason', async () => {
    const columns = Object.keys(await app.rows('users').columnInfo());
    expect(columns.toSorted()).toEqual([...Object.keys(erasedColumns(1)), ...Object.keys(KEPT_COLUMNS)].toSorted());
    await setRole(ada, 'SUPER_ADMIN');
    await addAuthenticator(app, ada);
    await setRole(ada, 'VIEWER');
    await remove('/api/v1/users/me', ada);
    app.advance(31 * DAY_MS);
    await erase();
    const row = await app
      .rows('users')
      .where({ id: rowId(ada) })
      .first();
    expect(row).toMatchObject(erasedColumns(rowId(ada)));
    expect(row.status).toBe('DELETED');
    app.advance(-31 * DAY_MS);
  });

  it('takes the invitations of addresses that the person had earlier', async () => {
    const { path, owner } = await makeOrganization(app);
    const earlier = ada.email;
    const invite = (email: string) =>
      owner.request(`${path}/invitations`, { method: 'POST', body: { email, role: 'MEMBER' } });
    await invite(earlier);
    await app
      .rows('users')
      .where({ id: rowId(ada) })
      .update({ emailVerifiedAt: new Date() });
    const email = `${crypto.randomUUID()}@example.com`;
    await ada.request('/api/v1/users/me/email', { method: 'POST', body: { email } });
    const { text } = await eventually(
      () => app.mails.find((mail) => mail.to === email && mail.text.includes('token=')),
      'the link',
    );
    const body = { token: tokenIn(text) };
    expect((await app.request('/api/v1/auth/email-change/confirm', { method: 'POST', body })).status).toBe(204);
    // Of the next owner of the mailbox.
    const { path: other, owner: inviter } = await makeOrganization(app);
    await inviter.request(`${other}/invitations`, { method: 'POST', body: { email: earlier, role: 'MEMBER' } });
    await remove('/api/v1/users/me', ada);
    await sequenced();
    app.advance(31 * DAY_MS);
    await erase();
    const left = await app.rows('organization_invitations').where({ email: earlier });
    expect(left.map(({ organizationId }) => app.ports.ids.encode('org', organizationId))).toEqual([
      other.split('/').at(-1),
    ]);
    app.advance(-31 * DAY_MS);
  });

  it('knows every table whose rows belong to a user', async () => {
    const { rows } = await app.rows.raw<{ rows: { name: string }[] }>(
      `select conrelid::regclass::text || '.' || a.attname as name
       from pg_constraint join pg_attribute a on a.attrelid = conrelid and a.attnum = any(conkey)
       where contype = 'f' and confrelid = 'users'::regclass`,
    );
    const referring = [...WITHOUT_KEY, ...rows.map(({ name }) => name)].filter((name) => !KEPT.includes(name));
    expect(referring.toSorted()).toEqual(ERASED_TABLES.map((table) => `${table}.user_id`).toSorted());
  });

  it('leaves accounts that were restored', async () => {
    await remove('/api/v1/users/me', ada);
    await post(about(ada, '/activate'));
    app.advance(31 * DAY_MS);
    await erase();
    expect((await login(ada)).status).toBe(200);
  });
});
