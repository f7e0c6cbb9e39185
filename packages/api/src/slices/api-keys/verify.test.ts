import { redisIsMissing } from '@rentapi/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Answer, eventually, type Person, type Request, startApp, type TestApp } from '../../../test/app.ts';
import { type AppsOnRedis, startAppsOnRedis, untilReached } from '../../../test/apps-on-redis.ts';
import type { ActorQuery } from '../../pipeline/actor-cache.ts';
import { newSecret } from './secret.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;

type Body = Record<string, unknown>;

/** Makes requests as a person, or as a program with a key, which time does not end. */
interface Who {
  request(path: string, request?: Request): Promise<Answer>;
}

const create = (who: Who, body: Body) =>
  who.request('/api/v1/api-keys', { method: 'POST', body: { name: 'own', scopes: [], ...body } });
const update = (who: Who, id: string, body: Body) => who.request(`/api/v1/api-keys/${id}`, { method: 'PATCH', body });
const verify = (who: Who, body: Body) => who.request('/api/v1/api-keys/verify', { method: 'POST', body });
/** A program of the person's organization. */
async function programOf(app: TestApp, person: Person): Promise<Who> {
  const { body } = await create(person, { scopes: ['api_keys:read', 'api_keys:verify'] });
  return { request: (path, request) => app.request(path, { ...request, headers: { 'x-api-key': body.secret } }) };
}

/** The code of the verdict, or of the problem. */
const codeOf = async (who: Who, body: Body): Promise<string> => (await verify(who, body)).body.code;
const leftOf = async (who: Who, id: string) => (await who.request(`/api/v1/api-keys/${id}`)).body.credits?.remaining;

describe("the settings of a key for the customer's own API", () => {
  let app: TestApp;
  let ada: Person;
  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    ada = await app.signUp();
  });
  afterAll(() => app.close());

  const own = {
    externalId: 'customer-42',
    permissions: ['documents.*', 'team:alpha'],
    credits: { remaining: 5000, refill: { amount: 1000, interval: 'month' } },
    rateLimits: [
      { name: 'uploads', limit: 5, windowS: 3600 },
      { name: 'requests', limit: 100, windowS: 60 },
    ],
  };
  const shown = { ...own, rateLimits: own.rateLimits.toReversed() }; // in the order of the names

  it('are created, read, listed and changed like the others', async () => {
    const { status, body: made } = await create(ada, own);
    expect(status).toBe(201);
    expect(made).toMatchObject(shown);
    expect((await ada.request(`/api/v1/api-keys/${made.id}`)).body).toMatchObject(shown);
    expect((await ada.request('/api/v1/api-keys')).body.items[0]).toMatchObject(shown);
    const changed = await update(ada, made.id, { externalId: null, permissions: [], credits: null, rateLimits: [] });
    expect(changed.body).toMatchObject({ externalId: null, permissions: [], credits: null, rateLimits: [] });
    expect((await create(ada, {})).body).toMatchObject({ externalId: null, permissions: [], credits: null });
  });

  it('are versioned, and audited without the credits that were spent', async () => {
    const { body: made } = await create(ada, own);
    const before = await ada.request(`/api/v1/api-keys/${made.id}`);
    await verify(ada, { key: made.secret });
    const after = await ada.request(`/api/v1/api-keys/${made.id}`);
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'));
    const { headers } = await update(ada, made.id, { credits: { remaining: 7 } });
    expect(headers.get('etag')).toBe('"2"');
    const { after: row } = await app
      .rows('audit_logs')
      .where({ action: 'api_key.updated' })
      .orderBy('id', 'desc')
      .first();
    expect(row).toMatchObject({
      externalId: 'customer-42',
      permissions: own.permissions,
      credits: { remaining: 7, refill: null },
      rateLimits: { requests: { limit: 100, windowS: 60 } },
    });
    const events = await app.rows('events').where({ type: 'api_key.updated' }).orderBy('id', 'desc').first();
    expect(events.data).toMatchObject({ credits: { remaining: 7, refill: null } });
  });

  it("are found by the customer's own id, in this organization only", async () => {
    const { body: mine } = await create(ada, own);
    await create(ada, { externalId: 'customer-43' });
    const bob = await app.signUp();
    await create(bob, own);
    const found = await ada.request('/api/v1/api-keys?externalId=customer-42');
    expect(found.body.items.map(({ id }: { id: string }) => id)).toEqual([mine.id]);
    expect((await ada.request('/api/v1/api-keys?externalId=unknown')).body.items).toEqual([]);
  });

  it.each([
    ['permissions.0', { permissions: ['Documents'] }],
    ['permissions.0', { permissions: ['a b'] }],
    ['permissions', { permissions: Array.from({ length: 101 }, (_, at) => `p${at}`) }],
    ['externalId', { externalId: 'x'.repeat(201) }],
    ['externalId', { externalId: '' }],
    ['credits.remaining', { credits: { remaining: -1 } }],
    ['credits.remaining', { credits: { remaining: 1.5 } }],
    ['credits.remaining', { credits: { remaining: 1e15 } }],
    ['credits.refill.amount', { credits: { remaining: 1, refill: { amount: 0, interval: 'day' } } }],
    ['credits.refill.interval', { credits: { remaining: 1, refill: { amount: 1, interval: 'year' } } }],
    ['rateLimits.0.windowS', { rateLimits: [{ name: 'a', limit: 1, windowS: 0 }] }],
    ['rateLimits.0.name', { rateLimits: [{ name: 'A', limit: 1, windowS: 1 }] }],
    ['rateLimits', { rateLimits: Array.from({ length: 11 }, (_, at) => ({ name: `l${at}`, limit: 1, windowS: 1 })) }],
    [
      'rateLimits',
      {
        rateLimits: [
          { name: 'a', limit: 1, windowS: 1 },
          { name: 'a', limit: 2, windowS: 1 },
        ],
      },
    ],
  ])('are refused at %s: %j', async (path, body) => {
    const { status, body: problem } = await create(ada, body);
    expect([status, problem.code, problem.errors?.[0].path]).toEqual([400, 'invalid_input', path]);
  });
});

describe('verifying', () => {
  let app: TestApp;
  let ada: Person;
  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    ada = await app.signUp();
  });
  afterAll(() => app.close());

  it('answers what the caller needs to serve the call', async () => {
    const { body: key } = await create(ada, {
      externalId: 'customer-42',
      permissions: ['documents.*'],
      credits: { remaining: 1000, refill: { amount: 1000, interval: 'day' } },
      rateLimits: [{ name: 'requests', limit: 100, windowS: 60 }],
      metadata: { tier: 'gold' },
    });
    const { status, body } = await verify(ada, { key: key.secret, permissions: 'documents.read' });
    expect(status).toBe(200);
    expect(body).toEqual({
      valid: true,
      code: 'VALID',
      keyId: key.id,
      organizationId: ada.organizationId,
      externalId: 'customer-42',
      permissions: ['documents.*'],
      remaining: 999,
      resetAt: expect.any(String),
      retryAfter: null,
      rateLimits: [{ name: 'requests', remaining: 99, resetAt: expect.any(String) }],
      metadata: { tier: 'gold' },
    });
    const inADay = Date.parse(body.resetAt) - app.ports.clock.now().getTime();
    expect(inADay).toBeGreaterThan(DAY_MS - MINUTE_MS);
    expect(inADay).toBeLessThanOrEqual(DAY_MS);
    expect(await leftOf(ada, key.id)).toBe(999);
  });

  it('counts as a use of the key', async () => {
    const { body: key } = await create(ada, {});
    await verify(ada, { key: key.secret, ip: '203.0.113.7' });
    expect((await ada.request(`/api/v1/api-keys/${key.id}`)).body).toMatchObject({ lastUsedIp: '203.0.113.7' });
  });

  it('is counted as a call with the verified key, with what it has spent', async () => {
    const second = await startApp({}, app);
    const { body: key } = await create(ada, { credits: { remaining: 5, refill: null } });
    const through = (body: Body) =>
      second.request('/api/v1/api-keys/verify', {
        method: 'POST',
        headers: { authorization: `Bearer ${ada.tokens.accessToken}` },
        body,
      });
    await through({ key: key.secret, cost: 3, ip: '203.0.113.7' });
    await through({ key: key.secret, cost: 3 });
    await second.close(); // writes what is noted
    const calls = await app
      .rows('usage_calls')
      .where({ keyId: app.ports.ids.decode('key', key.id) })
      .orderBy('occurredAt');
    expect(calls).toMatchObject([
      { procedure: 'verify', transport: 'verify', environment: 'live', status: 200, cost: 3, ip: '203.0.113.7' },
      { procedure: 'verify', transport: 'verify', environment: 'live', status: 429, cost: 0, ip: null },
    ]);
  });

  it('finds no key of another organization, no made-up one, and asks no database for a bad checksum', async () => {
    const bob = await app.signUp();
    const { body: theirs } = await create(bob, { credits: { remaining: 5, refill: null } });
    const nothing = {
      ...{ valid: false, code: 'NOT_FOUND', keyId: null, organizationId: null, externalId: null, permissions: null },
      ...{ remaining: null, resetAt: null, retryAfter: null, rateLimits: null, metadata: null },
    };
    const unknown = [theirs.secret, newSecret('rapi', 'live'), 'rapi_live_x', '', `${theirs.secret.slice(0, -1)}!`];
    for (const key of unknown) expect((await verify(ada, { key })).body).toEqual(nothing);
    expect(await leftOf(bob, theirs.id)).toBe(5);

    await verify(ada, { key: 'warm' }); // the caller is known from here on
    const asked: string[] = [];
    const hear = ({ sql }: { sql: string }) => void asked.push(sql);
    app.ports.database.client.on('query', hear);
    await verify(ada, { key: `${theirs.secret.slice(0, -1)}!` });
    app.ports.database.client.off('query', hear);
    expect(asked.filter((sql) => /api_key/.test(sql))).toEqual([]);
  });

  it('is for owners, admins and keys with the permission', async () => {
    const { body: key } = await create(ada, {});
    const { body: verifier } = await create(ada, { scopes: ['api_keys:verify'] });
    const as = (secret: string) =>
      app.request('/api/v1/api-keys/verify', {
        method: 'POST',
        headers: { 'x-api-key': secret },
        body: { key: key.secret },
      });
    expect((await as(verifier.secret)).body.code).toBe('VALID');
    expect(await as(key.secret)).toMatchObject({ status: 403, body: { code: 'permission_denied' } });
  });

  it('refuses disabled, revoked, expired and rotated keys, at once and under their names', async () => {
    const { body: key } = await create(ada, { expiresAt: new Date(app.ports.clock.now().getTime() + DAY_MS) });
    const code = (secret = key.secret) => codeOf(ada, { key: secret });
    expect(await code()).toBe('VALID');
    await update(ada, key.id, { enabled: false });
    expect(await code()).toBe('DISABLED');
    await update(ada, key.id, { enabled: true });
    expect(await code()).toBe('VALID');
    const rotate = (gracePeriodSeconds: number) =>
      ada.request(`/api/v1/api-keys/${key.id}/rotate`, { method: 'POST', body: { gracePeriodSeconds } });
    const { body: second } = await rotate(3600);
    expect([await code(), await code(second.secret)]).toEqual(['VALID', 'VALID']);
    const { body: third } = await rotate(0);
    expect([await code(), await code(second.secret), await code(third.secret)]).toEqual(['VALID', 'EXPIRED', 'VALID']);
    await update(ada, key.id, { expiresAt: new Date(app.ports.clock.now().getTime() + 1000) });
    expect(await code(third.secret)).toBe('VALID');
    app.advance(1001);
    expect(await code(third.secret)).toBe('EXPIRED');
    await ada.request(`/api/v1/api-keys/${key.id}`, { method: 'DELETE' });
    expect((await verify(ada, { key: third.secret })).body).toMatchObject({ code: 'DISABLED', keyId: key.id });
  });

  it.each([
    ['203.0.113.7', 'VALID'],
    ['::ffff:203.0.113.7', 'VALID'],
    ['2001:db8::1', 'VALID'],
    ['198.51.100.1', 'FORBIDDEN'],
    [undefined, 'FORBIDDEN'],
  ])('judges the address of the caller %s: %s', async (ip, code) => {
    const { body: key } = await create(ada, { ipAllowList: ['203.0.113.0/24', '2001:db8::/32'] });
    expect(await codeOf(ada, { key: key.secret, ip })).toBe(code);
  });

  it('judges a query of permissions with wildcards, and spends nothing where it is not fulfilled', async () => {
    const { body: key } = await create(ada, {
      permissions: ['documents.*', 'team.alpha'],
      credits: { remaining: 5, refill: null },
    });
    const code = (permissions: string) => codeOf(ada, { key: key.secret, permissions });
    expect(await code('documents.read AND (team.alpha OR team.beta)')).toBe('VALID');
    expect(await code('documents.read AND team.beta')).toBe('INSUFFICIENT_PERMISSIONS');
    expect(await leftOf(ada, key.id)).toBe(4);
  });

  it('spends the cost from the credits, never below zero, and nothing where they do not suffice', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 10, refill: null } });
    const spend = async (cost?: number) => {
      const { body } = await verify(ada, { key: key.secret, cost });
      return [body.code, body.remaining];
    };
    expect(await spend()).toEqual(['VALID', 9]);
    expect(await spend(0)).toEqual(['VALID', 9]);
    expect(await spend(7)).toEqual(['VALID', 2]);
    expect(await spend(3)).toEqual(['USAGE_EXCEEDED', 2]);
    expect(await spend(2)).toEqual(['VALID', 0]);
    expect(await spend()).toEqual(['USAGE_EXCEEDED', 0]);
    expect(await spend(0)).toEqual(['VALID', 0]);
    expect(await leftOf(ada, key.id)).toBe(0);
  });

  it('spends exactly what there is under 50 calls at once', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 33, refill: null } });
    const codes = await Promise.all(Array.from({ length: 50 }, () => codeOf(ada, { key: key.secret })));
    expect(codes.filter((code) => code === 'VALID')).toHaveLength(33);
    expect(codes.filter((code) => code === 'USAGE_EXCEEDED')).toHaveLength(17);
    expect(await leftOf(ada, key.id)).toBe(0);
  });

  it('refills at the end of each interval, exactly once, and up to the amount only', async () => {
    const refill = { amount: 20, interval: 'day' };
    const { body: key } = await create(ada, { credits: { remaining: 3, refill } });
    const program = await programOf(app, ada);
    const race = async () => {
      const codes = await Promise.all(Array.from({ length: 50 }, () => codeOf(program, { key: key.secret })));
      return codes.filter((code) => code === 'VALID').length;
    };
    expect(await race()).toBe(3);
    const { body: exhausted } = await verify(program, { key: key.secret });
    expect(exhausted.code).toBe('USAGE_EXCEEDED');
    expect(exhausted.retryAfter).toBeGreaterThan(DAY_MS / 1000 - 60);
    expect(exhausted.retryAfter).toBeLessThanOrEqual(DAY_MS / 1000);
    app.advance(DAY_MS);
    expect(await leftOf(program, key.id)).toBe(20); // before the next call, too
    expect(await race()).toBe(20);
    app.advance(3 * DAY_MS); // three intervals without a call refill no more than one
    expect((await verify(program, { key: key.secret })).body.remaining).toBe(19);
    app.advance(DAY_MS);
    expect((await verify(program, { key: key.secret })).body.remaining).toBe(19);
    expect((await verify(program, { key: key.secret, cost: 21 })).body).toMatchObject({ retryAfter: null });
  });

  it('keeps more than the amount when it refills', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 50, refill: { amount: 20, interval: 'hour' } } });
    const program = await programOf(app, ada);
    app.advance(2 * 60 * MINUTE_MS);
    expect((await verify(program, { key: key.secret })).body.remaining).toBe(49);
  });

  it('takes credits that are set anew from then on, whatever was leased before', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 100_000, refill: null } });
    expect((await verify(ada, { key: key.secret })).body.remaining).toBe(99_999);
    await update(ada, key.id, { credits: { remaining: 2 } });
    expect(await leftOf(ada, key.id)).toBe(2);
    const spend = async () => (await verify(ada, { key: key.secret })).body.remaining;
    expect([await spend(), await spend()]).toEqual([1, 0]);
    expect(await codeOf(ada, { key: key.secret })).toBe('USAGE_EXCEEDED');
    await update(ada, key.id, { credits: { remaining: 2 } }); // the same again is a change
    expect(await spend()).toBe(1);
    await update(ada, key.id, { credits: null });
    expect(await spend()).toBe(null);
    await update(ada, key.id, { credits: { remaining: 5 } });
    expect(await spend()).toBe(4);
    await update(ada, key.id, { name: 'renamed' }); // leaves them alone
    expect(await spend()).toBe(3);
  });

  const limits = [
    { name: 'requests', limit: 3, windowS: 3600 },
    { name: 'uploads', limit: 1, windowS: 3600 },
  ];

  it('counts against all limits of the key, or against those that the call names', async () => {
    const { body: key } = await create(ada, { rateLimits: limits });
    const call = async (rateLimits?: Body[]) => {
      const { body } = await verify(ada, { key: key.secret, rateLimits });
      return [body.code, ...body.rateLimits.map(({ name, remaining }: Body) => `${name} ${remaining}`)];
    };
    expect(await call()).toEqual(['VALID', 'requests 2', 'uploads 0']);
    expect(await call()).toEqual(['RATE_LIMITED', 'requests 2', 'uploads 0']);
    expect(await call([])).toEqual(['VALID']);
    expect(await call([{ name: 'requests', cost: 2 }])).toEqual(['VALID', 'requests 0']);
    expect(await call([{ name: 'requests', cost: 0 }])).toEqual(['VALID', 'requests 0']);
    expect(await call([{ name: 'requests' }])).toEqual(['RATE_LIMITED', 'requests 0']);
  });

  it('takes limits and credits together or not at all, and says when to come again', async () => {
    const { body: key } = await create(ada, { rateLimits: limits, credits: { remaining: 5, refill: null } });
    await verify(ada, { key: key.secret });
    const limited = await verify(ada, { key: key.secret });
    expect(limited.body).toMatchObject({ code: 'RATE_LIMITED', remaining: 4 });
    expect(limited.body.retryAfter).toBeGreaterThan(3500);
    expect(limited.body.retryAfter).toBeLessThanOrEqual(3600);
    const dear = await verify(ada, { key: key.secret, cost: 5, rateLimits: [{ name: 'requests' }] });
    expect(dear.body).toMatchObject({ code: 'USAGE_EXCEEDED', rateLimits: [{ name: 'requests', remaining: 2 }] });
    expect(await leftOf(ada, key.id)).toBe(4);
  });

  it.each<[string, Body, string]>([
    ['a malformed query', { permissions: 'a AND' }, 'malformed_permission_query'],
    ['a query that is too deep', { permissions: `${'('.repeat(11)}a${')'.repeat(11)}` }, 'permission_query_too_deep'],
    ['a query that is too long', { permissions: 'a'.repeat(1001) }, 'invalid_input'],
    ['a negative cost', { cost: -1 }, 'invalid_cost'],
    ['a fractional cost', { cost: 0.5 }, 'invalid_cost'],
    ['a huge cost', { cost: 1e300 }, 'invalid_cost'],
    ['a negative cost of a limit', { rateLimits: [{ name: 'requests', cost: -1 }] }, 'invalid_cost'],
    ['an unknown limit', { rateLimits: [{ name: 'requests' }, { name: 'reports' }] }, 'unknown_rate_limit'],
    ['a name that every object has', { rateLimits: [{ name: 'constructor' }] }, 'unknown_rate_limit'],
    ['a limit twice', { rateLimits: [{ name: 'requests' }, { name: 'requests' }] }, 'invalid_input'],
    ['an address that is none', { ip: 'localhost' }, 'invalid_input'],
    ['a cost that is no number', { cost: '1' }, 'invalid_input'],
  ])('refuses %s and spends nothing', async (_, wrong, code) => {
    const { body: key } = await create(ada, { rateLimits: limits, credits: { remaining: 5, refill: null } });
    const answer = await verify(ada, { key: key.secret, ...wrong });
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    const { body } = await verify(ada, { key: key.secret, cost: 0, rateLimits: [{ name: 'requests', cost: 0 }] });
    expect([body.remaining, body.rateLimits[0].remaining]).toEqual([5, 3]);
  });

  it('says which limits there are where the call names another', async () => {
    const { body: key } = await create(ada, { rateLimits: limits });
    const { body } = await verify(ada, { key: key.secret, rateLimits: [{ name: 'reports' }] });
    expect(body.detail).toContain('no limit `reports`: name one of `requests`, `uploads`');
  });

  it('leases credits in blocks, and gives the rest back when the process ends', async () => {
    const second = await startApp({}, app);
    const { body: key } = await create(ada, { credits: { remaining: 100_000, refill: null } });
    const row = () =>
      app
        .rows('api_key_credits')
        .where({ apiKeyId: app.ports.ids.decode('key', key.id) })
        .first();
    const { status } = await second.request('/api/v1/api-keys/verify', {
      method: 'POST',
      headers: { authorization: `Bearer ${ada.tokens.accessToken}` },
      body: { key: key.secret },
    });
    expect(status).toBe(200);
    expect((await row()).remaining).toBe(99_900);
    await second.close();
    expect((await row()).remaining).toBe(99_999);
  });
});

describe.skipIf(redisIsMissing())('verifying on Redis', () => {
  let processes: AppsOnRedis;
  let redis: AppsOnRedis['redis'];
  let apps: AppsOnRedis['apps'];
  let ada: Person;
  let verifier: string;
  beforeAll(async () => {
    processes = await startAppsOnRedis(3);
    ({ redis, apps } = processes);
    ada = await apps[0].signUp();
    verifier = (await create(ada, { scopes: ['api_keys:verify'] })).body.secret;
  });
  afterAll(() => processes?.close());

  const through = (app: TestApp, body: Body) =>
    app.request('/api/v1/api-keys/verify', {
      method: 'POST',
      headers: { 'x-api-key': verifier },
      body,
    });
  const race = async (calls: number, body: Body) => {
    const answers = await Promise.all(Array.from({ length: calls }, (_, at) => through(apps[at % apps.length]!, body)));
    return answers.map((answer) => answer.body.code as string);
  };
  const count = (codes: string[], code: string) => codes.filter((each) => each === code).length;

  it('spends exactly what there is under 50 calls at once, through three processes', async () => {
    for (const remaining of [33, 4000]) {
      const cost = remaining === 33 ? 1 : 100;
      const { body: key } = await create(ada, { credits: { remaining, refill: null } });
      const codes = await race(50, { key: key.secret, cost });
      expect(count(codes, 'VALID')).toBe(remaining / cost);
      expect(count(codes, 'USAGE_EXCEEDED')).toBe(50 - remaining / cost);
      expect(await leftOf(ada, key.id)).toBe(0);
    }
  });

  it('brings the next block before the last credit is spent, and never holds more than one', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 1_000_000, refill: null } });
    const row = () =>
      apps[0]
        .rows('api_key_credits')
        .where({ apiKeyId: apps[0].ports.ids.decode('key', key.id) })
        .first();
    for (let calls = 0; calls < 50; calls++) await through(apps[0], { key: key.secret });
    expect((await row()).remaining).toBe(999_900);
    expect((await through(apps[1]!, { key: key.secret })).body.remaining).toBe(999_949);
    expect((await row()).remaining).toBe(999_849);
    expect((await through(apps[2]!, { key: key.secret })).body.remaining).toBe(999_948);
  });

  it('refills exactly once, whichever process comes first', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 0, refill: { amount: 20, interval: 'hour' } } });
    expect(count(await race(3, { key: key.secret }), 'USAGE_EXCEEDED')).toBe(3);
    for (const app of apps) app.advance(60 * MINUTE_MS);
    const codes = await race(50, { key: key.secret });
    for (const app of apps) app.advance(-60 * MINUTE_MS);
    expect(count(codes, 'VALID')).toBe(20);
  });

  it('limits over all processes', async () => {
    const { body: key } = await create(ada, { rateLimits: [{ name: 'requests', limit: 10, windowS: 86_400 }] });
    const codes = await race(50, { key: key.secret });
    expect([count(codes, 'VALID'), count(codes, 'RATE_LIMITED')]).toEqual([10, 40]);
  });

  it('takes credits that are set anew at once in every process', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 100_000, refill: null } });
    expect(count(await race(6, { key: key.secret }), 'VALID')).toBe(6);
    await update(ada, key.id, { credits: { remaining: 4 } });
    expect(count(await race(12, { key: key.secret }), 'VALID')).toBe(4);
  });

  it('takes them in a process, too, that has not heard of the change', async () => {
    const { body: key } = await create(ada, { credits: { remaining: 100_000, refill: null } });
    const { actors } = apps[1].ports;
    const { read } = actors;
    let remembered: object | undefined;
    const reading = vi.spyOn(actors, 'read').mockImplementation(async (query) => {
      const row = await read(query);
      if (query.key.startsWith('verified')) remembered = row;
      return row;
    });
    expect((await through(apps[1], { key: key.secret })).body.remaining).toBe(99_999);
    await update(ada, key.id, { credits: { remaining: 4 } });
    let isOutdated = true;
    async function readOutdated<Row extends object>(query: ActorQuery<Row>): Promise<Row | undefined> {
      if (!isOutdated || !query.key.startsWith('verified')) return read(query);
      isOutdated = false;
      return remembered as Row; // the row that this query has read before
    }
    reading.mockImplementation(readOutdated);
    const { body } = await through(apps[1], { key: key.secret });
    reading.mockRestore();
    expect([isOutdated, body.remaining]).toEqual([false, 3]);
  });

  it('asks Redis once and the database never, once a key is known', async () => {
    const { body: key } = await create(ada, {
      credits: { remaining: 100_000, refill: null },
      rateLimits: [{ name: 'requests', limit: 1000, windowS: 60 }],
    });
    const [app] = apps;
    for (let at = 0; at < 3; at++) await through(app, { key: key.secret });
    const countScripts = async () => {
      const stats = await app.ports.redis!.client.info('commandstats');
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
    };
    const asked: string[] = [];
    const hear = ({ sql }: { sql: string }) => void asked.push(sql);
    const { body: own } = await create(ada, { scopes: ['api_keys:verify'] });
    const ask = (body: Body) =>
      app.request('/api/v1/api-keys/verify', { method: 'POST', headers: { 'x-api-key': own.secret }, body });
    await ask({ key: key.secret });
    app.ports.database.client.on('query', hear);
    for (const [cost, code] of [
      [1, 'VALID'],
      [1_000_000, 'USAGE_EXCEEDED'],
    ] as const) {
      const before = await countScripts();
      expect((await ask({ key: key.secret, cost })).body.code).toBe(code);
      expect((await countScripts()) - before).toBe(1); // with the limits of the call itself
    }
    app.ports.database.client.off('query', hear);
    expect(asked.filter((sql) => /api_key_credits/.test(sql))).toEqual([]);
  });

  it('counts each verification against the limits of the key that asks, also where it spends nothing', async () => {
    const { body: own } = await create(ada, { scopes: ['api_keys:verify'], rateLimitPerHour: 4 });
    const { body: key } = await create(ada, { credits: { remaining: 10, refill: null } });
    const [app] = apps;
    const ask = (body: Body) =>
      app.request('/api/v1/api-keys/verify', { method: 'POST', headers: { 'x-api-key': own.secret }, body });
    const first = await ask({ key: key.secret });
    expect([first.body.code, first.headers.get('ratelimit')]).toEqual([
      'VALID',
      expect.stringMatching(/^"key-hour";r=3;/),
    ]);
    expect((await ask({ key: 'made up' })).body.code).toBe('NOT_FOUND');
    expect((await ask({ key: key.secret, cost: 11 })).body.code).toBe('USAGE_EXCEEDED');
    expect((await ask({ key: key.secret, cost: -1 })).body.code).toBe('invalid_cost');
    for (const body of [{ key: key.secret }, { key: 'made up' }, { key: key.secret, cost: -1 }]) {
      const refused = await ask(body);
      expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
      expect(refused.body.detail).toContain('`key-hour`');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await leftOf(ada, key.id)).toBe(9);
  });

  it('answers 503 while Redis is away, loses at most one block with it, and spends none twice', async () => {
    const total = 10_000;
    const { body: key } = await create(ada, { credits: { remaining: total, refill: null } });
    let spent = count(await race(30, { key: key.secret }), 'VALID');
    expect(spent).toBe(30);
    await redis.kill();
    for (const app of apps) await eventually(() => !app.ports.redis?.available || undefined, 'the loss of Redis');
    const refused = await through(apps[0], { key: key.secret });
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const plain = await create(ada, {});
    expect((await through(apps[0], { key: plain.body.secret })).status).toBe(503);
    await redis.start();
    await untilReached(apps);
    const { body } = await through(apps[0], { key: key.secret });
    spent++;
    expect(body.remaining).toBeLessThanOrEqual(total - spent);
    expect(body.remaining).toBeGreaterThanOrEqual(total - spent - 100);
    const codes = await race(50, { key: key.secret, cost: 300 });
    expect(count(codes, 'VALID')).toBe(Math.floor(body.remaining / 300));
  });
});
