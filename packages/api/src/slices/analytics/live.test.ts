import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { declaredMessage } from '../../../test/declared-message.ts';
import { tryUpgrade } from '../../../test/upgrade.ts';

const KEYS = '/api/v1/api-keys';
const REAL_TIME = '/api/v1/analytics/real-time';
const SOCKET = '/api/v1/ws/analytics';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

async function createKey(person: Person, environment: 'live' | 'test', scopes: string[]) {
  const body = { name: `${environment} key`, scopes, environment };
  const { body: key } = await person.request(KEYS, { method: 'POST', body });
  return { id: key.id as string, headers: { 'x-api-key': key.secret as string } };
}

interface Numbers {
  type: string;
  at: string;
  requests: number;
  errors: number;
  p50Ms: number | null;
  p95Ms: number | null;
  code?: string;
}

/** A client that keeps what it receives. */
function open(query: string) {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}${SOCKET}${query}`);
  const messages: Numbers[] = [];
  const closed = new Promise<number>((resolve) => void socket.on('close', resolve));
  socket.on('message', (data) => void messages.push(declaredMessage(SOCKET, String(data)) as Numbers));
  socket.on('error', () => {});
  const received = (what: (message: Numbers) => boolean) => eventually(() => messages.find(what), 'a message');
  return { socket, messages, closed, received };
}

const ticketOf = async (person: Pick<Person, 'request'>): Promise<string> =>
  (await person.request('/api/v1/ws/ticket', { method: 'POST' })).body.ticket;

describe('live numbers', () => {
  it('count calls and errors of the organization, those with keys of `test` apart', async () => {
    const ada = await app.signUp();
    const test = await createKey(ada, 'test', ['*']);
    const before = (await ada.request(REAL_TIME)).body;
    await app.request(KEYS, { headers: test.headers });
    await app.request(`${KEYS}/key_none`, { headers: test.headers });
    await ada.request(`${KEYS}/key_none`);
    const [live, apart] = [
      (await ada.request(REAL_TIME)).body,
      (await ada.request(`${REAL_TIME}?environment=test&minutes=2`)).body,
    ];
    expect([live.requests - before.requests, live.errors - before.errors]).toEqual([2, 1]); // with the one before
    expect(apart).toMatchObject({ requests: 2, errors: 1 });
    expect(apart.minutes).toHaveLength(2);
    expect(apart.p50Ms).toBeGreaterThan(0);
    expect(apart.p95Ms).toBeGreaterThanOrEqual(apart.p50Ms);
    expect(live.minutes).toHaveLength(60);
  });

  it('are nothing of another organization', async () => {
    const [ada, eve] = [await app.signUp(), await app.signUp()];
    for (let calls = 0; calls < 3; calls++) await ada.request(KEYS);
    const { body } = await eve.request(`${REAL_TIME}?environment=test`);
    expect(body).toMatchObject({ requests: 0, errors: 0, p50Ms: null, p95Ms: null });
  });
});

describe('the socket of live numbers', () => {
  it('sends them once a second, without a request', async () => {
    const ada = await app.signUp();
    const client = open(`?ticket=${await ticketOf(ada)}`);
    await client.received(({ type }) => type === 'ready');
    await ada.request(`${KEYS}/key_none`);
    const { at, ...numbers } = await client.received(({ type, errors }) => type === 'analytics' && errors === 1);
    expect(Object.keys(numbers)).toEqual(['type', 'requests', 'errors', 'p50Ms', 'p95Ms']);
    expect(Date.parse(at)).not.toBeNaN();
    client.socket.close();
  });

  it('takes a credential as its first message, and answers a ping', async () => {
    const ada = await app.signUp();
    const { headers } = await createKey(ada, 'test', ['analytics:read']);
    const client = open('?environment=test');
    client.socket.on('open', () => {
      client.socket.send(JSON.stringify({ action: 'auth', token: headers['x-api-key'] }));
      client.socket.send(JSON.stringify({ action: 'ping' }));
      client.socket.send(JSON.stringify({ action: 'subscribe', events: ['*'] }));
    });
    await client.received(({ type }) => type === 'analytics');
    await client.received(({ type }) => type === 'pong');
    expect(await client.received(({ type }) => type === 'error')).toMatchObject({ code: 'invalid_input' });
    client.socket.close();
  });

  it('is refused without the permission, before the upgrade and after', async () => {
    const ada = await app.signUp();
    const { headers } = await createKey(ada, 'live', ['api_keys:read']);
    const { body } = await app.request('/api/v1/ws/ticket', { method: 'POST', headers });
    const refused = await tryUpgrade(`${app.url}${SOCKET}?ticket=${body.ticket}`);
    expect(refused).toMatchObject({ status: 403, body: { code: 'permission_denied' } });
    const client = open('');
    client.socket.on('open', () => {
      client.socket.send(JSON.stringify({ action: 'auth', token: headers['x-api-key'] }));
    });
    expect(await client.closed).toBe(4403);
    expect(client.messages).toMatchObject([{ type: 'error', code: 'permission_denied' }]);
  });

  it('is refused for an environment that there is not, and for a used ticket', async () => {
    const ada = await app.signUp();
    const ticket = await ticketOf(ada);
    const wrong = await tryUpgrade(`${app.url}${SOCKET}?ticket=${ticket}&environment=prod`);
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    const client = open(`?ticket=${ticket}`);
    await client.received(({ type }) => type === 'ready');
    const again = await tryUpgrade(`${app.url}${SOCKET}?ticket=${ticket}`);
    expect(again).toMatchObject({ status: 401, body: { code: 'invalid_ticket' } });
    client.socket.close();
  });

  it('ends within a second of losing the right to them', async () => {
    const ada = await app.signUp();
    const key = await createKey(ada, 'live', ['analytics:read', 'api_keys:read']);
    const { body } = await app.request('/api/v1/ws/ticket', { method: 'POST', headers: key.headers });
    const client = open(`?ticket=${body.ticket}`);
    await client.received(({ type }) => type === 'analytics');
    await ada.request(`${KEYS}/${key.id}`, { method: 'PATCH', body: { scopes: ['api_keys:read'] } });
    expect(await client.closed).toBe(4403);
    expect(client.messages.at(-1)).toMatchObject({ type: 'error', code: 'permission_denied' });
  });

  it('is no page', async () => {
    const { status, body } = await app.request(SOCKET);
    expect([status, body.code]).toEqual([426, 'upgrade_required']);
  });
});
