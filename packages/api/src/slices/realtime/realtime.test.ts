import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from '../../../test/app.ts';
import { declaredMessage } from '../../../test/declared-message.ts';
import { tryUpgrade } from '../../../test/upgrade.ts';
import { systemContext } from '../../context.ts';
import { record } from '../../events/record.ts';
import { ApiKeyCreated } from '../api-keys/events.ts';
import { ApiKeyModel } from '../api-keys/model.ts';
import { exampleRecordedKey } from '../api-keys/schemas.ts';
import { createAccessTokens } from '../auth/access-tokens.ts';

const KEYS = '/api/v1/api-keys';

let app: TestApp;
/** As a second process: it shares only the database. */
let other: TestApp;
let ada: Person;

beforeAll(async () => {
  app = await startApp();
  other = await startApp({}, app);
  ada = await app.signUp();
});
afterAll(async () => {
  await other.close();
  await app.close();
});

type Message = { type: string; events?: string[]; id?: string; event?: string; code?: string; data?: unknown } & Record<
  string,
  unknown
>;

/** A client that keeps what it receives. */
function open(at: TestApp, query = '') {
  const socket = new WebSocket(`${at.url.replace('http', 'ws')}/api/v1/ws/realtime${query}`);
  const messages: Message[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  socket.on('message', (data) => void messages.push(declaredMessage('/api/v1/ws/realtime', String(data)) as Message));
  socket.on('error', () => {});
  const opened = new Promise((resolve) => socket.once('open', resolve));
  return {
    socket,
    messages,
    closed,
    async send(message: object): Promise<void> {
      await opened;
      socket.send(JSON.stringify(message));
    },
    received: (what: (message: Message) => boolean) => eventually(() => messages.find(what), 'a message'),
    events: () => messages.filter(({ type }) => type === 'event'),
  };
}

const ready = ({ type }: Message) => type === 'ready';
const subscribed = ({ type }: Message) => type === 'subscribed';
const event =
  (name: string, keyName?: string) =>
  ({ type, event, data }: Message) =>
    type === 'event' && event === name && (keyName === undefined || (data as { name: string }).name === keyName);

async function follow(at: TestApp, token: string, events = ['api_key.*'], lastEventId?: unknown) {
  const client = open(at);
  await client.send({ action: 'auth', token });
  await client.send({ action: 'subscribe', events, lastEventId });
  await client.received(subscribed);
  return client;
}

let names = 0;
async function createKey(person: Person, scopes = ['*']) {
  const { body } = await person.request(KEYS, { method: 'POST', body: { name: `key ${++names}`, scopes } });
  return body as { id: string; name: string; secret: string };
}

/** An event of the user's organization, whose transaction ends when `gate` opens. */
async function recordSlowly(person: Person, name: string, gate: Promise<void>, recorded = () => {}): Promise<void> {
  const ctx = systemContext(app.ports, 'test');
  const organization = { id: ctx.ids.decode('org', person.organizationId) };
  // In a transaction of the pool, where the event gets its id at once.
  await ctx.db.transaction(async (db) => {
    const key = await ApiKeyModel.of({ db, organization }).first().throwIfNotFound();
    const data = { ...key.present(ctx.ids), name };
    await record({ ...ctx, db }, ApiKeyCreated, { target: key, data, organizationId: organization.id });
    recorded();
    await gate;
  });
}

describe('resuming', () => {
  it('misses nothing, although an event with an earlier id was committed later', async () => {
    await createKey(ada);
    const gate = Promise.withResolvers<void>();
    const recorded = Promise.withResolvers<void>();
    const slow = recordSlowly(ada, 'early id, late commit', gate.promise, recorded.resolve);
    await recorded.promise;
    const first = await follow(app, ada.tokens.accessToken);
    await recordSlowly(ada, 'late id, early commit', Promise.resolve());
    const seen = await first.received(event('api_key.created', 'late id, early commit'));
    first.socket.terminate();
    gate.resolve();
    await slow;

    const second = await follow(app, ada.tokens.accessToken, ['api_key.*'], seen.id!);
    const missed = await second.received(event('api_key.created', 'early id, late commit'));
    expect(app.ports.ids.decode('evt', missed.id!)).toBeLessThan(app.ports.ids.decode('evt', seen.id!));
    expect(second.events()).toHaveLength(1);
    second.socket.close();
  });

  it('sends each event once and in order, for any number of events, while new ones come', async () => {
    const bea = await app.signUp();
    const client = await follow(app, bea.tokens.accessToken);
    await createKey(bea);
    const { id } = await client.received(event('api_key.created'));
    client.socket.terminate();
    const context = systemContext(app.ports, 'test');
    await app.rows('events').insert(
      Array.from({ length: 1200 }, (_, at) => ({
        organizationId: context.ids.decode('org', bea.organizationId),
        type: 'api_key.created',
        data: { ...exampleRecordedKey, name: `missed ${at}` },
        createdAt: context.now,
      })),
    );
    const again = await follow(app, bea.tokens.accessToken, ['api_key.*'], id!);
    const live = await createKey(bea);
    await again.received(event('api_key.created', live.name));
    await eventually(() => (again.events().length >= 1201 ? true : undefined), 'all events');
    const sent = again.events().map(({ data }) => (data as { name: string }).name);
    expect(sent).toEqual([...Array.from({ length: 1200 }, (_, at) => `missed ${at}`), live.name]);
    again.socket.close();
  });

  it.each([0, 1])('misses nothing of what came before its first event, with %i events stored', async (before) => {
    const bea = await app.signUp();
    if (before) await createKey(bea);
    await eventually(
      async () => ((await app.rows('events').whereNull('position').first()) ? undefined : true),
      'stamps',
    );
    const { newest } = (await app.rows('events').max('position as newest').first())!;
    await eventually(async () => (await app.ports.feed.position()) >= Number(newest) || undefined, 'the feed to read');
    const organizationId = app.ports.ids.decode('org', bea.organizationId);
    const elsewhere = { organizationId: app.ports.ids.decode('org', ada.organizationId) };
    if (!before) await app.rows('events').where({ organizationId }).update(elsewhere);
    const first = await follow(app, bea.tokens.accessToken);
    const { lastEventId } = await first.received(subscribed);
    expect(lastEventId).toEqual(before ? expect.stringMatching(/^evt_/) : null);
    first.socket.terminate();
    const missed = await createKey(bea);
    const second = await follow(other, bea.tokens.accessToken, ['api_key.*'], lastEventId);
    await second.received(event('api_key.created', missed.name));
    expect(second.events()).toHaveLength(1);
    second.socket.close();
  });

  it('returns the requested position until what came after it was sent', async () => {
    const bea = await app.signUp();
    const witness = await follow(app, bea.tokens.accessToken);
    const { lastEventId } = await witness.received(subscribed);
    await createKey(bea);
    const { id } = await witness.received(event('api_key.created'));
    const [behind, ahead] = [
      await follow(app, bea.tokens.accessToken, ['api_key.*'], lastEventId),
      await follow(app, bea.tokens.accessToken),
    ];
    expect((await behind.received(subscribed))['lastEventId']).toBe(lastEventId);
    expect((await ahead.received(subscribed))['lastEventId']).toBe(id);
    for (const { socket } of [witness, behind, ahead]) socket.close();
  });

  it('shows each event once, in order, where replays overlap', async () => {
    const bea = await app.signUp();
    const made = [await createKey(bea), await createKey(bea), await createKey(bea)];
    await bea.request(`${KEYS}/${made[0]!.id}`, { method: 'DELETE' });
    const witness = await follow(app, bea.tokens.accessToken, ['api_key.*'], null);
    await witness.received(event('api_key.revoked'));

    const client = await follow(app, bea.tokens.accessToken, ['api_key.created'], null);
    await client.received(event('api_key.created', made[2]!.name));
    await client.send({ action: 'subscribe', events: ['api_key.*'], lastEventId: null });
    await client.received(event('api_key.revoked'));
    const live = await createKey(bea);
    await client.received(event('api_key.created', live.name));
    const seen = client.events().map(({ data }) => (data as { name: string }).name);
    expect(seen).toEqual([...made.map(({ name }) => name), made[0]!.name, live.name]);
    for (const { socket } of [witness, client]) socket.close();
  });

  it('reports an unknown event instead of sending nothing', async () => {
    const client = open(app);
    await client.send({ action: 'auth', token: ada.tokens.accessToken });
    const lastEventId = app.ports.ids.encode('evt', 999_999_999);
    await client.send({ action: 'subscribe', events: ['api_key.*'], lastEventId });
    expect(await client.received(({ type }) => type === 'error')).toMatchObject({ code: 'not_found' });
    client.socket.close();
  });

  it("does not accept another organization's event as a position", async () => {
    const stranger = await app.signUp();
    const theirs = await follow(app, stranger.tokens.accessToken);
    await createKey(stranger);
    const { id } = await theirs.received(event('api_key.created'));
    const client = open(app);
    await client.send({ action: 'auth', token: ada.tokens.accessToken });
    await client.send({ action: 'subscribe', events: ['api_key.*'], lastEventId: id });
    expect(await client.received(({ type }) => type === 'error')).toMatchObject({ code: 'not_found' });
    theirs.socket.close();
    client.socket.close();
  });
});

describe('two processes', () => {
  it('both send what happens in either', async () => {
    const [here, there] = [await follow(app, ada.tokens.accessToken), await follow(other, ada.tokens.accessToken)];
    const key = await createKey(ada);
    await Promise.all([here, there].map((client) => client.received(event('api_key.created', key.name))));
    expect(here.events().map(({ id }) => id)).toEqual(there.events().map(({ id }) => id));
    here.socket.close();
    there.socket.close();
  });

  it('let a client resume in the other after a break', async () => {
    const here = await follow(app, ada.tokens.accessToken);
    await createKey(ada);
    const { id } = await here.received(event('api_key.created'));
    here.socket.terminate();
    const missed = await createKey(ada);
    const there = await follow(other, ada.tokens.accessToken, ['api_key.*'], id!);
    await there.received(event('api_key.created', missed.name));
    expect(there.events()).toHaveLength(1);
    there.socket.close();
  });
});

describe('a credential', () => {
  /** A token of the user's session that ends soon. */
  async function shortToken(person: Person, ttlS: number): Promise<string> {
    const { keyring, env } = app.ports;
    const [, claims = ''] = person.tokens.accessToken.split('.');
    const { sub, sid } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    return createAccessTokens({ keyring, issuer: env.PUBLIC_URL, ttlS }).sign({ sub, sid }, new Date());
  }

  it('closes its socket with 4401 when it expires', async () => {
    const client = await follow(app, await shortToken(ada, 2));
    const { code, reason } = await client.closed;
    expect([code, reason]).toEqual([4401, 'access_token_expired']);
    expect(client.messages.at(-1)).toMatchObject({ type: 'error', code: 'access_token_expired' });
  });

  it('is renewed by another on the open socket, which then stays open', async () => {
    const client = await follow(app, await shortToken(ada, 2));
    client.messages.length = 0;
    await client.send({ action: 'auth', token: ada.tokens.accessToken });
    const { expiresAt } = await client.received(ready);
    expect(new Date(String(expiresAt)).getTime()).toBeGreaterThan(Date.now() + 60_000);
    await sleep(2500);
    const key = await createKey(ada);
    await client.received(event('api_key.created', key.name));
    client.socket.close();
  });

  it("is not renewed by another user's, nor by an invalid one; the socket keeps its caller", async () => {
    const stranger = await app.signUp();
    const client = await follow(app, ada.tokens.accessToken);
    for (const token of [stranger.tokens.accessToken, 'nonsense']) {
      client.messages.length = 0;
      await client.send({ action: 'auth', token });
      await client.received(({ type }) => type === 'error');
    }
    const key = await createKey(ada);
    await client.received(event('api_key.created', key.name));
    client.socket.close();
  });

  it('that is a ticket lasts as long as the session behind it', async () => {
    const bea = await app.signUp();
    const { body } = await bea.request('/api/v1/ws/ticket', { method: 'POST' });
    const client = open(app, `?ticket=${body.ticket}`);
    expect(await client.received(ready)).toMatchObject({ expiresAt: null });
    await bea.request('/api/v1/auth/logout', { method: 'POST' });
    expect((await client.closed).code).toBe(4401);
    const again = await tryUpgrade(`${app.url}/api/v1/ws/realtime?ticket=${body.ticket}`);
    expect(again).toMatchObject({ status: 401, body: { code: 'invalid_ticket' } });
  });

  it('that is a ticket ends after 30 seconds', async () => {
    const { body } = await ada.request('/api/v1/ws/ticket', { method: 'POST' });
    expect(body.expiresIn).toBe(30);
    const { id } = await app.rows('users').where({ email: ada.email }).first('id');
    const mine = app.rows('sessions').where({ userId: id }).select('id');
    const [ticket] = await app
      .rows('realtime_tickets')
      .whereIn('sessionId', mine)
      .update({ expiresAt: new Date() }, '*');
    expect(ticket).toBeDefined();
    const late = await tryUpgrade(`${app.url}/api/v1/ws/realtime?ticket=${body.ticket}`);
    expect(late).toMatchObject({ status: 401, body: { code: 'invalid_ticket' } });
  });

  it('in the URL is an access token or key only where the settings allow it, and a ticket always (V14.2.1)', async () => {
    const strict = await startApp({ REALTIME_TOKEN_IN_URL: 'false' }, app);
    const at = (url: string, query: string) => tryUpgrade(`${url}/api/v1/ws/realtime?${query}`);
    const key = await createKey(ada);
    for (const token of [ada.tokens.accessToken, key.secret]) {
      expect(await at(app.url, `token=${token}`)).toBeNull();
      const refused = await at(strict.url, `token=${token}`);
      expect(refused).toMatchObject({ status: 400, body: { code: 'credential_in_url' } });
      expect(refused?.body.detail).toContain('?ticket=');
    }
    const { body } = await ada.request('/api/v1/ws/ticket', { method: 'POST' });
    expect(await at(strict.url, `ticket=${body.ticket}`)).toBeNull();
    await strict.close();
  });

  it('that is invalid is refused late, so that a client does not reconnect in a tight loop', async () => {
    const client = open(app);
    const askedAt = performance.now();
    await client.send({ action: 'auth', token: 'nonsense' });
    await client.received(({ type, code }) => type === 'error' && code === 'invalid_access_token');
    await client.send({ action: 'auth', token: ada.tokens.accessToken }); // too late
    const { code } = await client.closed;
    expect(code).toBe(4401);
    expect(performance.now() - askedAt).toBeGreaterThan(900);
    expect(client.messages).toHaveLength(1);
  });

  it('is required within 10 s, and only messages of the protocol are accepted', async () => {
    const client = open(app);
    await client.send({ action: 'subscribe', events: ['api_key.*'] });
    expect(await client.received(({ type }) => type === 'error')).toMatchObject({ code: 'credentials_required' });
    client.messages.length = 0;
    await client.send({ action: 'dance' });
    expect(await client.received(({ type }) => type === 'error')).toMatchObject({ code: 'invalid_input' });
    client.socket.close();
  });
});

describe.each(['/api/v1/ws/realtime', '/trpc'])('the handshake at %s', (path) => {
  let limited: TestApp;
  beforeAll(async () => {
    const settings = { RATE_LIMIT_PER_MINUTE: '3', CORS_ORIGINS: 'https://app.example.com' };
    limited = await startApp({ ...settings, PUBLIC_URL: 'https://api.example.com' }, app);
  });
  afterAll(() => limited.close());

  let sources = 0;
  const newSource = () => ({ 'x-test-ip': `203.0.113.${++sources}` });
  /** A credential that is known before the upgrade. */
  const bad = path === '/trpc' ? { headers: { authorization: 'Bearer nonsense' } } : { query: '?token=nonsense' };
  const connect = ({
    headers = {},
    query = '',
    origin,
  }: Record<string, unknown> & { headers?: object; query?: string }) =>
    tryUpgrade(`${limited.url}${path}${query}`, {
      headers: { ...headers },
      ...(typeof origin === 'string' && { origin }),
    });

  it('refuses a bad credential before the upgrade, and its source once it is over its limit', async () => {
    const source = newSource();
    const tryBad = () => connect({ ...bad, headers: { ...bad.headers, ...source } });
    for (let count = 0; count < 3; count++) {
      const refused = await tryBad();
      expect(refused).toMatchObject({ status: 401, body: { code: 'invalid_access_token', status: 401 } });
      expect(refused?.headers['content-type']).toContain('application/problem+json');
      expect(refused?.headers['x-request-id']).toBe(refused?.body.requestId);
    }
    for (const refused of [await tryBad(), await connect({ headers: source })]) {
      expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
      expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused?.headers['ratelimit-policy']).toContain('source');
    }
    expect(await connect({ headers: newSource() })).toBeNull();
  });

  it('costs nothing where it succeeds', async () => {
    const body = { name: `key ${++names}`, scopes: ['*'] };
    const { body: key } = await ada.request(KEYS, { method: 'POST', body });
    const headers = { ...newSource(), 'x-api-key': key.secret };
    for (let count = 0; count < 10; count++) expect(await connect({ headers })).toBeNull();
  });

  it('is for pages of the product, of named origins and of active keys; programs send none (V4.4.2)', async () => {
    const body = { name: `key ${++names}`, scopes: ['*'], allowedOrigins: ['https://shop.example.org'] };
    const { body: key } = await ada.request(KEYS, { method: 'POST', body });
    const from = (origin: string) => connect({ origin, headers: newSource() });
    expect(await connect({ headers: newSource() })).toBeNull();
    for (const origin of ['https://api.example.com', 'https://app.example.com', 'https://shop.example.org'])
      expect(await from(origin)).toBeNull();
    for (const origin of [
      'https://evil.example',
      'null',
      'https://app.example.com.evil.example',
      'http://app.example.com',
    ]) {
      const refused = await from(origin);
      expect(refused).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
      expect(refused?.body.detail).toContain('CORS_ORIGINS');
    }
    await ada.request(`${KEYS}/${key.id}`, { method: 'DELETE' });
    const later = await startApp({ CORS_ORIGINS: 'https://app.example.com' }, app); // caches nothing
    expect(await tryUpgrade(`${later.url}${path}`, { origin: 'https://shop.example.org' })).toMatchObject({
      status: 403,
    });
    await later.close();
  });

  it('charges the source of a foreign origin', async () => {
    const source = newSource();
    for (let count = 0; count < 3; count++) await connect({ origin: 'https://evil.example', headers: source });
    expect(await connect({ headers: source })).toMatchObject({ status: 429 });
  });

  it('is answered with 503 and a time to wait while the process stops', async () => {
    limited.ports.process.draining = true;
    const refused = await connect({ headers: newSource() });
    limited.ports.process.draining = false;
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' }, headers: { 'retry-after': '1' } });
  });
});

it('finds the keys of an origin by an index', async () => {
  await app.rows.transaction(async (db) => {
    await db.raw('set local enable_seqscan = off');
    const plan = await db.raw(`
      explain select 1 from api_keys
      where allowed_origins @> array['https://a.example'] and allowed_origins <> '{}' and revoked_at is null`);
    expect(JSON.stringify(plan.rows)).toContain('api_keys_allowed_origins');
  });
});

describe('in another process', () => {
  /** Why a socket at the other process ended after the change. */
  async function endedBy(client: ReturnType<typeof open>, change: () => Promise<unknown>) {
    await change();
    const { code, reason } = await client.closed;
    return [code, reason];
  }

  it('a revoked session closes its sockets', async () => {
    const bea = await app.signUp();
    const client = await follow(other, bea.tokens.accessToken);
    expect(await endedBy(client, () => bea.request('/api/v1/auth/logout', { method: 'POST' }))).toEqual([
      4401,
      'session_revoked',
    ]);
  });

  it('a revoked key closes its sockets', async () => {
    const key = await createKey(ada);
    const client = await follow(other, key.secret);
    const revoke = () => ada.request(`${KEYS}/${key.id}`, { method: 'DELETE' });
    expect(await endedBy(client, revoke)).toEqual([4401, 'api_key_revoked']);
  });

  it('a suspended user loses all sockets', async () => {
    const bea = await app.signUp();
    const client = await follow(other, bea.tokens.accessToken);
    const suspend = () =>
      app
        .rows('users')
        .where({ id: app.ports.ids.decode('usr', bea.id) })
        .update({ status: 'SUSPENDED' });
    expect(await endedBy(client, suspend)).toEqual([4403, 'account_inactive']);
  });

  it('a removed member loses the sockets of that organization', async () => {
    const bea = await app.signUp();
    const ids = app.ports.ids;
    const membership = { organizationId: ids.decode('org', ada.organizationId), userId: ids.decode('usr', bea.id) };
    const now = new Date();
    await app.rows('organization_members').insert({ ...membership, role: 'MEMBER', createdAt: now, updatedAt: now });
    const { body } = await bea.request('/api/v1/ws/ticket', {
      method: 'POST',
      headers: { 'x-organization-id': ada.organizationId },
    });
    const client = open(other, `?ticket=${body.ticket}`);
    await client.received(ready);
    const remove = () => app.rows('organization_members').where(membership).delete();
    expect(await endedBy(client, remove)).toEqual([4403, 'not_found']);
  });

  it('fewer permissions show fewer events on a socket that stays open', async () => {
    const key = await createKey(ada);
    const watching = await createKey(ada, ['api_keys:read', 'org:read']);
    const client = await follow(other, watching.secret);
    await app
      .rows('api_keys')
      .where({ id: app.ports.ids.decode('key', watching.id) })
      .update({ scopes: ['org:read'] });
    await sleep(1000); // no answer from memory is older
    client.messages.length = 0; // the event of its own creation may have come
    await ada.request(`${KEYS}/${key.id}`, { method: 'DELETE' });
    const witness = await follow(other, ada.tokens.accessToken);
    const last = await createKey(ada);
    await witness.received(event('api_key.created', last.name));
    await sleep(200);
    expect(client.events()).toEqual([]);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
    client.socket.close();
    witness.socket.close();
  });
});

describe('a connection', () => {
  it('that does not read is dropped, and little is buffered for it', async () => {
    const bea = await app.signUp();
    const slow = await follow(app, bea.tokens.accessToken);
    const quick = await follow(app, bea.tokens.accessToken);
    slow.socket.pause();
    const organizationId = app.ports.ids.decode('org', bea.organizationId);
    const large = 'x'.repeat(10_000);
    const { open: opened } = app.sockets.stats();
    let mostBytes = 0;
    const timer = setInterval(() => {
      mostBytes = Math.max(mostBytes, app.sockets.stats().bufferedBytes);
    }, 1);
    for (let batch = 0; batch < 20; batch++) {
      await app.rows('events').insert(
        Array.from({ length: 100 }, (_, at) => ({
          organizationId,
          type: 'api_key.created',
          data: { ...exampleRecordedKey, name: `${batch}.${at}`, description: large },
          createdAt: new Date(),
        })),
      );
    }
    await eventually(() => (quick.events().length === 2000 ? true : undefined), 'the quick one to have everything');
    await eventually(() => (app.sockets.stats().open < opened ? true : undefined), 'the slow one to go');
    clearInterval(timer);
    // 20 MB were sent to each.
    expect(mostBytes).toBeGreaterThan(0);
    expect(mostBytes).toBeLessThan(1024 ** 2);
    slow.socket.resume();
    expect([1006, 1013]).toContain((await slow.closed).code);
    expect(slow.events().length).toBeLessThan(2000);
    quick.socket.close();
  });

  it('that reads again continues where it stopped, with nothing missing', async () => {
    const bea = await app.signUp();
    const client = await follow(app, bea.tokens.accessToken);
    client.socket.pause();
    const organizationId = app.ports.ids.decode('org', bea.organizationId);
    const large = 'x'.repeat(10_000);
    await app.rows('events').insert(
      Array.from({ length: 1500 }, (_, at) => ({
        organizationId,
        type: 'api_key.created',
        data: { ...exampleRecordedKey, name: `${at}`, description: large },
        createdAt: new Date(),
      })),
    );
    await sleep(1500);
    client.socket.resume();
    await eventually(() => (client.events().length === 1500 ? true : undefined), 'all events');
    expect(client.events().map(({ data }) => (data as { name: string }).name)).toEqual(
      Array.from({ length: 1500 }, (_, at) => `${at}`),
    );
    client.socket.close();
  });

  it('that sends too many messages is closed', async () => {
    const client = await follow(app, ada.tokens.accessToken);
    for (let at = 0; at < 200; at++) client.socket.send('{"action":"ping"}');
    expect((await client.closed).code).toBe(1008);
  });

  it('subscribes to known patterns, at most 100 of them', async () => {
    const client = await follow(app, ada.tokens.accessToken);
    client.messages.length = 0;
    await client.send({ action: 'subscribe', events: ['no_such.thing'] });
    expect(await client.received(({ type }) => type === 'error')).toMatchObject({ code: 'invalid_input' });
    client.messages.length = 0;
    await client.send({ action: 'subscribe', events: Array.from({ length: 101 }, () => 'api_key.*') });
    expect(await client.received(({ type }) => type === 'error')).toMatchObject({ code: 'invalid_input' });
    client.socket.close();
  });

  it('is refused at unknown paths', async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/api/v1/ws/nothing`);
    const [error] = await new Promise<[Error]>((resolve) => socket.on('error', (failure) => resolve([failure])));
    expect(error.message).toContain('404');
  });

  it('of another protocol is refused by what upgrades, whatever its path', async () => {
    const socket = connectTcp(Number(new URL(app.url).port), '127.0.0.1');
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('leave the `Upgrade` header out');
  });

  it('is closed with 1001 when its process stops', async () => {
    const third = await startApp({}, app);
    const client = await follow(third, ada.tokens.accessToken);
    await third.close();
    expect((await client.closed).code).toBe(1001);
  });
});

describe('calls made with keys', () => {
  it('are sent to callers who watch `api_call` and may read keys', async () => {
    const key = await createKey(ada);
    const client = await follow(app, ada.tokens.accessToken, ['api_call']);
    await app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
    const sent = await client.received(event('api_call'));
    expect(sent).toMatchObject({ id: null, data: { procedure: 'apiKeys.list', status: 200 } });
    client.socket.close();
  });

  it('are no failure for a socket that is only opening', async () => {
    const third = await startApp({}, app);
    const key = await createKey(ada);
    third.logs.length = 0;
    // The feed's first query waits, as on a slow database.
    const gate = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = app.rows.transaction(async (db) => {
      await db.raw('lock table events in access exclusive mode');
      locked.resolve();
      await gate.promise;
    });
    await locked.promise;
    const client = open(third);
    await client.send({ action: 'auth', token: ada.tokens.accessToken });
    await sleep(200);
    await third.request(KEYS, { headers: { 'x-api-key': key.secret } });
    gate.resolve();
    await holding;
    await client.received(ready);
    client.socket.close();
    await third.close();
    expect(third.logs.filter((line) => JSON.parse(line).level >= 40)).toEqual([]);
  });
});
