import type { Knex } from '@rentapi/platform/database';
import { createMemoryLimiter } from '@rentapi/platform/limiter';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization, statusAndCode } from '../../../test/organization.ts';
import { ORGANIZATION_PERMISSIONS, SCOPES } from '../../contract/permissions.ts';
import { isWellFormed } from './secret.ts';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const create = (who: Person, body: object) => who.request('/api/v1/api-keys', { method: 'POST', body });

describe('creating', () => {
  it('shows the secret once, and never again', async () => {
    const { status, body } = await create(ada, { name: 'CI', scopes: ['api_keys:read'] });
    expect(status).toBe(201);
    expect(isWellFormed(body.secret)).toBe(true);
    expect(body.last4).toBe(body.secret.slice(-4));
    const again = await ada.request(`/api/v1/api-keys/${body.id}`);
    expect(again.body).toEqual({ ...body, secret: undefined });
    expect(JSON.stringify(again.body)).not.toContain(body.secret.slice(15, -4));
  });

  it('stores only a hash of the secret', async () => {
    const { body } = await create(ada, { name: 'CI', scopes: ['*'] });
    const rows = await app.rows('api_keys').where({ id: app.ports.ids.decode('key', body.id) });
    const logged = await app.rows('audit_logs').where({ action: 'api_key.created' });
    const events = await app.rows('events').where({ type: 'api_key.created' });
    expect(JSON.stringify([rows, logged, events])).not.toContain(body.secret);
    expect(JSON.stringify(logged)).not.toMatch(/secretHash/);
  });

  it('never grants a scope its creator lacks', async () => {
    const { body: narrow } = await create(ada, { name: 'narrow', scopes: ['api_keys:create'] });
    const asKey = (scopes: string[]) =>
      app.request('/api/v1/api-keys', {
        method: 'POST',
        headers: { 'x-api-key': narrow.secret },
        body: { name: 'wide', scopes },
      });
    for (const scope of ['*', 'read:*', 'api_keys:*', 'api_keys:read']) {
      const { status, body } = await asKey([scope]);
      expect([scope, status, body.code]).toEqual([scope, 403, 'scope_not_held']);
    }
    expect((await asKey(['api_keys:create'])).status).toBe(201);
  });

  it('accepts a time with any offset, and answers it in UTC', async () => {
    for (const expiresAt of ['2030-01-31T12:00:00+00:00', '2030-01-31t13:30:00+01:30', '2030-01-31T12:00:00-00:00']) {
      const { status, body } = await create(ada, { name: 'CI', scopes: ['*'], expiresAt });
      expect([status, body.expiresAt]).toEqual([201, '2030-01-31T12:00:00.000Z']);
    }
  });

  it('refuses an expiry in the past', async () => {
    const { status, body } = await create(ada, { name: 'late', scopes: ['*'], expiresAt: '2020-01-01T00:00:00Z' });
    expect([status, body.errors[0].path]).toEqual([400, 'expiresAt']);
  });
});

describe('calling with a key', () => {
  const me = (secret: string, headers: Record<string, string> = {}) =>
    app.request('/api/v1/users/me', { headers: { 'x-api-key': secret, ...headers } });

  it('works in either header and in both, but not together with another', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    expect((await me(key.secret)).body.id).toBe(ada.id);
    expect(
      (await app.request('/api/v1/users/me', { headers: { authorization: `Bearer ${key.secret}` } })).body.id,
    ).toBe(ada.id);
    expect((await me(key.secret, { authorization: `Bearer ${key.secret}` })).body.id).toBe(ada.id);
    const two = await me(key.secret, { authorization: `Bearer ${ada.tokens.accessToken}` });
    expect([two.status, two.body.code]).toEqual([400, 'ambiguous_credentials']);
  });

  it('ends with the revocation, at once', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    expect((await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' })).status).toBe(204);
    const after = await me(key.secret);
    expect([after.status, after.body.code]).toEqual([401, 'api_key_revoked']);
    expect((await ada.request(`/api/v1/api-keys/${key.id}`)).body.revokedAt).not.toBeNull();
  });

  it('ends with its expiry', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString();
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'], expiresAt: soon });
    expect((await me(key.secret)).status).toBe(200);
    app.advance(61_000);
    const after = await me(key.secret);
    app.advance(-61_000);
    expect([after.status, after.body.code]).toEqual([401, 'api_key_expired']);
  });

  it('refuses a bad checksum without a query', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    const typo = key.secret.slice(0, -1) + (key.secret.endsWith('a') ? 'b' : 'a');
    let statements = 0;
    const { client } = app.ports.database;
    const acquire = client.acquireConnection;
    client.acquireConnection = () => {
      statements++;
      return acquire.call(client);
    };
    // Background work queries now and then, too: one of ten attempts without a statement is enough.
    const counts: number[] = [];
    for (let at = 0; at < 10; at++) {
      statements = 0;
      const refused = await me(typo);
      expect([refused.status, refused.body.code]).toEqual([401, 'invalid_api_key']);
      counts.push(statements);
    }
    client.acquireConnection = acquire;
    expect(counts).toContain(0);
  });

  it('may do what its scopes say, and no more', async () => {
    const { body: key } = await create(ada, { name: 'reader', scopes: ['read:*'] });
    const headers = { 'x-api-key': key.secret };
    expect((await app.request('/api/v1/api-keys', { headers })).status).toBe(200);
    const write = await app.request('/api/v1/api-keys', {
      method: 'POST',
      headers,
      body: { name: 'x', scopes: ['read:*'] },
    });
    expect([write.status, write.body.code]).toEqual([403, 'permission_denied']);
  });

  it('works only from the addresses it allows, IPv4 mapped into IPv6 included', async () => {
    const { body: key } = await create(ada, {
      name: 'office',
      scopes: ['*'],
      ipAllowList: ['203.0.113.0/24', '2001:db8::/32'],
    });
    const from = async (ip: string) => (await me(key.secret, { 'x-test-ip': ip })).status;
    expect(
      await Promise.all(['203.0.113.9', '::ffff:203.0.113.9', '2001:db8::1', '203.0.114.1', '2001:db9::1'].map(from)),
    ).toEqual([200, 200, 200, 403, 403]);
  });

  it('works only from the web origins it allows', async () => {
    const { body: key } = await create(ada, {
      name: 'web',
      scopes: ['*'],
      allowedOrigins: ['https://app.example.com'],
    });
    expect((await me(key.secret, { origin: 'https://app.example.com' })).status).toBe(200);
    expect((await me(key.secret, { origin: 'https://evil.example' })).body.code).toBe('origin_not_allowed');
    expect((await me(key.secret)).body.code).toBe('origin_not_allowed');
  });

  it.each(['capacitor://localhost', 'tauri://localhost', 'chrome-extension://abcdefghijklmnopabcdefghijklmnop'])(
    'works from the app or extension at %s',
    async (origin) => {
      const { status, body } = await create(ada, { name: 'app', scopes: ['*'], allowedOrigins: [origin] });
      expect(status).toBe(201);
      expect((await me(body.secret, { origin })).status).toBe(200);
      expect((await me(body.secret, { origin: 'https://evil.example' })).body.code).toBe('origin_not_allowed');
    },
  );

  it.each(['https://app.example.com/', 'https://*.example.com', 'app.example.com', '*', 'https://a@b.example', 'null'])(
    'refuses an origin that browsers never send: %s',
    async (origin) => {
      const { status, body } = await create(ada, { name: 'app', scopes: ['*'], allowedOrigins: [origin] });
      expect([status, body.errors[0].path]).toEqual([400, 'allowedOrigins.0']);
    },
  );

  it('obeys its own limit, and says how long to wait', async () => {
    const { body: key } = await create(ada, { name: 'slow', scopes: ['*'], rateLimitPerMinute: 3 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => me(key.secret)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(refused.body.code).toBe('rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit')).toContain('"key-minute"');
  });
});

describe('the last use of a key', () => {
  const me = (secret: string, headers: Record<string, string> = {}) =>
    app.request('/api/v1/users/me', { headers: { 'x-api-key': secret, ...headers } });
  const used = async (id: string) => {
    const { body } = await ada.request(`/api/v1/api-keys/${id}`);
    return [body.lastUsedAt && Date.parse(body.lastUsedAt), body.lastUsedIp];
  };
  const stored = (id: string) =>
    app
      .rows('api_key_uses')
      .where({ apiKeyId: app.ports.ids.decode('key', id) })
      .first();

  it('is answered with its time and address, and written by no request', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    expect([key.lastUsedAt, key.lastUsedIp]).toEqual([null, null]);
    const writes: string[] = [];
    const listen = ({ sql }: { sql: string }) => void (/insert into api_key_uses/.test(sql) && writes.push(sql));
    app.ports.database.on('query', listen);
    const before = Date.now();
    for (let call = 0; call < 5; call++) await me(key.secret, { 'x-test-ip': '::ffff:203.0.113.9' });
    expect(writes).toEqual([]);
    const [at, ip] = await used(key.id);
    expect([at >= before, ip]).toEqual([true, '203.0.113.9']);
    await app.ports.keyUses.close();
    await app.ports.keyUses.close();
    app.ports.database.off('query', listen);
    expect(writes).toHaveLength(1);
    expect(await used(key.id)).toEqual([at, ip]);
    const listed = await ada.request('/api/v1/api-keys');
    expect(listed.body.items[0]).toMatchObject({ id: key.id, lastUsedIp: ip, lastUsedAt: new Date(at).toISOString() });
    const updated = await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'PATCH', body: { name: 'Build' } });
    expect(updated.body).toMatchObject({ name: 'Build', lastUsedIp: ip });
    const rotated = await ada.request(`/api/v1/api-keys/${key.id}/rotate`, { method: 'POST', body: {} });
    expect(rotated.body).toMatchObject({ lastUsedIp: ip });
    expect(JSON.stringify(await app.rows('events'))).not.toContain('lastUsed');
  });

  it('stays the newest one, whichever process writes last', async () => {
    const second = await startApp({}, app);
    try {
      const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
      const here = { 'x-api-key': key.secret };
      await second.request('/api/v1/users/me', { headers: { ...here, 'x-test-ip': '203.0.113.1' } });
      app.advance(60_000);
      await me(key.secret, { 'x-test-ip': '203.0.113.2' });
      app.advance(-60_000);
      await app.ports.keyUses.close();
      await second.ports.keyUses.close();
      expect((await stored(key.id)).lastUsedIp).toBe('203.0.113.2');
    } finally {
      await second.close();
    }
  });

  it('is no call that was refused, nor one of a stranger', async () => {
    const make = async (body: object) => (await create(ada, { name: 'CI', scopes: ['*'], ...body })).body;
    const elsewhere = await make({ ipAllowList: ['203.0.113.0/24'] });
    const web = await make({ allowedOrigins: ['https://app.example.com'] });
    const off = await make({});
    await ada.request(`/api/v1/api-keys/${off.id}`, { method: 'PATCH', body: { enabled: false } });
    for (const key of [elsewhere, web, off]) {
      expect((await me(key.secret)).status).toBeGreaterThan(400);
      expect(await used(key.id)).toEqual([null, null]);
      await app.ports.keyUses.close();
      expect(await stored(key.id)).toBeUndefined();
    }
  });

  it('invalidates nothing that processes remember of the key', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    await me(key.secret);
    const { misses } = app.ports.actors.stats();
    await app.ports.keyUses.close();
    await me(key.secret);
    expect(app.ports.actors.stats().misses).toBe(misses);
  });
});

describe('updating', () => {
  const update = (id: string, body: object, headers: Record<string, string> = {}, method = 'PATCH') =>
    ada.request(`/api/v1/api-keys/${id}`, { method, body, headers });
  const me = (secret: string, headers: Record<string, string> = {}) =>
    app.request('/api/v1/users/me', { headers: { 'x-api-key': secret, ...headers } });

  it('changes what is given, leaves the rest, and answers the next version', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'], metadata: { a: 1 }, rateLimitPerDay: 9 });
    const changes = {
      name: 'Build',
      description: 'builds',
      scopes: ['read:*', 'api_keys:update'],
      ipAllowList: ['203.0.113.0/24'],
      allowedOrigins: ['https://app.example.com'],
      rateLimitPerMinute: 5,
      rateLimitPerHour: 50,
      rateLimitPerDay: null,
      expiresAt: '2100-01-31T12:00:00.000Z',
      metadata: { plan: 'trial', seats: 3, beta: true, note: null },
      enabled: false,
    };
    const first = await update(key.id, changes);
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"2"']);
    const { secret, ...shown } = key;
    expect(first.body).toEqual({ ...shown, ...changes, updatedAt: first.body.updatedAt });
    const second = await update(key.id, { description: null, expiresAt: null }, {}, 'PUT');
    expect(second.body).toEqual({
      ...first.body,
      description: null,
      expiresAt: null,
      updatedAt: second.body.updatedAt,
    });
    expect((await ada.request(`/api/v1/api-keys/${key.id}`)).body).toEqual(second.body);
    const same = await update(key.id, { name: 'Build', metadata: changes.metadata });
    expect(same.headers.get('etag')).toBe('"3"');
    const logged = await app.rows('audit_logs').where({ action: 'api_key.updated' });
    expect(JSON.stringify(logged)).not.toContain(secret);
  });

  it('lets one of many writers with the same version change it', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => update(key.id, { name }, { 'if-match': '"1"' })),
    );
    expect(answers.map(statusAndCode).filter(([status]) => status === 200)).toHaveLength(1);
    expect(answers.map(statusAndCode).filter(([, code]) => code === 'version_mismatch')).toHaveLength(4);
  });

  it('never adds a scope its editor lacks, and needs none to leave or remove one', async () => {
    const { body: editor } = await create(ada, { name: 'editor', scopes: ['api_keys:update'] });
    const { body: key } = await create(ada, { name: 'CI', scopes: ['members:invite', 'roles:read'] });
    const edit = (scopes: string[]) =>
      app.request(`/api/v1/api-keys/${key.id}`, {
        method: 'PATCH',
        headers: { 'x-api-key': editor.secret },
        body: { scopes },
      });
    for (const scopes of [['*'], ['read:*'], ['members:invite', 'roles:create'], ['roles:*']])
      expect([scopes, ...statusAndCode(await edit(scopes))]).toEqual([scopes, 403, 'scope_not_held']);
    expect((await edit(['members:invite', 'api_keys:update'])).body.scopes).toEqual([
      'members:invite',
      'api_keys:update',
    ]);
    expect(statusAndCode(await edit(['roles:read']))).toEqual([403, 'scope_not_held']);
  });

  it('takes effect at once: disabled, narrowed, moved to other addresses and origins, and back', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    expect((await me(key.secret)).status).toBe(200);
    await update(key.id, { enabled: false });
    expect(statusAndCode(await me(key.secret))).toEqual([401, 'api_key_disabled']);
    await update(key.id, { enabled: true, ipAllowList: ['203.0.113.0/24'] });
    const spoofed = { 'x-forwarded-for': '203.0.113.9' };
    expect(statusAndCode(await me(key.secret, spoofed))).toEqual([403, 'address_not_allowed']);
    expect((await me(key.secret, { 'x-test-ip': '::ffff:203.0.113.9' })).status).toBe(200);
    await update(key.id, { ipAllowList: [], allowedOrigins: ['https://app.example.com'] });
    expect(statusAndCode(await me(key.secret))).toEqual([403, 'origin_not_allowed']);
    await update(key.id, { allowedOrigins: [], scopes: [] });
    const headers = { 'x-api-key': key.secret };
    expect(statusAndCode(await app.request('/api/v1/api-keys', { headers }))).toEqual([403, 'permission_denied']);
    await update(key.id, { scopes: ['api_keys:read'] });
    expect((await app.request('/api/v1/api-keys', { headers })).status).toBe(200);
  });

  it('is noticed by every process', async () => {
    const second = await startApp({}, app);
    try {
      const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
      const there = () => second.request('/api/v1/users/me', { headers: { 'x-api-key': key.secret } });
      expect((await there()).status).toBe(200);
      await update(key.id, { enabled: false });
      await eventually(async () => ((await there()).status === 401 ? true : undefined), 'the other process');
      expect(statusAndCode(await there())).toEqual([401, 'api_key_disabled']);
    } finally {
      await second.close();
    }
  });

  it('lets a disabled key change nothing that it had begun', async () => {
    const acme = await makeOrganization(app);
    const { body: key } = await acme.as(acme.owner)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'k', scopes: ['*'] },
    });
    const answer = await acme.overtaken(
      () =>
        app.request('/api/v1/roles', {
          method: 'POST',
          headers: { 'x-api-key': key.secret },
          body: { name: 'Late', permissions: [] },
        }),
      (db) => db('api_keys').where({ organizationId: acme.organizationId }).update({ enabled: false }),
    );
    expect(statusAndCode(answer)).toEqual([403, 'permission_denied']);
  });

  it('refuses what no key may be, and changes nothing', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    const tooMany = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, at]));
    for (const [path, body] of [
      ['expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
      ['metadata', { metadata: tooMany }],
      ['ipAllowList.0', { ipAllowList: ['203.0.113.0/33'] }],
      ['allowedOrigins.0', { allowedOrigins: ['*'] }],
      ['rateLimitPerMinute', { rateLimitPerMinute: 0 }],
      ['scopes.0', { scopes: ['users:read'] }],
      ['enabled', { enabled: 'no' }],
    ] as const) {
      const { status, body: problem } = await update(key.id, body);
      expect([status, problem.errors[0].path]).toEqual([400, path]);
    }
    await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });
    expect(statusAndCode(await update(key.id, { name: 'x' }))).toEqual([409, 'api_key_is_revoked']);
  });
});

describe('rotating', () => {
  const me = (secret: string) => app.request('/api/v1/users/me', { headers: { 'x-api-key': secret } });
  const rotate = (id: string, body: object, headers: Record<string, string> = {}) =>
    ada.request(`/api/v1/api-keys/${id}/rotate`, { method: 'POST', body, headers });

  it('answers a new secret, and the old one ends with the grace period', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'], environment: 'test' });
    const { status, body } = await rotate(key.id, { gracePeriodSeconds: 60 });
    expect([status, body.id, isWellFormed(body.secret)]).toEqual([200, key.id, true]);
    expect(body.secret).toMatch(/^rapi_test_/);
    expect([(await me(key.secret)).status, (await me(body.secret)).status]).toEqual([200, 200]);
    app.advance(60_000);
    const [old, current] = await Promise.all([me(key.secret), me(body.secret)]);
    app.advance(-60_000);
    expect([...statusAndCode(old), current.status]).toEqual([401, 'api_key_rotated', 200]);
    const stored = [await app.rows('audit_logs').where({ action: 'api_key.rotated' }), await app.rows('events')];
    expect(JSON.stringify(stored)).not.toContain(body.secret);
  });

  it('ends the old secret at once without a grace period', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    expect((await me(key.secret)).status).toBe(200);
    await rotate(key.id, {});
    expect(statusAndCode(await me(key.secret))).toEqual([401, 'api_key_rotated']);
  });

  it('refuses not one request of programs that take the new secret when they get it, in two processes', async () => {
    const second = await startApp({}, app);
    try {
      const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
      let secret: string = key.secret;
      let done = false;
      const statuses: number[] = [];
      const program = async (at: number) => {
        const { request } = at % 2 === 0 ? app : second;
        while (!done) statuses.push((await request('/api/v1/users/me', { headers: { 'x-api-key': secret } })).status);
      };
      const programs = Array.from({ length: 6 }, (_, at) => program(at));
      for (let at = 0; at < 5; at++) secret = (await rotate(key.id, { gracePeriodSeconds: 600 })).body.secret;
      done = true;
      await Promise.all(programs);
      expect(statuses.length).toBeGreaterThan(10);
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
    } finally {
      await second.close();
    }
  });

  it('leaves an earlier secret its grace period, so that a lost answer can be repeated', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    await rotate(key.id, { gracePeriodSeconds: 60 });
    await rotate(key.id, { gracePeriodSeconds: 60 });
    expect((await me(key.secret)).status).toBe(200);
  });

  it('gives no secret to who lacks a scope of the key, nor ends the old one', async () => {
    const { body: narrow } = await create(ada, { name: 'rotator', scopes: ['api_keys:rotate'] });
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    const refused = await app.request(`/api/v1/api-keys/${key.id}/rotate`, {
      method: 'POST',
      headers: { 'x-api-key': narrow.secret },
      body: {},
    });
    expect(statusAndCode(refused)).toEqual([403, 'scope_not_held']);
    expect((await me(key.secret)).status).toBe(200);
  });

  it('is revoked and disabled with all its secrets', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    const { body: next } = await rotate(key.id, { gracePeriodSeconds: 60 });
    await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'PATCH', body: { enabled: false } });
    for (const secret of [key.secret, next.secret])
      expect(statusAndCode(await me(secret))).toEqual([401, 'api_key_disabled']);
    await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });
    for (const secret of [key.secret, next.secret])
      expect(statusAndCode(await me(secret))).toEqual([401, 'api_key_revoked']);
  });

  it('refuses a grace period that is negative, fractional or too long, another version, and too many', async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    for (const gracePeriodSeconds of [-1, 0.5, 30 * 86_400 + 1, '60'])
      expect((await rotate(key.id, { gracePeriodSeconds })).status).toBe(400);
    expect(statusAndCode(await rotate(key.id, {}, { 'if-match': '"7"' }))).toEqual([412, 'version_mismatch']);
    for (let at = 0; at < 10; at++) expect((await rotate(key.id, { gracePeriodSeconds: 60 })).status).toBe(200);
    expect(statusAndCode(await rotate(key.id, { gracePeriodSeconds: 60 }))).toEqual([409, 'limit_reached']);
    expect((await me(key.secret)).status).toBe(200);
  });
});

it('works on after its creator left the organization', async () => {
  const acme = await makeOrganization(app);
  const admin = await acme.join('ADMIN');
  const { body: key } = await acme.as(admin)('/api/v1/api-keys', {
    method: 'POST',
    body: { name: 'stays', scopes: ['api_keys:read'] },
  });
  await acme.as(acme.owner)(`/api/v1/organizations/${acme.id}/members/${admin.id}`, { method: 'DELETE' });
  const headers = { 'x-api-key': key.secret };
  expect((await app.request('/api/v1/api-keys', { headers })).status).toBe(200);
  expect(statusAndCode(await app.request('/api/v1/users/me', { headers }))).toEqual([403, 'key_without_user']);
});

it('works on after the account of its creator was deleted', async () => {
  const acme = await makeOrganization(app);
  const admin = await acme.join('ADMIN');
  const { body: key } = await acme.as(admin)('/api/v1/api-keys', {
    method: 'POST',
    body: { name: 'stays', scopes: ['api_keys:read'] },
  });
  expect((await admin.request('/api/v1/users/me', { method: 'DELETE' })).status).toBe(204);
  const { status, body } = await app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
  expect([status, body.items[0].id]).toEqual([200, key.id]);
});

describe('a key with every scope', () => {
  it('does nothing in another organization, not even that of its creator, and nothing on the platform', async () => {
    const [acme, other] = [await makeOrganization(app, ada), await makeOrganization(app, ada, { name: 'Other' })];
    const make = async (as: Person['request']) =>
      (await as('/api/v1/api-keys', { method: 'POST', body: { name: 'all', scopes: ['*'] } })).body;
    const [key, ofOther] = [await make(acme.as(ada)), await make(other.as(ada))];
    const call = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      statusAndCode(await app.request(path, { method, headers: { 'x-api-key': key.secret, ...headers } }));
    expect(await call(acme.path)).toEqual([200]);
    expect(await call(other.path)).toEqual([404, 'not_found']);
    expect(await call(`/api/v1/api-keys/${ofOther.id}`)).toEqual([404, 'not_found']);
    expect(await call('/api/v1/api-keys', { 'x-organization-id': other.id })).toEqual([400, 'organization_mismatch']);
    expect(await call(`/api/v1/users/${ada.id}/suspend`, {}, 'POST')).toEqual([403, 'permission_denied']);
  });

  it('ends with its organization', async () => {
    const acme = await makeOrganization(app, ada);
    const body = { name: 'all', scopes: ['*'] };
    const { body: key } = await acme.as(ada)('/api/v1/api-keys', { method: 'POST', body });
    expect((await ada.request(acme.path, { method: 'DELETE' })).status).toBe(204);
    const refused = await app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
    expect(statusAndCode(refused)).toEqual([401, 'api_key_revoked']);
  });
});

it('is refused in another process too after it was revoked', async () => {
  const second = await startApp({}, app);
  try {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    const there = async () =>
      statusAndCode(await second.request('/api/v1/users/me', { headers: { 'x-api-key': key.secret } }));
    expect(await there()).toEqual([200]);
    await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });
    await eventually(async () => ((await there())[0] === 401 ? true : undefined), 'the other process');
    expect(await there()).toEqual([401, 'api_key_revoked']);
  } finally {
    await second.close();
  }
});

it('sees the same API with a test key as with a live one', async () => {
  const answers = await Promise.all(
    ['live', 'test'].map(async (environment) => {
      const { body: key } = await create(ada, { name: 'CI', scopes: ['read:*'], environment });
      const call = async (path: string, request: object = {}) =>
        statusAndCode(await app.request(path, { ...request, headers: { 'x-api-key': key.secret } }));
      return [
        await call('/api/v1/users/me'),
        await call(`/api/v1/api-keys/${key.id}`),
        await call('/api/v1/api-keys/key_00000000000000000000000000'),
        await call('/api/v1/api-keys', { method: 'POST', body: { name: 'x', scopes: [] } }),
      ];
    }),
  );
  expect(answers[0]).toEqual([[200], [200], [404, 'not_found'], [403, 'permission_denied']]);
  expect(answers[1]).toEqual(answers[0]);
});

describe('its own limits', () => {
  let clocked: TestApp;
  let bea: Person;
  let nowMs = 0;
  beforeAll(async () => {
    clocked = await startApp();
    clocked.ports.limiter = createMemoryLimiter({ nowMs: () => nowMs });
    bea = await clocked.signUp();
  });
  afterAll(() => clocked.close());

  const HOUR_S = 3600;
  it.each([
    ['rateLimitPerHour', 'key-hour', HOUR_S],
    ['rateLimitPerDay', 'key-day', 24 * HOUR_S],
  ])('by %s count in %s, and come back evenly', async (field, name, windowS) => {
    const { body: key } = await create(bea, { name: 'slow', scopes: ['*'], [field]: 4 });
    const call = () => clocked.request('/api/v1/users/me', { headers: { 'x-api-key': key.secret } });
    const statuses = async (count: number) => {
      const seen: number[] = [];
      for (let at = 0; at < count; at++) seen.push((await call()).status);
      return seen;
    };
    expect(await statuses(4)).toEqual([200, 200, 200, 200]);
    const refused = await call();
    expect(refused.body).toMatchObject({ code: 'rate_limited', detail: expect.stringContaining(`\`${name}\``) });
    expect([0, 1]).toContain(Number(refused.headers.get('retry-after')) - windowS / 4); // rounded up
    expect(refused.headers.get('ratelimit-policy')).toBe(`"${name}";q=4;w=${windowS}`);
    nowMs += (windowS / 4 - 1) * 1000;
    expect(await statuses(1)).toEqual([429]);
    nowMs += 1000;
    expect(await statuses(2)).toEqual([200, 429]);
    nowMs += windowS * 1000;
    expect(await statuses(5)).toEqual([200, 200, 200, 200, 429]);
  });
});

it('lists the scopes with the permissions that each includes', async () => {
  const { body } = await ada.request('/api/v1/api-keys/scopes');
  const of = (scope: string) => body.items.find((each: { scope: string }) => each.scope === scope).permissions;
  expect(body.items).toHaveLength(SCOPES.length);
  expect(of('*')).toEqual(Object.keys(ORGANIZATION_PERMISSIONS));
  expect(of('read:*')).toContain('api_keys:read');
  expect(of('write:*')).not.toContain('org:delete');
  expect(of('roles:read')).toEqual(['roles:read']);
});

describe('a caller whose permissions change while they wait', () => {
  const removed = (who: Person, organizationId: number) => (db: Knex.Transaction) =>
    db('organization_members')
      .where({ organizationId, userId: app.ports.ids.decode('usr', who.id) })
      .delete();

  it('creates no key once they are removed', async () => {
    const acme = await makeOrganization(app);
    const admin = await acme.join('ADMIN');
    const answer = await acme.overtaken(
      () => acme.as(admin)('/api/v1/api-keys', { method: 'POST', body: { name: 'souvenir', scopes: ['members:*'] } }),
      removed(admin, acme.organizationId),
    );
    expect(statusAndCode(answer)).toEqual([403, 'permission_denied']);
  });

  it('creates no key once their session has ended', async () => {
    const acme = await makeOrganization(app);
    const answer = await acme.overtaken(
      () => acme.as(acme.owner)('/api/v1/api-keys', { method: 'POST', body: { name: 'souvenir', scopes: ['*'] } }),
      (db) =>
        db('sessions')
          .where({ userId: app.ports.ids.decode('usr', acme.owner.id) })
          .update({ revokedAt: new Date() }),
    );
    expect(statusAndCode(answer)).toEqual([401, 'session_revoked']);
  });

  it('revokes no key once they are removed', async () => {
    const acme = await makeOrganization(app);
    const admin = await acme.join('ADMIN');
    const { body: key } = await acme.as(acme.owner)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'k', scopes: ['*'] },
    });
    const answer = await acme.overtaken(
      () => acme.as(admin)(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' }),
      removed(admin, acme.organizationId),
    );
    expect(statusAndCode(answer)).toEqual([403, 'permission_denied']);
  });

  it('changes nothing with a key that was revoked', async () => {
    const acme = await makeOrganization(app);
    const { body: key } = await acme.as(acme.owner)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'k', scopes: ['*'] },
    });
    const answer = await acme.overtaken(
      () =>
        app.request('/api/v1/roles', {
          method: 'POST',
          headers: { 'x-api-key': key.secret },
          body: { name: 'Late', permissions: ['members:remove'] },
        }),
      (db) => db('api_keys').where({ organizationId: acme.organizationId }).update({ revokedAt: new Date() }),
    );
    expect(statusAndCode(answer)).toEqual([403, 'permission_denied']);
  });
});

it('lets an organization have at most 1000 live keys, for any number of concurrent requests', async () => {
  await create(ada, { name: 'first', scopes: ['*'] });
  await app.rows.raw(
    `insert into api_keys (organization_id, name, secret_hash, prefix, last4, environment, scopes, created_at, updated_at)
     select organization_id, name, sha256(n::text::bytea), prefix, last4, environment, scopes, created_at, updated_at
     from api_keys, generate_series(1, 998) n where organization_id = ?`,
    [app.ports.ids.decode('org', ada.organizationId)],
  );
  const answers = await Promise.all(Array.from({ length: 10 }, () => create(ada, { name: 'one more', scopes: ['*'] })));
  expect(answers.map(statusAndCode).filter(([status]) => status === 201)).toHaveLength(1);
  expect(answers.map(statusAndCode).filter(([, code]) => code === 'limit_reached')).toHaveLength(9);
});

describe('another organization', () => {
  it("cannot see, list or revoke another organization's key", async () => {
    const { body: key } = await create(ada, { name: 'CI', scopes: ['*'] });
    const eve = await app.signUp();
    const missing = await eve.request('/api/v1/api-keys/key_00000000000000000000000000');
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await eve.request(`/api/v1/api-keys/${key.id}`, { method });
      expect([status, { ...body, requestId: '' }]).toEqual([404, { ...missing.body, requestId: '' }]);
    }
    expect((await eve.request('/api/v1/api-keys')).body.items).toEqual([]);
    expect((await ada.request(`/api/v1/api-keys/${key.id}`)).body.revokedAt).toBeNull();
  });
});

describe('listing', () => {
  it('returns every key exactly once while keys are created and revoked', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 7; at++) ids.unshift((await create(ada, { name: `k${at}`, scopes: ['*'] })).body.id);
    const first = await ada.request('/api/v1/api-keys?limit=3');
    await create(ada, { name: 'newer', scopes: ['*'] });
    const second = await ada.request(`/api/v1/api-keys?limit=3&cursor=${first.body.nextCursor}`);
    const third = await ada.request(`/api/v1/api-keys?limit=3&cursor=${second.body.nextCursor}`);
    expect([first, second, third].flatMap(({ body }) => body.items.map((key: { id: string }) => key.id))).toEqual(ids);
    expect(third.body.nextCursor).toBeNull();
  });

  it('refuses a cursor that was changed, or that belongs to another organization', async () => {
    for (let at = 0; at < 2; at++) await create(ada, { name: `k${at}`, scopes: ['*'] });
    const { body } = await ada.request('/api/v1/api-keys?limit=1');
    const eve = await app.signUp();
    const tampered = body.nextCursor.replace(/^./, (first: string) => (first === 'A' ? 'B' : 'A'));
    for (const [who, cursor] of [
      [ada, tampered],
      [ada, 'x'],
      [eve, body.nextCursor],
    ] as const) {
      const refused = await who.request(`/api/v1/api-keys?cursor=${cursor}`);
      expect([refused.status, refused.body.code]).toEqual([400, 'invalid_cursor']);
    }
  });
});
