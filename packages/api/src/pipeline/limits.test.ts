import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Answer, eventually, type Request, startApp, type TestApp } from '../../test/app.ts';
import { statusAndCode } from '../../test/organization.ts';
import { tryUpgrade } from '../../test/upgrade.ts';
import { exampleId } from '../contract/ids.ts';

const OF_A_SOURCE = 3;
const OF_A_PERSON = 30;
const FREE_PER_HOUR = 100;

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ RATE_LIMIT_PER_MINUTE: String(OF_A_SOURCE), DEFAULT_PLAN: 'FREE' });
});
afterAll(() => app.close());

let sources = 0;
/** An address that has not called yet. */
const newSource = () => ({ 'x-test-ip': `192.0.2.${++sources}` });

/** A user who signed up from one address and calls from another. */
async function signUp() {
  const body = { email: `p${sources}@example.com`, password: 'correct horse battery staple' };
  const headers = newSource();
  await app.request('/api/v1/auth/register', { method: 'POST', body, headers });
  const { body: tokens } = await app.request('/api/v1/auth/login', { method: 'POST', body, headers });
  const own = { authorization: `Bearer ${tokens.accessToken}`, ...newSource() };
  const request = (path: string, given: Request = {}) =>
    app.request(path, { ...given, headers: { ...own, ...given.headers } });
  return { organizationId: tokens.user.defaultOrganizationId as string, request };
}

async function statuses(count: number, ask: () => Promise<Answer>): Promise<Record<number, number>> {
  const seen: Record<number, number> = {};
  for (let at = 0; at < count; at++) {
    const { status } = await ask();
    seen[status] = (seen[status] ?? 0) + 1;
  }
  return seen;
}

describe('a refused caller pays from the bucket of its address', () => {
  it("for requesting organizations that are not the caller's", async () => {
    const [ada, bea] = [await signUp(), await signUp()];
    const seen = await statuses(8, () => ada.request(`/api/v1/organizations/${bea.organizationId}`));
    expect(seen).toEqual({ 404: OF_A_SOURCE, 429: 5 });
    expect((await ada.request('/api/v1/users/me')).status).toBe(200);
  });

  it('for using a key from an address that it does not allow', async () => {
    const ada = await signUp();
    const body = { name: 'CI', scopes: ['*'], ipAllowList: ['203.0.113.1'] };
    const { body: key } = await ada.request('/api/v1/api-keys', { method: 'POST', body });
    const headers = { 'x-api-key': key.secret, ...newSource() };
    expect(await statuses(8, () => app.request('/api/v1/api-keys', { headers }))).toEqual({ 403: OF_A_SOURCE, 429: 5 });
  });

  it('for calls without a credential, which do not learn what exists', async () => {
    const headers = newSource();
    const path = `/api/v1/organizations/${exampleId('org')}`;
    expect(await statuses(8, () => app.request(path, { headers }))).toEqual({ 401: OF_A_SOURCE, 429: 5 });
  });

  it.each([
    ['a ticket', '/api/v1/ws/realtime?ticket=guess', {}],
    ['a token', '/api/v1/ws/realtime?token=guess', {}],
    ['a token in a header', '/trpc', { authorization: 'Bearer guess' }],
  ])('for opening sockets with an invalid %s', async (_, path, credential) => {
    const headers = { ...newSource(), ...credential };
    const open = async () => (await tryUpgrade(app.url + path, { headers }))?.status;
    for (let at = 0; at < OF_A_SOURCE; at++) expect(await open()).toBe(401);
    expect(await open()).toBe(429);
  });

  it.each([
    ['the realtime socket', '/api/v1/ws/realtime', { action: 'auth', token: 'guess' }],
    ['a tRPC socket', '/trpc?connectionParams=1', { method: 'connectionParams', data: { token: 'guess' } }],
  ])('for sending invalid credentials over %s', async (_, path, message) => {
    const headers = newSource();
    const open = async () => {
      const socket = new WebSocket(app.url.replace('http', 'ws') + path, { headers });
      socket.once('open', () => socket.send(JSON.stringify(message)));
      const [code]: number[] = await once(socket, 'close');
      return code;
    };
    const codes = await Promise.all(Array.from({ length: OF_A_SOURCE }, open));
    expect(codes).toEqual(Array(OF_A_SOURCE).fill(4401));
    expect((await tryUpgrade(app.url + path, { headers }))?.status).toBe(429);
  });
});

describe('an id in the path', () => {
  it('that is malformed is refused as invalid input', async () => {
    const ada = await signUp();
    expect(statusAndCode(await ada.request('/api/v1/organizations/garbage'))).toEqual([400, 'invalid_input']);
    expect(statusAndCode(await ada.request('/api/v1/api-keys/garbage'))).toEqual([400, 'invalid_input']);
    expect(statusAndCode(await ada.request(`/api/v1/organizations/${exampleId('org')}`))).toEqual([404, 'not_found']);
  });
});

describe('a user', () => {
  it('has one bucket, whichever organization they are in', async () => {
    const ada = await signUp();
    const { body: other } = await ada.request('/api/v1/organizations', { method: 'POST', body: { name: 'Other' } });
    const spend = () => statuses(OF_A_PERSON - 5, () => ada.request('/api/v1/users/me'));
    expect(await spend()).toEqual({ 200: OF_A_PERSON - 5 });
    const body = { defaultOrganizationId: other.id };
    expect((await ada.request('/api/v1/users/me', { method: 'PATCH', body })).status).toBe(200);
    const { 200: served = 0 } = await spend();
    expect(served).toBeLessThan(OF_A_PERSON - 5); // what is left, and what is refilled meanwhile
  });

  it('sees the limit with the least left, although the procedure has one of its own', async () => {
    const ada = await signUp();
    await statuses(OF_A_PERSON - 3, () => ada.request('/api/v1/users/me'));
    const { status, headers } = await ada.request(`/api/v1/organizations/${ada.organizationId}/invitations`, {
      method: 'POST',
      body: { email: 'x@example.com', role: 'VIEWER' },
    });
    expect([status, headers.get('ratelimit')]).toEqual([201, expect.stringMatching(/^"user";/)]);
  });
});

describe('the plan of an organization', () => {
  type Owner = Awaited<ReturnType<typeof signUp>>;

  async function createKey(owner: Owner, given: object = {}) {
    const body = { name: 'CI', scopes: ['api_keys:read'], ...given };
    const { body: key } = await owner.request('/api/v1/api-keys', { method: 'POST', body });
    const read = () => app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
    return { id: key.id as string, read };
  }

  /** Empties a bucket, but for `left` calls, as so many calls of the organization's other keys do. */
  async function spend(owner: Owner, name: string, size: number, left: number) {
    const key = `{${app.ports.ids.decode('org', owner.organizationId)}}:${name}`;
    const windowMs = name === 'plan-day' ? 86_400_000 : 3_600_000;
    await app.ports.limiter.take([{ name, key, size, windowMs, cost: size - left }]);
  }

  it('limits the calls of all its keys together, and names itself', async () => {
    const ada = await signUp();
    const keys = await Promise.all([createKey(ada), createKey(ada)]);
    await spend(ada, 'plan-hour', FREE_PER_HOUR, 4);
    const answers: Answer[] = [];
    for (let at = 0; at < 5; at++) answers.push(await keys[at % 2]!.read());
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429]);
    const { headers, body } = answers.at(-1)!;
    expect(body).toMatchObject({ code: 'rate_limited', detail: expect.stringContaining('`plan-hour`') });
    expect(headers.get('ratelimit-policy')).toBe('"plan-hour";q=100;w=3600');
    expect(headers.get('x-ratelimit-limit')).toBe('100');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ada.request('/api/v1/users/me')).status).toBe(200);
  });

  it('limits a day, too', async () => {
    const ada = await signUp();
    const { read } = await createKey(ada);
    await spend(ada, 'plan-day', 1000, 1);
    expect([(await read()).status, (await read()).body.detail]).toEqual([200, expect.stringContaining('`plan-day`')]);
  });

  it('names the strictest of all layers, and takes from none where one refuses', async () => {
    const ada = await signUp();
    const [narrow, wide] = [await createKey(ada, { rateLimitPerHour: 2 }), await createKey(ada)];
    const policies = [];
    for (let at = 0; at < 4; at++) policies.push((await narrow.read()).headers.get('ratelimit-policy'));
    expect(policies).toEqual(Array(4).fill('"key-hour";q=2;w=3600'));
    // Of the plan, two calls are gone and not four.
    await spend(ada, 'plan-hour', FREE_PER_HOUR, 3);
    expect(await statuses(3, wide.read)).toEqual({ 200: 1, 429: 2 });
  });

  it('keeps the calls of test keys apart', async () => {
    const ada = await signUp();
    const test = await createKey(ada, { environment: 'test' });
    await spend(ada, 'plan-hour', FREE_PER_HOUR, 0);
    expect((await test.read()).status).toBe(200);
  });

  it('asks the limiter once for each call, whatever limits apply', async () => {
    const ada = await signUp();
    const { read } = await createKey(ada, { rateLimitPerMinute: 5, rateLimitPerHour: 5, rateLimitPerDay: 5 });
    const { limiter } = app.ports;
    const asked: string[][] = [];
    app.ports.limiter = {
      ...limiter,
      take: (buckets, outage) => {
        asked.push(buckets.map(({ name }) => name));
        return limiter.take(buckets, outage);
      },
    };
    try {
      await read();
      const body = { email: 'y@example.com', role: 'VIEWER' };
      await ada.request(`/api/v1/organizations/${ada.organizationId}/invitations`, { method: 'POST', body });
      expect(asked).toEqual([
        ['key', 'plan-hour', 'plan-day', 'key-minute', 'key-hour', 'key-day'],
        ['user', 'invitations'],
      ]);
    } finally {
      app.ports.limiter = limiter;
    }
  });

  it('counts alike in every process, soon after a change', async () => {
    const other = await startApp({ RATE_LIMIT_PER_MINUTE: String(OF_A_SOURCE) }, app);
    try {
      const ada = await signUp();
      const body = { name: 'CI', scopes: ['api_keys:read'] };
      const { body: key } = await ada.request('/api/v1/api-keys', { method: 'POST', body });
      const policy = async () =>
        (await other.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } })).headers.get(
          'ratelimit-policy',
        );
      expect(await policy()).toBe('"key";q=30;w=60');
      const id = app.ports.ids.decode('org', ada.organizationId);
      const terms = {
        id: 1,
        perHour: 10,
        perDay: null,
        sockets: null,
        subscriptions: null,
        untilMs: Date.now() + 60_000,
      };
      await app
        .rows('organizations')
        .where({ id })
        .update({ limitOverride: JSON.stringify(terms) });
      await eventually(async () => ((await policy()) === '"plan-hour";q=10;w=3600' ? true : undefined), 'the limit');
    } finally {
      await other.close();
    }
  });
});
