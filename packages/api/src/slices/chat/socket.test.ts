import { redisIsMissing } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { type AppsOnRedis, startAppsOnRedis } from '../../../test/apps-on-redis.ts';
import { declaredMessage } from '../../../test/declared-message.ts';
import { makeOrganization, type TestOrganization } from '../../../test/organization.ts';
import { tryUpgrade } from '../../../test/upgrade.ts';

const PATH = '/api/v1/ws/organizations/{orgId}';

type Message = { type: string; event?: string; id?: string | null } & Record<string, unknown>;
type Text = { id: string; text: string };

/** A client that keeps what it receives. */
function open(at: TestApp, organizationId: string, query = '') {
  const path = PATH.replace('{orgId}', organizationId);
  const socket = new WebSocket(`${at.url.replace('http', 'ws')}${path}${query}`);
  const messages: Message[] = [];
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => resolve(code));
  });
  socket.on('message', (data) => void messages.push(declaredMessage(PATH, String(data)) as Message));
  socket.on('error', () => {});
  const opened = new Promise((resolve) => socket.once('open', resolve));
  const received = (what: (message: Message) => boolean, name = 'a message') =>
    eventually(() => messages.find(what), name);
  return {
    socket,
    messages,
    closed,
    received,
    async send(message: object): Promise<void> {
      await opened;
      socket.send(JSON.stringify(message));
    },
    /** The event of this type about this message or text. */
    event: (name: string, about: string) =>
      received(
        ({ event, data }) =>
          event === name && ((data as Text).id === about || ('text' in Object(data) && (data as Text).text === about)),
        `${name} ${about}`,
      ),
    acked: (clientId: string) => received((message) => message['clientId'] === clientId, `an answer to ${clientId}`),
    there: (...people: Person[]) =>
      received((message) => {
        const { members } = message as unknown as { members?: string[] };
        return (
          message === messages.findLast(({ type }) => type === 'presence') &&
          JSON.stringify(members?.toSorted()) === JSON.stringify(people.map(({ id }) => id).toSorted())
        );
      }, 'the members'),
  };
}
type Client = ReturnType<typeof open>;

async function ticketOf(at: TestApp, headers: Record<string, string>): Promise<string> {
  return (await at.request('/api/v1/ws/ticket', { method: 'POST', headers })).body.ticket;
}

const bearer = (person: Person) => ({ authorization: `Bearer ${person.tokens.accessToken}` });

async function join(at: TestApp, organizationId: string, person: Person, query = ''): Promise<Client> {
  const client = open(at, organizationId, `?ticket=${await ticketOf(at, bearer(person))}${query}`);
  await client.received(({ type }) => type === 'joined', 'joining');
  return client;
}

let app: TestApp;
let acme: TestOrganization;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  app = await startApp();
  acme = await makeOrganization(app);
  ada = acme.owner;
  bob = await acme.join('VIEWER');
});
afterAll(() => app.close());

const enter = (person: Person, query?: string) => join(app, acme.id, person, query);
const history = async (): Promise<Text[]> => (await ada.request(`${acme.path}/chat/messages?limit=100`)).body.items;

describe('the socket of an organization', () => {
  it('brings messages with their text, changes and ends of messages to everyone in the chat', async () => {
    const [ofAda, ofBob] = [await enter(ada), await enter(bob)];
    await ofAda.send({ action: 'message.send', text: 'Hello **Bob**', clientId: 'first' });
    const { id } = await ofAda.acked('first');
    for (const client of [ofAda, ofBob])
      expect(await client.event('chat.message_created', id as string)).toMatchObject({
        data: { text: 'Hello **Bob**', author: { kind: 'user', id: ada.id } },
      });
    await ofAda.send({ action: 'message.edit', id, text: 'Hello Bob' });
    expect(await ofBob.event('chat.message_updated', id as string)).toMatchObject({ data: { text: 'Hello Bob' } });
    await ofAda.send({ action: 'message.delete', id, clientId: 'end' });
    expect(await ofAda.acked('end')).toEqual({ type: 'ack', clientId: 'end', id });
    expect((await ofBob.event('chat.message_deleted', id as string)).data).not.toHaveProperty('text');
    ofAda.socket.close();
    ofBob.socket.close();
  });

  it('brings what is written over REST, too', async () => {
    const client = await enter(bob);
    const { body } = await ada.request(`${acme.path}/chat/messages`, { method: 'POST', body: { text: 'by REST' } });
    await client.event('chat.message_created', body.id);
    client.socket.close();
  });

  it('writes a message once that is sent again under the same `clientId`', async () => {
    const client = await enter(ada);
    const message = { action: 'message.send', text: 'exactly once', clientId: crypto.randomUUID() };
    await client.send(message);
    await client.send(message);
    const acks = await eventually(() => {
      const found = client.messages.filter(({ clientId }) => clientId === message.clientId);
      return found.length === 2 ? found : undefined;
    }, 'both answers');
    expect(acks[0]).toEqual(acks[1]);
    expect((await history()).filter(({ text }) => text === 'exactly once')).toHaveLength(1);
    client.socket.close();
  });

  it('resumes after `lastEventId`: what was missed comes with its text, and of what is gone only its end', async () => {
    const client = await enter(bob);
    await client.send({ action: 'message.send', text: 'before', clientId: 'before' });
    const { id: lastEventId } = await client.event('chat.message_created', 'before');
    client.socket.terminate();
    const write = async (text: string): Promise<string> =>
      (await ada.request(`${acme.path}/chat/messages`, { method: 'POST', body: { text } })).body.id;
    const [kept, gone] = [await write('missed'), await write('gone')];
    await ada.request(`${acme.path}/chat/messages/${gone}`, { method: 'DELETE' });
    const again = await enter(bob, `&lastEventId=${lastEventId}`);
    await again.event('chat.message_deleted', gone);
    const events = again.messages.filter(({ type }) => type === 'event');
    expect(events.map(({ event, data }) => [event, (data as Text).id])).toEqual([
      ['chat.message_created', kept],
      ['chat.message_deleted', gone],
    ]);
    again.socket.close();
  });

  it('says that an event to resume after is not kept, and goes on with what is new', async () => {
    const unknown = app.ports.ids.encode('evt', 2 ** 40);
    const client = await enter(bob, `&lastEventId=${unknown}`);
    expect(client.messages.slice(0, 3)).toMatchObject([
      { type: 'ready' },
      { type: 'error', code: 'not_found' },
      { type: 'joined' },
    ]);
    await client.send({ action: 'message.send', text: 'goes on', clientId: 'on' });
    await client.event('chat.message_created', 'goes on');
    client.socket.close();
  });
});

describe('presence', () => {
  it('shows who is connected, each once, until the last connection has gone', async () => {
    const ofAda = await enter(ada);
    await ofAda.there(ada);
    const [first, second] = [await enter(bob), await enter(bob)];
    await first.there(ada, bob);
    await ofAda.there(ada, bob);
    first.socket.close();
    second.socket.terminate();
    await ofAda.there(ada);
    ofAda.socket.close();
  });
});

describe('typing', () => {
  it('is shown to the others for five seconds, and is not stored', async () => {
    const [ofAda, ofBob] = [await enter(ada), await enter(bob)];
    const stored = async () => (await app.rows('events').count('* as count').first())?.['count'];
    const before = await stored();
    for (let times = 0; times < 5; times++) await ofAda.send({ action: 'typing' });
    const { userId, expiresAt } = await ofBob.received(({ type }) => type === 'typing');
    expect(userId).toBe(ada.id);
    expect(Date.parse(expiresAt as string)).toBeGreaterThan(Date.now() - 60_000);
    await ofAda.send({ action: 'ping' });
    await ofAda.received(({ type }) => type === 'pong');
    expect(ofAda.messages.filter(({ type }) => type === 'typing')).toEqual([]);
    expect(await stored()).toBe(before);
    ofAda.socket.close();
    ofBob.socket.close();
  });
});

describe('read marks', () => {
  it('move on and never back, are sent to the others, and are there for those who join', async () => {
    const write = async (): Promise<string> =>
      (await ada.request(`${acme.path}/chat/messages`, { method: 'POST', body: { text: 'read me' } })).body.id;
    const [first, second] = [await write(), await write()];
    const [ofAda, ofBob] = [await enter(ada), await enter(bob)];
    await ofBob.send({ action: 'read', messageId: second, clientId: 'second' });
    await ofBob.send({ action: 'read', messageId: first, clientId: 'first' });
    expect(await ofBob.acked('first')).toMatchObject({ type: 'ack', id: first });
    await ofAda.received(({ event, data }) => event === 'chat.read' && Object(data).messageId === second);
    const later = await enter(ada);
    const joined = await later.received(({ type }) => type === 'joined');
    expect(joined['reads']).toEqual([{ userId: bob.id, messageId: second, readAt: expect.any(String) }]);
    expect(ofAda.messages.filter(({ event }) => event === 'chat.read')).toHaveLength(1);
    await ofBob.send({ action: 'read', messageId: app.ports.ids.encode('msg', 2 ** 40), clientId: 'unknown' });
    expect(await ofBob.acked('unknown')).toMatchObject({ type: 'error', code: 'not_found' });
    for (const client of [ofAda, ofBob, later]) client.socket.close();
  });
});

describe('what is refused', () => {
  it.each([
    ['a message that is too long', { action: 'message.send', text: 'x'.repeat(4001) }, 'invalid_input', '4000'],
    ['a blank message', { action: 'message.send', text: ' ' }, 'invalid_input', '`text` must not be blank'],
    ['a control character', { action: 'message.send', text: 'a\u0007' }, 'invalid_input', 'control characters'],
    ['a field that there is not', { action: 'typing', to: 'all' }, 'invalid_input', 'Send {'],
    ['an action that there is not', { action: 'shout' }, 'invalid_input', 'Send {'],
  ])('%s, with what to do, and nothing is sent', async (_, message, code, detail) => {
    const [client, other] = [await enter(ada), await enter(bob)];
    const before = await history();
    await client.send({ ...message, clientId: 'wrong' });
    const refused = await client.acked('wrong');
    expect(refused).toMatchObject({ type: 'error', code });
    expect(refused['detail']).toContain(detail);
    expect(await history()).toEqual(before);
    await client.send({ action: 'message.send', text: `after ${detail}` });
    await other.event('chat.message_created', `after ${detail}`);
    expect(other.messages.filter(({ type }) => type === 'event')).toHaveLength(1);
    client.socket.close();
    other.socket.close();
  });

  it('a change of the message of another', async () => {
    const [ofAda, ofBob] = [await enter(ada), await enter(bob)];
    await ofAda.send({ action: 'message.send', text: 'hers', clientId: 'hers' });
    const { id } = await ofAda.acked('hers');
    await ofBob.send({ action: 'message.edit', id, text: 'his', clientId: 'edit' });
    await ofBob.send({ action: 'message.delete', id, clientId: 'delete' });
    for (const clientId of ['edit', 'delete'])
      expect(await ofBob.acked(clientId)).toMatchObject({ type: 'error', code: 'not_your_message' });
    expect((await history()).find((message) => message.id === id)?.text).toBe('hers');
    ofAda.socket.close();
    ofBob.socket.close();
  });

  it('an organization of which the caller is no member: by ticket, by token, by a key of another', async () => {
    const eve = await app.signUp();
    const { body: key } = await eve.request('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'of eve', scopes: ['*'] },
    });
    const path = `${app.url}${PATH.replace('{orgId}', acme.id)}`;
    for (const headers of [bearer(eve), { 'x-api-key': key.secret }]) {
      const refused = await tryUpgrade(`${path}?ticket=${await ticketOf(app, headers)}`);
      expect(refused).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
    const byToken = [eve.tokens.accessToken, key.secret].map(async (token) => {
      const client = open(app, acme.id);
      await client.send({ action: 'auth', token });
      expect(await client.closed).toBe(4403);
      expect(client.messages).toMatchObject([{ type: 'error', code: 'not_found' }]);
    });
    await Promise.all(byToken);
  });

  it('an address that names no organization, and one without an upgrade', async () => {
    const wrong = await tryUpgrade(`${app.url}${PATH.replace('{orgId}', 'acme')}`);
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    const { status, body } = await app.request(PATH.replace('{orgId}', acme.id));
    expect([status, body.code]).toEqual([426, 'upgrade_required']);
  });

  it('what only people do, by a key, which may write', async () => {
    const { body: key } = await acme.as(ada)('/api/v1/api-keys', {
      method: 'POST',
      body: { name: 'bot', scopes: ['org:read'] },
    });
    const client = open(app, acme.id);
    await client.send({ action: 'auth', token: key.secret });
    await client.received(({ type }) => type === 'joined');
    await client.send({ action: 'message.send', text: 'by a bot', clientId: 'bot' });
    const { id } = await client.acked('bot');
    await client.send({ action: 'read', messageId: id, clientId: 'read' });
    expect(await client.acked('read')).toMatchObject({ type: 'error', code: 'user_required' });
    await client.send({ action: 'typing' });
    await eventually(() => client.messages.filter(({ code }) => code === 'user_required')[1], 'the refusal of typing');
    client.socket.close();
  });
});

describe('a member who is removed', () => {
  it('is out of the chat, and is sent nothing more', async () => {
    const cem = await acme.join('MEMBER');
    const [ofAda, ofCem] = [await enter(ada), await enter(cem)];
    await ofAda.there(ada, cem);
    expect((await ada.request(`${acme.path}/members/${cem.id}`, { method: 'DELETE' })).status).toBe(204);
    await ofAda.send({ action: 'message.send', text: 'without Cem', clientId: 'without' });
    expect(await ofCem.closed).toBe(4403);
    await ofAda.there(ada);
    await ofAda.event('chat.message_created', 'without Cem');
    expect(ofCem.messages.filter(({ type }) => type === 'event')).toEqual([]);
    ofAda.socket.close();
  });
});

describe.skipIf(redisIsMissing())('two processes on one Redis', () => {
  let processes: AppsOnRedis;
  let one: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    processes = await startAppsOnRedis();
    [one, other] = processes.apps;
  });
  afterAll(() => processes?.close());

  it('are one chat: messages, presence, typing and read marks', async () => {
    const organization = await makeOrganization(one);
    const [here, there] = [organization.owner, await organization.join('MEMBER')];
    const [first, second] = [await join(one, organization.id, here), await join(other, organization.id, there)];
    await first.there(here, there);
    await second.there(here, there);
    await first.send({ action: 'message.send', text: 'to the other process', clientId: 'a' });
    const { data } = await second.event('chat.message_created', 'to the other process');
    await second.send({ action: 'typing' });
    await second.send({ action: 'read', messageId: (data as Text).id });
    await first.received(({ type, userId }) => type === 'typing' && userId === there.id);
    await first.received(({ event }) => event === 'chat.read');
    second.socket.terminate();
    await first.there(here);
    first.socket.close();
  });
});
