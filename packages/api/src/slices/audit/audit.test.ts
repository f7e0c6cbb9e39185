import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode, type TestOrganization } from '../../../test/organization.ts';
import { systemContext } from '../../context.ts';
import { exampleId } from '../../contract/ids.ts';
import type { OrganizationPermission } from '../../contract/permissions.ts';
import { NO_TERMS } from '../../contract/plans.ts';
import { exportAuditLogs } from './service.ts';
import { type ChainReport, verifyAuditChains } from './verify.ts';

let app: TestApp;
let acme: TestOrganization;
let admin: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  acme = await makeOrganization(app);
  admin = await acme.join('ADMIN');
});
afterAll(() => app.close());

const read = (who: Person, query = '') => who.request(`${acme.path}/audit-logs?${query}`);
const makeKey = (who: Person, name: string) =>
  acme.as(who)('/api/v1/api-keys', { method: 'POST', body: { name, scopes: ['org:read'] } });

async function allSequenced(): Promise<void> {
  const waiting = async () => (await app.rows('audit_logs').whereNull('position').first()) === undefined;
  await eventually(async () => ((await waiting()) ? true : undefined), 'every entry to get its position');
}

describe('the audit log', () => {
  it('says who did what to what, with public ids only', async () => {
    const { body: key } = await makeKey(admin, 'CI');
    await allSequenced();
    const [entry] = (await read(acme.owner)).body.items;
    expect(entry).toMatchObject({
      action: 'api_key.created',
      actor: { kind: 'user', id: admin.id },
      target: { kind: 'api_key', id: key.id },
      before: null,
      after: { id: key.id, organizationId: acme.id, name: 'CI', createdBy: admin.id },
      ip: '127.0.0.1',
    });
    expect(JSON.stringify(entry)).not.toMatch(/secret|emailKey|[iI]d":\d/);
  });

  it('is read by admins and owners of the organization only', async () => {
    const [member, viewer, stranger] = [await acme.join('MEMBER'), await acme.join('VIEWER'), await app.signUp()];
    expect((await read(admin)).status).toBe(200);
    for (const who of [member, viewer]) expect(statusAndCode(await read(who))).toEqual([403, 'permission_denied']);
    expect(statusAndCode(await read(stranger))).toEqual([404, 'not_found']);
  });

  it('shows an organization nothing of what its members do to their own accounts and sessions', async () => {
    const secret = await makeOrganization(app, admin, { name: 'Secret venture' });
    const here = acme.as(admin);
    const body = { metadata: { salary: 1 }, defaultOrganizationId: secret.id };
    expect((await here('/api/v1/users/me', { method: 'PATCH', body })).status).toBe(200);
    const confirm = { method: 'POST', body: { password: admin.password } };
    const { body: tokens } = await here('/api/v1/auth/reauthenticate', confirm);
    const authorization = `Bearer ${tokens.accessToken}`;
    await here('/api/v1/auth/logout', { method: 'POST', headers: { authorization } });
    await allSequenced();
    const { items } = (await read(acme.owner)).body;
    expect(items.map(({ action }: { action: string }) => action)).toEqual(['organization.created']);
    const own = { actorKind: 'user', actorId: app.ports.ids.decode('usr', admin.id), organizationId: null };
    const kept = await app.rows('audit_logs').where(own).orderBy('id').pluck('action');
    expect(kept).toEqual([
      'session.started',
      'user.updated',
      'session.started',
      'session.reauthenticated',
      'session.ended',
    ]);
    expect(await app.rows('events').where({ organizationId: acme.organizationId }).pluck('type')).toEqual([
      'organization.created',
    ]);
  });

  it('can be filtered by actor, action, target and time', async () => {
    const { body: first } = await makeKey(admin, 'first');
    const { body: second } = await makeKey(acme.owner, 'second');
    await acme.as(acme.owner)(`/api/v1/api-keys/${first.id}`, { method: 'DELETE' });
    await allSequenced();
    const actions = async (query: string) =>
      (await read(acme.owner, query)).body.items.map(({ action }: { action: string }) => action);
    expect(await actions(`actorId=${admin.id}`)).toEqual(['api_key.created']);
    expect(await actions('action=api_key.created')).toHaveLength(2);
    expect(await actions(`targetId=${first.id}`)).toEqual(['api_key.revoked', 'api_key.created']);
    expect(await actions(`targetId=${second.id}&action=api_key.revoked`)).toEqual([]);
    expect(await actions(`to=${acme.made.createdAt}`)).toEqual([]);
    expect(await actions(`from=${acme.made.createdAt}&action=organization.created`)).toHaveLength(1);
    expect(await actions('to=2020-01-01T00:00:00%2B00:00')).toEqual([]);
    expect(await actions('from=2020-01-01t00:00:00-00:00&action=organization.created')).toHaveLength(1);
    expect(statusAndCode(await read(acme.owner, 'actorId=org_00000000000000000000000000'))).toEqual([
      400,
      'invalid_input',
    ]);
  });

  it('can be filtered by every kind of id that a target has, including invitations', async () => {
    const body = { email: 'jane@example.com', role: 'MEMBER' };
    const { body: invited } = await acme.owner.request(`${acme.path}/invitations`, { method: 'POST', body });
    await allSequenced();
    const { items } = (await read(acme.owner, `targetId=${invited.id}`)).body;
    expect(items.map(({ target }: { target: unknown }) => target)).toEqual([{ kind: 'invitation', id: invited.id }]);
    expect(items[0].after).toMatchObject({ id: invited.id, organizationId: acme.id, inviterUserId: acme.owner.id });
    const event = exampleId('evt');
    expect((await read(acme.owner, `targetId=${event}`)).body.errors[0].message).toMatch(
      /^must be the id of a user, an organization, .*an invitation.* \(usr_…, org_…, .*ivt_….*\)$/,
    );
  });

  it('shows only columns that the facts of the model keep, whatever is stored', async () => {
    const organizationId = acme.organizationId;
    const after = { id: 7, name: 'CI', createdBy: 7, secretHash: 'abc', emailKey: 'x', forgottenId: 8 };
    const entry = { organizationId, actorKind: 'system', requestId: 'r', ip: '127.0.0.1', createdAt: new Date() };
    await app.rows('audit_logs').insert([
      { ...entry, action: 'old', targetKind: 'api_keys', targetId: 7, after },
      { ...entry, action: 'older', targetKind: 'dropped_table', targetId: 7, after },
    ]);
    await app.rows.raw("select pg_notify('recorded', '')");
    await allSequenced();
    const entryOf = async (action: string) => (await read(acme.owner, `action=${action}`)).body.items[0];
    const { ids } = app.ports;
    expect((await entryOf('old')).after).toEqual({
      id: ids.encode('key', 7),
      name: 'CI',
      createdBy: ids.encode('usr', 7),
    });
    expect(await entryOf('older')).toMatchObject({ target: { kind: 'dropped_table', id: null }, after: null });
  });

  it('comes page by page, each entry once', async () => {
    for (let at = 0; at < 5; at++) await makeKey(admin, `k${at}`);
    await allSequenced();
    const first = await read(admin, 'limit=4');
    await makeKey(admin, 'meanwhile');
    const second = await read(admin, `limit=4&cursor=${first.body.nextCursor}`);
    const ids = [...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id);
    expect([ids.length, new Set(ids).size, second.body.nextCursor]).toEqual([6, 6, null]);
    const misused = await read(admin, `action=member.left&cursor=${first.body.nextCursor}`);
    expect(statusAndCode(misused)).toEqual([400, 'invalid_cursor']);
  });

  it('can be exported as a whole, one JSON value per line', async () => {
    for (let at = 0; at < 3; at++) await makeKey(admin, `k${at}`);
    await allSequenced();
    const { status, headers, body } = await admin.request(`${acme.path}/audit-logs/export?action=api_key.created`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const lines: { after: { name: string } }[] = body
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(lines.map(({ after }) => after.name)).toEqual(['k0', 'k1', 'k2']);
    const member = await acme.join('MEMBER');
    const refused = [
      await member.request(`${acme.path}/audit-logs/export`),
      await (await app.signUp()).request(`${acme.path}/audit-logs/export`),
      await app.request(`${acme.path}/audit-logs/export`),
      await admin.request(`${acme.path}/audit-logs/export?page=2`),
    ];
    expect(refused.map(statusAndCode)).toEqual([
      [403, 'permission_denied'],
      [404, 'not_found'],
      [401, 'credentials_required'],
      [400, 'invalid_input'],
    ]);
  });
});

describe('an export', () => {
  it('reads at once as many entries as fit into half a megabyte, and a larger entry alone', async () => {
    const insert = (sizes: number[]) =>
      app.rows.raw(
        `insert into audit_logs
           (organization_id, action, actor_kind, target_kind, target_id, request_id, ip, created_at, before)
         select ?, 'x', 'system', 'organizations', 1, 'r', '127.0.0.1', now(), jsonb_build_object('name', repeat('x', size))
         from unnest(?::int[]) with ordinality as sizes (size, at) order by at`,
        [acme.organizationId, sizes],
      );
    await insert([...Array(700).fill(10), ...Array(30).fill(50_000), 1_000_000, 10]);
    await app.rows.raw("select pg_notify('recorded', '')");
    await allSequenced();
    const organization = { id: acme.organizationId, permissions: new Set<OrganizationPermission>() };
    const system = systemContext(app.ports, 'test');
    const actor = {
      kind: 'key' as const,
      creator: null,
      key: {
        id: 1,
        organizationId: organization.id,
        environment: 'live' as const,
        permissions: organization.permissions,
        limits: { perMinute: null, perHour: null, perDay: null, override: null },
        terms: { plan: 'FREE' as const, planTerms: NO_TERMS, planEnd: null, override: null, callsUsedUpUntil: null },
      },
    };
    const input = { orgId: acme.id, action: 'x' };
    const sizes: number[] = [];
    for await (const batch of exportAuditLogs({ ...system, organization, actor }, input)) sizes.push(batch.length);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(732);
    expect(sizes[0]).toBe(500);
    expect(Math.max(...sizes.slice(2))).toBeLessThanOrEqual(10);
    expect(sizes.slice(-2)).toEqual([1, 1]);
  });

  const url = () => `${acme.path}/audit-logs/export`;

  it('is an operation like any other: path aliases, HEAD, other methods, parameter spellings', async () => {
    const ask = acme.as(acme.owner);
    const deprecated = async (path: string) => {
      const { status, headers } = await ask(path);
      return [status, headers.get('link')];
    };
    const successor = [200, `<${url()}>; rel="successor-version"`];
    expect(await deprecated(url().replace('organizations', 'tenants'))).toEqual(successor);
    expect(await deprecated(`${url()}/`)).toEqual(successor);
    expect(statusAndCode(await ask(`${url()}?actor_id=${admin.id}`))).toEqual([200]);
    expect(statusAndCode(await ask(`${url()}?actor_id=${admin.id}&actorId=${admin.id}`))).toEqual([
      400,
      'invalid_input',
    ]);
    const head = await ask(url(), { method: 'HEAD' });
    expect([head.status, head.body, head.headers.get('content-type')]).toEqual([
      200,
      '',
      'application/x-ndjson; charset=utf-8',
    ]);
    const post = await ask(url(), { method: 'POST' });
    expect([...statusAndCode(post), post.headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      'GET, HEAD, OPTIONS',
    ]);
    const refused = await ask(`${url()}?page=2`);
    expect(refused.headers.get('content-disposition')).toBeNull();
  });

  /** More than network buffers hold, with a client that starts to read and then stops. */
  async function openLarge(reader: Person) {
    await app.rows.raw(
      `insert into audit_logs (organization_id, action, actor_kind, target_kind, target_id, request_id, user_agent, ip, created_at)
       select ?, 'x', 'system', 'organizations', 1, 'r', repeat('x', 4000), '127.0.0.1', now() from generate_series(1, 6000)`,
      [acme.organizationId],
    );
    await app.rows.raw("select pg_notify('recorded', '')");
    await allSequenced();
    const asking = once(app.server, 'request');
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write(`GET ${url()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${reader.tokens.accessToken}\r\n\r\n`);
    const [, res] = (await asking) as [IncomingMessage, ServerResponse];
    await once(socket, 'data');
    let tail = '';
    socket.on('data', (data) => {
      tail = (tail + data.toString('latin1')).slice(-10);
    });
    const isWhole = () => tail.endsWith('\r\n0\r\n\r\n');
    return { socket, res, isWhole };
  }

  /**
   * How the export ends after this, while its client reads nothing. On a busy machine the change may take so long that
   * the export is dropped as unread first, after five seconds: then again.
   */
  function endedBy(change: (reader: Person) => Promise<unknown>) {
    return eventually(
      async () => {
        const reader = await acme.join('ADMIN');
        const { socket, res, isWhole } = await openLarge(reader);
        socket.pause();
        let flowedAt = performance.now();
        await eventually(async () => {
          const [lookedAt, written] = [performance.now(), res.socket?.bytesWritten];
          await sleep(200);
          if (res.writableNeedDrain && res.socket?.bytesWritten === written) return true;
          flowedAt = lookedAt;
          return undefined;
        }, 'the network buffers to be full');
        await change(reader);
        await eventually(() => (res.destroyed ? true : undefined), 'the export to end');
        const inTime = performance.now() - flowedAt < 4900;
        socket.resume();
        await once(socket, 'close');
        return inTime ? { isWhole: isWhole() } : undefined;
      },
      'an end before that of an unread export',
      60_000,
    );
  }

  it('is cut off at the end of the session, before it is dropped as unread, while the client reads nothing', async () => {
    const logout = (reader: Person) => reader.request('/api/v1/auth/logout', { method: 'POST' });
    expect(await endedBy(logout)).toEqual({ isWhole: false });
  });

  it('is cut off at the loss of the permission, before it is dropped as unread', async () => {
    expect(await endedBy((reader) => acme.setRole(acme.owner, reader, 'MEMBER'))).toEqual({ isWhole: false });
  });

  const patiently = { timeout: 300_000 };
  it(
    'that is not read takes little memory, and is dropped after five seconds, as are sixty at once',
    patiently,
    async () => {
      await app.rows.raw(
        `insert into audit_logs
         (organization_id, action, actor_kind, target_kind, target_id, request_id, ip, created_at, before, after)
       select ?, 'x', 'system', 'organizations', 1, 'r', '127.0.0.1', now(), large, large
       from generate_series(1, 300), lateral (select jsonb_build_object('metadata', repeat('x', 25000)) as large) as row`,
        [acme.organizationId],
      );
      await app.rows.raw("select pg_notify('recorded', '')");
      await allSequenced();
      const responses: ServerResponse[] = [];
      const keep = (_: IncomingMessage, res: ServerResponse) => void responses.push(res);
      app.server.on('request', keep);
      const head = `GET ${url()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${admin.tokens.accessToken}\r\n\r\n`;
      const clients = Array.from({ length: 60 }, () => connect(Number(new URL(app.url).port), '127.0.0.1'));
      for (const client of clients) client.pause().write(head);
      await eventually(() => responses.length === 60 || undefined, 'the exports to be asked for');
      app.server.off('request', keep);
      let mostHeld = 0;
      const timer = setInterval(() => {
        mostHeld = Math.max(mostHeld, ...responses.map(({ writableLength }) => writableLength));
      }, 5);
      await eventually(() => responses.every(({ destroyed }) => destroyed) || undefined, 'all to be dropped', 200_000);
      clearInterval(timer);
      for (const client of clients) client.destroy();
      expect(mostHeld).toBeGreaterThan(0);
      expect(mostHeld).toBeLessThan(256 * 1024); // of 15 MB each
      expect(app.logs.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
    },
  );

  it('waits for its client without adding listeners', async () => {
    const { socket, res, isWhole } = await openLarge(admin);
    let most = 0;
    for (let pauses = 0; pauses < 40 && !isWhole(); pauses++) {
      socket.pause();
      await sleep(10);
      most = Math.max(most, res.listenerCount('drain'), res.listenerCount('close'));
      socket.resume();
      await sleep(5);
    }
    await eventually(() => (isWhole() ? true : undefined), 'all of it');
    expect(most).toBeLessThan(10);
    socket.destroy();
  });
});

describe('the chain of hashes', () => {
  const raw = (text: string, values: (string | number)[] = []) => app.rows.raw(text, values);

  async function verifyAll(): Promise<ChainReport[]> {
    const reports: ChainReport[] = [];
    for await (const report of verifyAuditChains(app.ports.database)) reports.push(report);
    return reports;
  }
  async function verify(): Promise<ChainReport> {
    await allSequenced();
    return (await verifyAll()).find(({ organizationId }) => organizationId === acme.organizationId)!;
  }
  /** A change that only the owner of the database can make. */
  async function tamper(text: string, values: (string | number)[] = []): Promise<void> {
    await raw('alter table audit_logs disable trigger append_only');
    await raw(text, values);
    await raw('alter table audit_logs enable trigger append_only');
  }
  const entryNamed = (action: string) =>
    app.rows('audit_logs').where({ organizationId: acme.organizationId, action }).first();

  beforeEach(async () => {
    for (let at = 0; at < 3; at++) await makeKey(admin, `k${at}`);
    await acme.setRole(acme.owner, admin, 'MEMBER');
    await makeKey(acme.owner, 'last');
    await allSequenced();
  });

  it('is intact for all entries, in every organization and outside of them', async () => {
    const reports = await verifyAll();
    expect(reports.map(({ broken }) => broken)).toEqual(reports.map(() => null));
    expect((await verify()).entries).toBe(6);
  });

  it('names the first entry that was changed', async () => {
    const entry = await entryNamed('member.roles_changed');
    await tamper('update audit_logs set actor_id = actor_id + 1 where id = ?', [entry.id]);
    const { broken, entries } = await verify();
    expect(broken).toEqual({
      entryId: entry.id,
      position: entry.position,
      action: 'member.roles_changed',
      what: 'content',
    });
    expect(entries).toBe(4);
  });

  it('names the entry after one that was removed', async () => {
    const entry = await entryNamed('member.roles_changed');
    await tamper('delete from audit_logs where id = ?', [entry.id]);
    const { broken } = await verify();
    expect([broken?.action, broken?.what]).toEqual(['api_key.created', 'content']);
    expect(broken?.position).toBeGreaterThan(entry.position);
  });

  it('notices entries missing from the end', async () => {
    const entry = await entryNamed('member.roles_changed');
    await tamper('delete from audit_logs where organization_id = ? and position >= ?', [
      acme.organizationId,
      entry.position,
    ]);
    expect((await verify()).broken?.what).toBe('end');
    await raw('delete from audit_chains where organization_id = ?', [acme.organizationId]);
    expect((await verify()).broken?.what).toBe('end');
  });

  it('notices a personal part that was changed', async () => {
    const entry = await entryNamed('member.roles_changed');
    await tamper(`update audit_logs set ip = '203.0.113.1' where id = ?`, [entry.id]);
    expect((await verify()).broken).toMatchObject({ entryId: entry.id, what: 'personal part' });
  });

  it('survives the erasure of personal data, which the server may do through a function', async () => {
    const erase = `select erase_audit_personal(array_agg(id)) as erased from audit_logs
                   where organization_id = ? and actor_id = ?`;
    const { rows } = await app.ports.database.raw(erase, [acme.organizationId, app.ports.ids.decode('usr', admin.id)]);
    expect(rows).toEqual([{ erased: 3 }]);
    expect((await verify()).broken).toBeNull();
    const { body } = await read(acme.owner, `actorId=${admin.id}`);
    expect(body.items.map((entry: { ip: unknown; after: unknown }) => [entry.ip, entry.after])).toEqual(
      Array(3).fill([null, null]),
    );
  });

  it('cannot be rewritten by accident', async () => {
    const entry = await entryNamed('member.roles_changed');
    for (const change of [
      "action = 'nothing'",
      'position = position + 1000',
      "chain_hash = ''",
      'ip = null',
      'before = null, after = null',
    ]) {
      await expect(raw(`update audit_logs set ${change} where id = ?`, [entry.id])).rejects.toThrow('append-only');
    }
  });
});
