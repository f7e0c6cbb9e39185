import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../test/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ DEFAULT_PLAN: 'FREE' });
});
afterAll(() => app.close());

/** Leaves an organization room for these, half of them for each caller. */
async function limit({ organizationId }: Person, given: { sockets?: number; subscriptions?: number }): Promise<void> {
  const limitOverride = { id: 1, perHour: null, perDay: null, untilMs: Date.now() + 3_600_000, ...given };
  const id = app.ports.ids.decode('org', organizationId);
  await app
    .rows('organizations')
    .where({ id })
    .update({ limitOverride: JSON.stringify({ sockets: null, subscriptions: null, ...limitOverride }) });
  app.ports.actors.forget(`organization:${id}`); // as if the notification of the change had arrived
}

async function keyOf(person: Person): Promise<string> {
  const body = { name: 'CI', scopes: ['api_keys:read'] };
  return (await person.request('/api/v1/api-keys', { method: 'POST', body })).body.secret;
}

/** The realtime socket of a token or key: `ready`, or why it was refused. */
async function openSocket(token: string) {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/api/v1/ws/realtime?token=${token}`);
  const messages: { type: string; code?: string; detail?: string }[] = [];
  let closed: number | undefined;
  socket.on('message', (data) => void messages.push(JSON.parse(String(data))));
  socket.on('close', (code) => (closed = code));
  const first = await eventually(() => messages[0], 'an answer');
  return { socket, first, closed: () => eventually(() => closed, 'the end of the socket') };
}

const refusedBy = (name: string) => ({
  type: 'error',
  code: 'limit_reached',
  detail: expect.stringContaining(`\`${name}\``),
});

it('refuses a socket more than the caller or the organization may open, until one is closed', async () => {
  const ada = await app.signUp();
  const key = await keyOf(ada);
  const another = await keyOf(ada);
  await limit(ada, { sockets: 4 });
  const open = await Promise.all([openSocket(ada.tokens.accessToken), openSocket(ada.tokens.accessToken)]);
  expect(open.map(({ first }) => first.type)).toEqual(['ready', 'ready']);
  const third = await openSocket(ada.tokens.accessToken);
  expect(third.first).toMatchObject(refusedBy('caller-sockets'));
  expect(await third.closed()).toBe(1008);
  for (let at = 0; at < 2; at++) expect((await openSocket(key)).first.type).toBe('ready');
  expect((await openSocket(another)).first).toMatchObject(refusedBy('sockets'));
  open[0]!.socket.close();
  await open[0]!.closed();
  await eventually(async () => {
    const { first } = await openSocket(another);
    return first.type === 'ready' || undefined;
  }, 'the free place');
});

it('counts sockets of tRPC clients, too', async () => {
  const ada = await app.signUp();
  await limit(ada, { sockets: 2 });
  const headers = { authorization: `Bearer ${ada.tokens.accessToken}` };
  const me = JSON.stringify({ id: 1, method: 'query', params: { path: 'users.me.get' } });
  const connect = async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/trpc`, { headers });
    const messages: { id: number | null; error?: { data: { problem: { code: string } } } }[] = [];
    socket.on('message', (data) => void messages.push(JSON.parse(String(data))));
    socket.once('open', () => socket.send(me));
    return eventually(() => messages[0], 'an answer');
  };
  expect(await connect()).toMatchObject({ id: 1, result: {} });
  expect(await connect()).toMatchObject({ error: { data: { problem: { code: 'limit_reached' } } } });
});

it('refuses a subscription more than the caller may open', async () => {
  const ada = await app.signUp();
  await limit(ada, { subscriptions: 2 });
  const input = encodeURIComponent(JSON.stringify({ events: ['api_key.*'] }));
  const subscribe = async () => {
    const ending = new AbortController();
    const response = await fetch(`${app.url}/trpc/realtime.events?input=${input}`, {
      headers: { authorization: `Bearer ${ada.tokens.accessToken}` },
      signal: ending.signal,
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    return { read: async () => (await reader.read()).value ?? '', end: () => ending.abort() };
  };
  const first = await subscribe();
  expect(await first.read()).toContain('connected');
  const refused = await subscribe();
  let said = '';
  while (!said.includes('serialized-error')) said += await refused.read();
  expect(said).toContain('caller-subscriptions');
  first.end();
  await eventually(async () => {
    const { size } = (await app.ports.slots.take([poolOf(ada)])).full ?? {};
    return size === undefined || undefined;
  }, 'the free place');
});

const poolOf = ({ id, organizationId }: Person) => ({
  name: 'caller-subscriptions',
  key: `{${app.ports.ids.decode('org', organizationId)}}subscriptions:user:${app.ports.ids.decode('usr', id)}`,
  size: 1,
});
