import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { makeOrganization } from '../../../test/organization.ts';

const KEYS = '/api/v1/api-keys';

let app: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp({ USAGE_FLUSH_MS: '10' });
});
beforeEach(async () => {
  ada = await app.signUp();
});
afterAll(() => app.close());

const rowId = (prefix: 'org' | 'key' | 'usr', id: string) => app.ports.ids.decode(prefix, id);

/** The calls in an organization that were made after this one, once there are so many. */
async function callsIn(organizationId: string | null, count: number, where: object = {}) {
  const found = async () =>
    app
      .rows('usage_calls')
      .where({ organizationId: organizationId === null ? 0 : rowId('org', organizationId), ...where })
      .orderBy('callId');
  return eventually(async () => {
    const rows = await found();
    return rows.length >= count ? rows : undefined;
  }, `${count} calls`);
}

async function createKey(fields: object = {}): Promise<{ id: string; secret: string }> {
  const body = { name: 'CI', scopes: ['api_keys:read'], ...fields };
  return (await ada.request(KEYS, { method: 'POST', body })).body;
}

/** One call by tRPC over a WebSocket. */
async function overWebSocket(
  token: string,
  method: string,
  path: string,
  input: unknown,
): Promise<{ asked: string; answer: string }> {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/trpc?connectionParams=1`);
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token } }));
  const asked = JSON.stringify({ id: 1, method, params: { path, input } });
  socket.send(asked);
  const [answer] = await new Promise<[string]>((resolve) => socket.once('message', (data) => resolve([String(data)])));
  socket.close();
  return { asked, answer };
}

describe('the usage log', () => {
  it('has a row for a call with a key: the key, its environment and organization, and no user', async () => {
    const key = await createKey({ environment: 'test' });
    await app.request(`${KEYS}?limit=1`, {
      headers: {
        'x-api-key': key.secret,
        'x-request-id': 'one-call',
        'user-agent': 'a client',
        'x-test-ip': '192.0.2.7',
      },
    });
    const [call] = await callsIn(ada.organizationId, 1, { keyId: rowId('key', key.id) });
    expect(call).toMatchObject({
      userId: null,
      procedure: 'apiKeys.list',
      transport: 'rest',
      environment: 'test',
      status: 200,
      ip: '192.0.2.7',
      userAgent: 'a client',
      requestId: 'one-call',
      cost: 0,
    });
    expect(call.latencyUs).toBeGreaterThan(0);
  });

  it('has the user for a call with a token, and the status of what was refused', async () => {
    const { status } = await ada.request(`${KEYS}/${ada.id}`, { headers: { 'x-request-id': 'refused' } });
    expect(status).toBe(400);
    const [call] = await callsIn(ada.organizationId, 1, { requestId: 'refused' });
    expect(call).toMatchObject({
      userId: rowId('usr', ada.id),
      keyId: null,
      environment: null,
      procedure: 'apiKeys.get',
      status: 400,
    });
  });

  it('counts calls without a caller for no organization, and refused keys for theirs', async () => {
    await app.request(KEYS, { headers: { 'x-request-id': 'anonymous-1' } });
    expect(await callsIn(null, 1, { requestId: 'anonymous-1' })).toMatchObject([
      { status: 401, keyId: null, userId: null, ip: null, userAgent: null },
    ]);
    const key = await createKey();
    await ada.request(`${KEYS}/${key.id}`, { method: 'DELETE' });
    await app.request(KEYS, { headers: { 'x-api-key': key.secret, 'x-request-id': 'revoked-1' } });
    expect(await callsIn(ada.organizationId, 1, { requestId: 'revoked-1' })).toMatchObject([
      { status: 401, keyId: rowId('key', key.id) },
    ]);
  });

  it('has a row for each call of a batch, each in its own organization', async () => {
    const other = await makeOrganization(app, ada);
    const input = encodeURIComponent(JSON.stringify({ 1: { orgId: other.id }, 2: { keyId: 'x' }, 3: {} }));
    await ada.request(`/trpc/users.me.get,orgs.get,apiKeys.get,apiKeys.list?batch=1&input=${input}`, {
      headers: { 'x-request-id': 'a-batch' },
    });
    const calls = await eventually(async () => {
      const rows = await app.rows('usage_calls').where({ requestId: 'a-batch' });
      return rows.length === 4 ? rows : undefined;
    }, 'four calls');
    const found = Object.fromEntries(
      calls.map(({ procedure, status, organizationId, transport }) => [procedure, [status, organizationId, transport]]),
    );
    expect(found).toEqual({
      'users.me.get': [200, rowId('org', ada.organizationId), 'trpc'],
      'orgs.get': [200, other.organizationId, 'trpc'],
      'apiKeys.get': [400, rowId('org', ada.organizationId), 'trpc'],
      'apiKeys.list': [200, rowId('org', ada.organizationId), 'trpc'],
    });
  });

  it('has a row for each call on a socket, and for each message of the realtime protocol but pings', async () => {
    const { asked, answer } = await overWebSocket(ada.tokens.accessToken, 'query', 'apiKeys.list', {});
    const [call] = await callsIn(ada.organizationId, 1, { transport: 'ws' });
    expect(call).toMatchObject({ procedure: 'apiKeys.list', status: 200, userId: rowId('usr', ada.id) });
    expect(call.bytesOut).toBe(Buffer.byteLength(answer));
    expect(call.bytesIn).toBeGreaterThan(asked.length);

    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/api/v1/ws/realtime`);
    await new Promise((resolve) => socket.once('open', resolve));
    const answers: string[] = [];
    socket.on('message', (data) => void answers.push(JSON.parse(String(data)).type));
    const subscribe = { action: 'subscribe', events: ['api_key.*'] };
    for (const message of [{ action: 'auth', token: ada.tokens.accessToken }, subscribe, { action: 'ping' }, {}])
      socket.send(JSON.stringify(message));
    const messages = await callsIn(ada.organizationId, 3, { procedure: 'ws.realtime' });
    expect(
      messages.map(({ status, transport, bytesIn, bytesOut }) => [status, transport, bytesIn > 0, bytesOut > 0]),
    ).toEqual([
      [200, 'ws', true, true],
      [200, 'ws', true, true],
      [400, 'ws', true, true],
    ]);
    expect(messages[1].bytesIn).toBe(JSON.stringify(subscribe).length);
    await expect.poll(() => answers, { timeout: 30_000 }).toContain('pong');
    socket.close();
  });

  it('waits for no table: calls are answered while it is locked, and written after that', async () => {
    const key = await createKey();
    const locked = await app.rows.transaction();
    await locked.raw('lock table usage_calls in access exclusive mode');
    for (let at = 0; at < 5; at++)
      expect((await app.request(KEYS, { headers: { 'x-api-key': key.secret } })).status).toBe(200);
    await locked.rollback();
    expect(await callsIn(ada.organizationId, 5, { keyId: rowId('key', key.id) })).toHaveLength(5);
  });

  it('counts no probes: they are not calls of a customer', async () => {
    await app.request('/health', { headers: { 'x-request-id': 'a-probe' } });
    await app.request(KEYS, { headers: { 'x-request-id': 'after-the-probe' } });
    await callsIn(null, 1, { requestId: 'after-the-probe' });
    expect(await app.rows('usage_calls').where({ requestId: 'a-probe' })).toEqual([]);
  });
});
