import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAccessTokens } from '@rentapi/api/slices/auth/access-tokens';
import type { RealtimeEvent } from '@rentapi/api/slices/realtime/schemas';
import type { AppRouter } from '@rentapi/api/slices/router';
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  httpSubscriptionLink,
  type TRPCClient,
  TRPCClientError,
  type TRPCLink,
  wsLink,
} from '@trpc/client';
import { EventSource } from 'eventsource';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { eventually, type Person, startApp, type TestApp } from './app.ts';
import { tryUpgrade } from './upgrade.ts';

type Client = TRPCClient<AppRouter>;

let app: TestApp;
let ada: Person;
const closing: (() => void)[] = [];
/** How many subscriptions have become live: each asks for the last event at that moment. `started` comes earlier. */
let subscribed: () => number;

beforeAll(async () => {
  app = await startApp();
  const lastEventAt = vi.spyOn(app.ports.feed, 'lastEventAt');
  subscribed = () => lastEventAt.mock.calls.length;
  ada = await app.signUp();
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
afterAll(() => app.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const client = (link: TRPCLink<AppRouter>): Client => createTRPCClient<AppRouter>({ links: [link] });
const url = () => `${app.url}/trpc`;
/** The same API as a browser's, with types of its own. */
const NodeWebSocket = WebSocket as unknown as typeof globalThis.WebSocket;

/** `tokens` are used one after the other, one for each connection; the last one stays. */
function overWebSocket(...tokens: string[]) {
  const ws = createWSClient({
    url: url().replace('http', 'ws'),
    WebSocket: NodeWebSocket,
    connectionParams: async () => ({ token: tokens.length > 1 ? tokens.shift()! : tokens[0]! }),
    retryDelayMs: () => 50,
  });
  closing.push(() => void ws.close());
  return client(wsLink({ client: ws }));
}

function overEvents(token: string): Client {
  return client(
    httpSubscriptionLink({
      url: url(),
      EventSource,
      eventSourceOptions: {
        fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...bearer(token) } }),
      },
    }),
  );
}

const links: [string, (person: Person) => Client][] = [
  ['httpLink', ({ tokens }) => client(httpLink({ url: url(), headers: bearer(tokens.accessToken) }))],
  ['httpBatchLink', ({ tokens }) => client(httpBatchLink({ url: url(), headers: bearer(tokens.accessToken) }))],
  [
    'httpBatchStreamLink',
    ({ tokens }) => client(httpBatchStreamLink({ url: url(), headers: bearer(tokens.accessToken) })),
  ],
  ['wsLink', ({ tokens }) => overWebSocket(tokens.accessToken)],
];

describe.each(links)('%s', (_, connect) => {
  it('queries, changes, and gets the answers of REST', async () => {
    const trpc = connect(ada);
    expect((await trpc.users.me.get.query()).id).toBe(ada.id);
    const created = await trpc.apiKeys.create.mutate({ name: 'by tRPC', scopes: ['api_keys:read'] });
    const [me, key, keys] = await Promise.all([
      trpc.users.me.get.query(),
      trpc.apiKeys.get.query({ keyId: created.id }),
      trpc.apiKeys.list.query({ limit: 1 }),
    ]);
    expect([me.id, key.name, keys.items[0]?.id]).toEqual([ada.id, 'by tRPC', created.id]);
  });

  it('fails with the problem that REST answers', async () => {
    const trpc = connect(ada);
    const failures = await Promise.all([
      trpc.apiKeys.get.query({ keyId: ada.id }).catch((error: unknown) => error),
      trpc.apiKeys.create.mutate({ name: '', scopes: [] }).catch((error: unknown) => error),
      trpc.users.me.get.query(),
    ]);
    for (const failure of failures.slice(0, 2)) {
      expect(failure).toBeInstanceOf(TRPCClientError);
      const { data } = failure as TRPCClientError<AppRouter>;
      expect(data).toMatchObject({ code: 'BAD_REQUEST', httpStatus: 400, problem: { code: 'invalid_input' } });
    }
  });
});

const subscribing: [string, (token: string) => Client][] = [
  ['httpSubscriptionLink', overEvents],
  ['wsLink', (token) => overWebSocket(token)],
];

/** For a subscription that was begun when so many were live. */
const untilLive = (before: number) =>
  eventually(() => (subscribed() > before ? true : undefined), 'the subscription to be live');

/** Keeps the events that it receives; `api_call` comes without an id to resume from. */
function listen(trpc: Client, events: string[], lastEventId?: string) {
  const received: RealtimeEvent[] = [];
  const failures: TRPCClientError<AppRouter>[] = [];
  const before = subscribed();
  let ended = false;
  const subscription = trpc.realtime.events.subscribe(
    { events, lastEventId },
    {
      onData: (message) => {
        const event = message as unknown as RealtimeEvent | { id: string; data: RealtimeEvent };
        received.push('event' in event ? event : event.data);
      },
      onError: (error) => void failures.push(error as TRPCClientError<AppRouter>),
      onComplete: () => {
        ended = true;
      },
    },
  );
  closing.push(() => subscription.unsubscribe());
  return {
    received,
    failures,
    names: () => received.map(({ data }) => (data as { name: string }).name),
    ended: () => ended,
    ready: () => untilLive(before),
    stop: () => subscription.unsubscribe(),
  };
}

let names = 0;
async function createKey(person: Person): Promise<{ id: string; name: string; secret: string }> {
  const body = { name: `key ${++names}`, scopes: ['*'] };
  return (await person.request('/api/v1/api-keys', { method: 'POST', body })).body;
}

describe.each(subscribing)('a subscription over %s', (link, connect) => {
  let ada: Person;
  beforeEach(async () => {
    ada = await app.signUp(); // events of an earlier test may arrive late
  });

  it('sends events in order, under their ids', async () => {
    const listener = listen(connect(ada.tokens.accessToken), ['api_key.*']);
    await listener.ready();
    const made = [await createKey(ada), await createKey(ada)];
    await eventually(() => (listener.received.length >= 2 ? true : undefined), 'two events');
    expect(listener.names()).toEqual(made.map(({ name }) => name));
    expect(listener.received.every(({ id }) => id?.startsWith('evt_'))).toBe(true);
    listener.stop();
    await createKey(ada);
    await sleep(200);
    expect(listener.received).toHaveLength(2);
  });

  it('continues after the last event received', async () => {
    const first = listen(connect(ada.tokens.accessToken), ['api_key.created']);
    await first.ready();
    await createKey(ada);
    await eventually(() => (first.received.length === 1 ? true : undefined), 'an event');
    first.stop();
    const missed = [await createKey(ada), await createKey(ada)];
    const second = listen(connect(ada.tokens.accessToken), ['api_key.created'], first.received[0]!.id!);
    await eventually(() => (second.received.length >= 2 ? true : undefined), 'what was missed');
    expect(second.names()).toEqual(missed.map(({ name }) => name));
    second.stop();
  });

  it('ends with the session, and with the reason', async () => {
    const bea = await app.signUp();
    const listener = listen(connect(bea.tokens.accessToken), ['api_key.*']);
    await listener.ready();
    await bea.request('/api/v1/auth/logout', { method: 'POST' });
    await eventually(() => listener.failures[0], 'the reason');
    expect(listener.failures[0]!.data?.problem.code).toBe('session_revoked');
  });

  it('sends nothing of other organizations, and refuses what is unknown', async () => {
    const stranger = await app.signUp();
    const listener = listen(connect(stranger.tokens.accessToken), ['*']);
    await listener.ready();
    await createKey(ada);
    const own = await createKey(stranger);
    await eventually(() => (listener.received.length > 0 ? true : undefined), 'an event');
    expect(listener.names()).toEqual([own.name]);
    const refused = listen(connect(ada.tokens.accessToken), ['no_such.thing']);
    await eventually(() => refused.failures[0], 'the refusal');
    expect(refused.failures[0]!.data?.problem.code).toBe('invalid_input');
    listener.stop();
  });

  it('sends nothing to a caller without a good credential', async () => {
    const stranger = listen(connect('nonsense'), ['*']);
    const known = listen(connect(ada.tokens.accessToken), ['*']);
    await known.ready();
    await createKey(ada);
    await eventually(() => known.received[0], 'an event');
    await sleep(200);
    expect(stranger.received).toEqual([]);
    // Over a WebSocket the connection is refused; its client tries again by itself.
    const codes = stranger.failures.map(({ data }) => data?.problem.code);
    expect(codes).toEqual(link === 'wsLink' ? [] : ['invalid_access_token']);
    stranger.stop();
    known.stop();
  });

  it('sends calls made with keys, which have no id', async () => {
    const key = await createKey(ada);
    const listener = listen(connect(ada.tokens.accessToken), ['api_call']);
    await listener.ready();
    await app.request('/api/v1/api-keys', { headers: { 'x-api-key': key.secret } });
    await eventually(() => listener.received[0], 'the call');
    expect(listener.received[0]).toMatchObject({ id: null, event: 'api_call', data: { procedure: 'apiKeys.list' } });
    listener.stop();
  });
});

describe('a credential', () => {
  /** How often the product authenticated a caller while this went on. */
  async function authentications(work: () => Promise<unknown>): Promise<number> {
    const { authenticators } = app.ports;
    const spies = [vi.spyOn(authenticators, 'accessToken'), vi.spyOn(authenticators, 'apiKey')];
    await work();
    const count = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
    for (const spy of spies) spy.mockRestore();
    return count;
  }

  it('is authenticated once by a raw route', async () => {
    const path = `/api/v1/organizations/${ada.organizationId}/audit-logs/export`;
    expect(await authentications(async () => expect((await ada.request(path)).status).toBe(200))).toBe(1);
  });

  it.each(subscribing)('is authenticated once by a subscription over %s', async (_, connect) => {
    const count = await authentications(async () => {
      const listener = listen(connect(ada.tokens.accessToken), ['api_key.*']);
      await listener.ready();
      await createKeyOf(listener);
      listener.stop();
    });
    expect(count).toBe(1);
  });

  it('is authenticated once by a WebSocket for all its calls, which may name other organizations', async () => {
    const { id: organizationId } = (
      await ada.request('/api/v1/organizations', { method: 'POST', body: { name: 'The other' } })
    ).body;
    const count = await authentications(async () => {
      const trpc = overWebSocket(ada.tokens.accessToken);
      expect((await trpc.users.me.get.query()).id).toBe(ada.id);
      expect((await trpc.orgs.get.query({ orgId: organizationId })).id).toBe(organizationId);
      await trpc.apiKeys.list.query({});
    });
    expect(count).toBe(1);
  });

  /** Without a further authentication by the test itself. */
  async function createKeyOf(listener: ReturnType<typeof listen>): Promise<void> {
    const organizationId = app.ports.ids.decode('org', ada.organizationId);
    const row = { organizationId, type: 'api_key.created', data: { name: 'by hand' }, createdAt: new Date() };
    await app.rows('events').insert(row);
    await app.rows.raw("select pg_notify('recorded', '')");
    await eventually(() => listener.received[0], 'the event');
  }
});

describe('a credential in the URL of server-sent events', () => {
  it('is accepted only where the settings allow it (V14.2.1)', async () => {
    const strict = await startApp({ REALTIME_TOKEN_IN_URL: 'false' }, app);
    const params = new URLSearchParams({
      input: JSON.stringify({ events: ['*'] }),
      connectionParams: JSON.stringify({ token: ada.tokens.accessToken }),
    });
    const open = async (at: TestApp) => {
      const stop = new AbortController();
      const response = await fetch(`${at.url}/trpc/realtime.events?${params}`, { signal: stop.signal });
      const type = response.headers.get('content-type');
      const body = type?.startsWith('application/json') ? JSON.parse(await response.text()) : null;
      stop.abort();
      return { status: response.status, problem: body?.error.data.problem };
    };
    expect(await open(app)).toEqual({ status: 200, problem: undefined });
    const refused = await open(strict);
    expect(refused).toMatchObject({ status: 400, problem: { code: 'credential_in_url' } });
    expect(refused.problem.detail).toContain('header');
    await strict.close();
  });
});

describe('server-sent events that are not read', () => {
  const large = 'x'.repeat(10_000);

  /** A client that opens the stream and stops reading once it has begun. */
  async function openStalled(person: Person) {
    const accepted = Promise.withResolvers<Socket>();
    const take = (req: IncomingMessage) => {
      if (req.headers.host === 'stalled.test') accepted.resolve(req.socket);
    };
    app.server.on('request', take);
    closing.push(() => app.server.off('request', take));
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    const before = subscribed();
    const input = encodeURIComponent(JSON.stringify({ events: ['*'] }));
    socket.write(`GET /trpc/realtime.events?input=${input} HTTP/1.1\r\nHost: stalled.test\r\n`);
    socket.write(`Authorization: Bearer ${person.tokens.accessToken}\r\n\r\n`);
    const [peer] = await Promise.all([accepted.promise, once(socket, 'data')]);
    await untilLive(before);
    socket.pause();
    const pausedAt = performance.now();
    const organizationId = app.ports.ids.decode('org', person.organizationId);
    await app.rows('events').insert(
      Array.from({ length: 1000 }, () => ({
        organizationId,
        type: 'api_key.created',
        data: { large },
        createdAt: new Date(),
      })),
    );
    const gone = () => eventually(() => (peer.destroyed ? true : undefined), 'the stream to be dropped');
    /** Waits until the network holds no more for it; returns a moment before which that was not so. */
    async function full(): Promise<number> {
      let flowedAt = performance.now();
      await eventually(async () => {
        const [lookedAt, written] = [performance.now(), peer.bytesWritten];
        await sleep(200);
        if (peer.writableNeedDrain && peer.bytesWritten === written) return true;
        flowedAt = lookedAt;
        return undefined;
      }, 'the network buffers to be full');
      return flowedAt;
    }
    return { socket, gone, full, pausedForMs: () => performance.now() - pausedAt };
  }

  it('are dropped after five seconds', async () => {
    const { socket, gone, pausedForMs } = await openStalled(await app.signUp());
    await gone();
    expect(pausedForMs()).toBeGreaterThan(4000);
    socket.destroy();
  });

  it('end with the session, before they are dropped', async () => {
    // On a busy machine the logout may take so long that the stream is dropped first: then again.
    await eventually(
      async () => {
        const bea = await app.signUp();
        const { socket, gone, full } = await openStalled(bea);
        const flowedAt = await full();
        await bea.request('/api/v1/auth/logout', { method: 'POST' });
        await gone();
        socket.destroy();
        return performance.now() - flowedAt < 4900 || undefined;
      },
      'an end before that after five seconds',
      60_000,
    );
  });
});

describe('a tRPC WebSocket without a credential', () => {
  let limited: TestApp;
  beforeAll(async () => {
    limited = await startApp({ RATE_LIMIT_PER_MINUTE: '3' }, app);
  });
  afterAll(() => limited.close());

  let sources = 0;
  const newSource = () => ({ 'x-test-ip': `198.51.100.${++sources}` });
  async function open(headers: Record<string, string>, query = ''): Promise<WebSocket> {
    const socket = new WebSocket(`${limited.url.replace('http', 'ws')}/trpc${query}`, { headers });
    closing.push(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  }
  const refused = { status: 429, body: { code: 'rate_limited' } };

  it('costs its source, which is refused above its limit', async () => {
    const source = newSource();
    for (let count = 0; count < 3; count++) await open(source);
    expect(await tryUpgrade(`${limited.url}/trpc`, { headers: source })).toMatchObject(refused);
    expect(await tryUpgrade(`${limited.url}/trpc`, { headers: newSource() })).toBeNull();
  });

  it('costs its source where the first message was to contain one, and does not', async () => {
    const source = newSource();
    const answers = Array.from({ length: 3 }, async () => {
      const socket = await open(source, '?connectionParams=1');
      socket.send(JSON.stringify({ method: 'connectionParams', data: null }));
      socket.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'system.health' } }));
      await once(socket, 'message');
    });
    await Promise.all(answers);
    expect(await tryUpgrade(`${limited.url}/trpc`, { headers: source })).toMatchObject(refused);
  });

  it('is closed after 10 s without a call or a credential, whatever pings it sends', async () => {
    const source = newSource();
    const silent = await Promise.all(['', '?connectionParams=1'].map((query) => open(source, query)));
    const calling = await open(source);
    const closes = silent.map((socket) => once(socket, 'close'));
    for (const socket of silent) socket.send('PING');
    calling.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'system.health' } }));
    for (const [code] of await Promise.all(closes)) expect(code).toBe(4408);
    expect(calling.readyState).toBe(WebSocket.OPEN);
    await expect
      .poll(() => tryUpgrade(`${limited.url}/trpc?connectionParams=1`, { headers: source }))
      .toMatchObject(refused);
  });
});

describe('a tRPC WebSocket', () => {
  it('ends with its token; its client connects with the next, and misses nothing', async () => {
    const { keyring, env } = app.ports;
    const [, claims = ''] = ada.tokens.accessToken.split('.');
    const { sub, sid } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const short = await createAccessTokens({ keyring, issuer: env.PUBLIC_URL, ttlS: 2 }).sign({ sub, sid }, new Date());
    const listener = listen(overWebSocket(short, ada.tokens.accessToken), ['api_key.created']);
    await listener.ready();
    const made = [await createKey(ada)];
    await eventually(() => listener.received[0], 'the first event');
    await sleep(2000);
    made.push(await createKey(ada));
    await eventually(() => (listener.received.length >= 2 ? true : undefined), 'the event after the renewal');
    expect(listener.names()).toEqual(made.map(({ name }) => name));
    expect(listener.failures).toEqual([]);
    listener.stop();
  });

  it('is closed late, with no call answered, for an invalid credential in its first message', async () => {
    const socket = new WebSocket(`${url().replace('http', 'ws')}?connectionParams=1`);
    const received: string[] = [];
    socket.on('message', (data) => void received.push(String(data)));
    await once(socket, 'open');
    const openedAt = performance.now();
    const params = { path: 'realtime.events', input: { events: ['*'] } };
    socket.send(JSON.stringify({ method: 'connectionParams', data: { token: 'nonsense' } }));
    socket.send(JSON.stringify({ id: 1, method: 'subscription', params }));
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([4401, 'invalid_access_token']);
    expect(performance.now() - openedAt).toBeGreaterThan(900);
    expect(received.map((text) => JSON.parse(text).id)).toEqual([null]);
    expect(received[0]).toContain('"code":"invalid_access_token"');
  });

  it('of a client with the stock settings connects a handful of times after a logout, not hundreds', async () => {
    const bea = await app.signUp();
    let connections = 0;
    const count = () => void connections++;
    app.server.on('upgrade', count);
    const ws = createWSClient({
      url: url().replace('http', 'ws'),
      WebSocket: NodeWebSocket,
      connectionParams: async () => ({ token: bea.tokens.accessToken }),
    });
    closing.push(() => void ws.close());
    const listener = listen(client(wsLink({ client: ws })), ['api_key.*']);
    await listener.ready();
    await bea.request('/api/v1/auth/logout', { method: 'POST' });
    await sleep(10_000);
    app.server.off('upgrade', count);
    expect(connections).toBeGreaterThan(1);
    expect(connections).toBeLessThanOrEqual(6);
  });

  it('refuses what JSON must not contain, with its own code', async () => {
    const socket = new WebSocket(`${url().replace('http', 'ws')}`);
    await new Promise((resolve) => socket.once('open', resolve));
    const received: string[] = [];
    socket.on('message', (data) => void received.push(String(data)));
    for (const text of [
      '{"id":1,"method":"query","params":{"path":"system.health","input":{"__proto__":{"admin":true}}}}',
      'no JSON',
      '[]',
      `{"id":2,"method":"query","params":{"path":"system.health","input":${'['.repeat(5000)}${']'.repeat(5000)}}}`,
    ])
      socket.send(text);
    await eventually(() => (received.length >= 3 ? true : undefined), 'refusals');
    for (const text of received) expect(text).toContain('"error"');
    expect(received.join()).not.toContain('stack');
    socket.close();
  });

  describe('whose client does not read', () => {
    async function connectSlowly(person: Person) {
      const headers = bearer(person.tokens.accessToken);
      const socket = new WebSocket(url().replace('http', 'ws'), { headers });
      await new Promise((resolve) => socket.once('open', resolve));
      const received: string[] = [];
      socket.on('message', (data) => void received.push(String(data)));
      socket.on('error', () => {});
      await eventually(() => app.sockets.stats().open === 1 || undefined, 'earlier ones to go');
      let mostBytes = 0;
      const timer = setInterval(() => {
        mostBytes = Math.max(mostBytes, app.sockets.stats().bufferedBytes);
      }, 1);
      closing.push(() => clearInterval(timer));
      return {
        socket,
        received,
        ask: (message: unknown) => socket.send(JSON.stringify(message)),
        gone: () => eventually(() => app.sockets.stats().open === 0 || undefined, 'the slow one to go'),
        mostBytes: () => mostBytes,
      };
    }

    it('delays its events for it, and is dropped', async () => {
      const bea = await app.signUp();
      const slow = await connectSlowly(bea);
      const params = { path: 'realtime.events', input: { events: ['api_key.created'] } };
      const before = subscribed();
      slow.ask({ id: 1, method: 'subscription', params });
      await eventually(() => slow.received[0], 'the subscription');
      await untilLive(before);
      slow.socket.pause();
      const organizationId = app.ports.ids.decode('org', bea.organizationId);
      for (let batch = 0; batch < 20; batch++) {
        await app.rows('events').insert(
          Array.from({ length: 100 }, () => ({
            organizationId,
            type: 'api_key.created',
            data: { large: 'x'.repeat(10_000) },
            createdAt: new Date(),
          })),
        );
      }
      await app.rows.raw("select pg_notify('recorded', '')");
      await slow.gone();
      expect(slow.mostBytes()).toBeGreaterThan(0);
      expect(slow.mostBytes()).toBeLessThan(256 * 1024); // of 20 MB
    });

    it('is dropped with a megabyte of answers unread', async () => {
      const slow = await connectSlowly(await app.signUp());
      slow.socket.pause();
      const calls = Array.from({ length: 100 }, (_, id) => ({
        id,
        method: 'query',
        params: { path: 'permissions.list' },
      }));
      for (let message = 0; message < 40; message++) slow.ask(calls);
      await slow.gone();
      slow.socket.resume();
      const [code] = await once(slow.socket, 'close');
      expect(code).toBe(1006);
      expect(slow.received.length).toBeLessThan(4000); // what the network buffered
    });
  });

  it('is limited in its subscriptions', async () => {
    const trpc = overWebSocket(ada.tokens.accessToken);
    const listeners = Array.from({ length: 21 }, () => listen(trpc, ['api_key.*']));
    await eventually(() => listeners.flatMap(({ failures }) => failures)[0], 'the limit');
    const failures = listeners.flatMap((each) => each.failures);
    expect(failures.map(({ data }) => data?.problem.code)).toEqual(['limit_reached']);
    for (const listener of listeners) listener.stop();
  });

  it('gives each call its own time, so an old connection never uses old data', async () => {
    const bea = await app.signUp();
    const trpc = overWebSocket(bea.tokens.accessToken);
    await trpc.users.me.get.query();
    await bea.request('/api/v1/auth/logout', { method: 'POST' });
    await expect(trpc.users.me.get.query()).rejects.toMatchObject({ data: { problem: { code: 'session_revoked' } } });
  });
});
