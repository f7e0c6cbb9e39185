import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from './app.ts';

let app: TestApp;
let ada: Person;
let grace: Person;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  app = await startApp({ CORS_ORIGINS: 'https://app.example.com' });
  ada = await app.signUp();
  grace = await app.signUp();
});
afterAll(async () => {
  for (const socket of sockets) socket.close();
  await app.close();
});

type Line = Record<string, unknown>;
let seen = 0;
/** The lines since the last call, once there are as many as expected. */
async function lines(count: number): Promise<Line[]> {
  const found = () =>
    app.logs
      .slice(seen)
      .map((line) => JSON.parse(line) as Line)
      .filter(({ msg }) => msg === 'refused on a socket');
  await eventually(() => found().length >= count || undefined, 'lines');
  const all = found();
  seen = app.logs.length;
  return all;
}

async function open(path: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(app.url.replace('http', 'ws') + path, { headers });
  sockets.push(socket);
  const answers: Line[] = [];
  socket.on('message', (data) => void answers.push(JSON.parse(String(data)) as Line));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { answers, send: (message: unknown) => socket.send(JSON.stringify(message)) };
}

/** The status with which a handshake is refused. */
function handshake(path: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(app.url.replace('http', 'ws') + path, { headers });
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      text(response).then(() => resolve(response.statusCode!), reject);
    });
    socket.on('error', () => {});
  });
}

const bearer = ({ tokens }: Person) => ({ authorization: `Bearer ${tokens.accessToken}` });
const query = (id: number, path: string, input?: unknown) => ({ id, method: 'query', params: { path, input } });

describe('the line of what is refused on a socket (V16.2.1, V16.3.2)', () => {
  it('names the caller and the code of each tRPC call, once, and of its own organization', async () => {
    const { body: second } = await ada.request('/api/v1/organizations', { method: 'POST', body: { name: 'Second' } });
    const { answers, send } = await open('/trpc', bearer(ada));
    send({ id: 1, method: 'mutation', params: { path: 'users.create', input: {} } });
    send(query(2, 'orgs.get', { orgId: grace.organizationId }));
    send(query(3, 'apiKeys.list', { limit: 0 }));
    send(query(4, 'no.such'));
    send(query(5, 'orgs.auditLogs', { orgId: second.id, limit: 0 }));
    send(query(6, 'users.me.get'));
    await eventually(() => answers.length === 6 || undefined, 'six answers');
    const found = await lines(5);
    const byCode = (code: string) => found.filter((line) => line['code'] === code);
    expect(found).toHaveLength(5);
    const caller = { userId: ada.id, sessionId: expect.any(String), ip: '127.0.0.1', transport: 'socket' };
    for (const line of found) expect(line).toMatchObject({ ...caller, requestId: expect.any(String) });
    expect(byCode('permission_denied')).toMatchObject([{ level: 'warn', status: 403 }]);
    expect(byCode('invalid_input')).toMatchObject([
      { level: 'info', status: 400, procedure: 'apiKeys.list', organizationId: ada.organizationId },
      { level: 'info', status: 400, procedure: 'orgs.auditLogs', organizationId: second.id },
    ]);
    expect(found.filter(({ procedure }) => procedure === 'orgs.get')).toMatchObject([{ level: 'info', status: 404 }]);
    expect(byCode('operation_not_found')).toMatchObject([{ level: 'info', status: 404, procedure: 'no.such' }]);
  });

  it('names the credential that was refused, and whose session it was', async () => {
    const guest = await app.signUp();
    await guest.request('/api/v1/auth/logout', { method: 'POST', body: {} });
    expect(await handshake('/trpc', bearer(guest))).toBe(401);
    expect(await handshake('/api/v1/ws/realtime?ticket=wrong')).toBe(401);
    expect(await handshake('/trpc', { origin: 'https://elsewhere.example', ...bearer(ada) })).toBe(403);
    const found = await lines(3);
    expect(found).toMatchObject([
      { level: 'warn', status: 401, code: 'session_revoked', userId: guest.id, url: '/trpc' },
      { level: 'warn', status: 401, code: 'invalid_ticket', url: '/api/v1/ws/realtime' },
      { level: 'warn', status: 403, code: 'origin_not_allowed', url: '/trpc' },
    ]);
    expect(JSON.stringify(found)).not.toContain('wrong');
  });

  it('names the caller, the action and the code of each action of the realtime protocol', async () => {
    const { answers, send } = await open('/api/v1/ws/realtime');
    send({ action: 'subscribe', events: ['*'] });
    send({ action: 'auth', token: ada.tokens.accessToken });
    send({ action: 'subscribe', events: ['*'], lastEventId: 'evt_unknown' });
    send({ action: 'shout' });
    send({ action: 'auth', token: grace.tokens.accessToken });
    send({ action: 'subscribe', events: ['*'], lastEventId: 'evt_unknown' });
    await eventually(() => answers.length === 6 || undefined, 'six answers');
    const of = (person: Person) => ({ userId: person.id, organizationId: person.organizationId });
    const found = await lines(5);
    expect(found).toHaveLength(5);
    const [first, resumed, unknown, other, again] = found;
    expect(first).toMatchObject({ level: 'warn', status: 401, code: 'credentials_required', action: 'subscribe' });
    expect(first).not.toHaveProperty('userId');
    expect(resumed).toMatchObject({ level: 'info', procedure: 'ws.realtime', action: 'subscribe', ...of(ada) });
    expect(unknown).toMatchObject({ level: 'info', status: 400, code: 'invalid_input', ...of(ada) });
    expect(other).toMatchObject({ action: 'auth', userId: grace.id });
    expect(again).toMatchObject({ action: 'subscribe', ...of(ada) }); // the other's token changed nothing
  });

  it('has no field that docs/security.md does not name (V16.1.1)', () => {
    const page = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
    const [section = ''] = /^## What logs contain$[^#]+/m.exec(page) ?? [];
    const named = [...section.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const refused = app.logs.map((line) => JSON.parse(line) as Line).filter(({ msg }) => msg === 'refused on a socket');
    const unnamed = refused.flatMap((line) => Object.keys(line)).filter((field) => !named.includes(field));
    expect([...new Set(unnamed)].toSorted()).toEqual(['level', 'msg', 'time']);
  });
});
