import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as WsWebSocket } from 'ws';
import {
  AuthenticationError,
  BadRequestError,
  PermissionDeniedError,
  RateLimitError,
  type RealtimeEvent,
  RentApi,
} from '../src/index.ts';
import { STATUS_OF_REFUSAL } from '../src/realtime-connection.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
let client: RentApi;
beforeEach(async () => {
  api = await startFakeApi();
  client = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key', WebSocket: WsWebSocket });
});
afterEach(() => {
  vi.useRealTimers();
  return api.close();
});

describe('a subscription', () => {
  it('delivers what it asked for, by iteration, and is closed by leaving the loop', async () => {
    const subscription = client.realtime.subscribe(['api_key.*']);
    await subscription.ready;
    api.emit('invoice.paid', {});
    api.emit('api_key.created', { id: 'key_1' });
    api.emit('api_key.revoked', { id: 'key_1' });
    const seen: RealtimeEvent[] = [];
    for await (const event of subscription) if (seen.push(event) === 2) break;
    expect(seen).toMatchObject([
      { type: 'event', id: 'evt_2', event: 'api_key.created', data: { id: 'key_1' } },
      { type: 'event', id: 'evt_3', event: 'api_key.revoked' },
    ]);
    expect(subscription.lastEventId).toBe('evt_3');
    await expect.poll(() => api.openSockets()).toBe(0);
    expect(api.subscriptions).toEqual([{ action: 'subscribe', events: ['api_key.*'] }]);
  });

  it('resumes after the last event that its reader took, not after those that wait', async () => {
    const subscription = client.realtime.subscribe(['api_key.*']);
    await subscription.ready;
    for (let n = 0; n < 3; n++) api.emit('api_key.created', {});
    await client.realtime.subscribe(['api_key.*']).ready; // by now the first has received all three
    for await (const { id } of subscription) {
      expect([id, subscription.lastEventId]).toEqual(['evt_1', 'evt_1']);
      break;
    }
    expect(subscription.lastEventId).toBe('evt_1');
  });

  it('reconnects with a new ticket and misses nothing', async () => {
    const seen: (string | null)[] = [];
    const onEvent = ({ id }: RealtimeEvent) => void seen.push(id);
    const subscription = client.realtime.subscribe(['api_key.*', 'api_call'], { onEvent, maxReconnects: 1 });
    await subscription.ready;
    api.emit('api_key.created', {});
    await expect.poll(() => seen).toEqual(['evt_1']);
    api.emitCall({});
    await expect.poll(() => seen.splice(1)).toEqual([null]);
    expect(subscription.lastEventId).toBe('evt_1');
    api.dropSockets();
    api.emit('api_key.updated', {});
    api.emit('api_key.revoked', {});
    await expect.poll(() => seen).toEqual(['evt_1', 'evt_2', 'evt_3']);
    expect(api.subscriptions).toMatchObject([
      { events: ['api_key.*', 'api_call'] },
      { events: ['api_key.*', 'api_call'], lastEventId: 'evt_1' },
    ]);
    expect(api.seenAt('POST /api/v1/ws/ticket')).toHaveLength(2);
    // Only failures one after the other count: a second drop is not the second of `maxReconnects`.
    api.dropSockets();
    api.emit('api_key.created', {});
    await expect.poll(() => seen).toHaveLength(4);
    subscription.close();
    api.emit('api_key.created', {});
    await expect.poll(() => api.openSockets()).toBe(0);
    expect(seen).toHaveLength(4);
  });

  it.each([0, 1])('misses nothing before its first event either, %i having been there', async (before) => {
    if (before) api.emit('api_key.created', {});
    const seen: (string | null)[] = [];
    const subscription = client.realtime.subscribe(['api_key.*'], { onEvent: ({ id }) => void seen.push(id) });
    await subscription.ready;
    expect(subscription.lastEventId).toBe(before ? 'evt_1' : null);
    api.dropSockets();
    api.emit('api_key.revoked', {});
    await expect.poll(() => seen).toEqual([before ? 'evt_2' : 'evt_1']);
    subscription.close();
  });

  it("begins after the last event of a former run, with the runtime's own WebSocket too", async () => {
    api.emit('api_key.created', {});
    api.emit('api_key.revoked', {});
    const own = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key' });
    for await (const { id } of own.realtime.subscribe(['api_key.*'], { lastEventId: 'evt_1' })) {
      expect(id).toBe('evt_2');
      break;
    }
  });

  it('keeps trying while the server is away, and says so', async () => {
    const errors: [string, boolean][] = [];
    api.failNext({ status: 503 }, { status: 'drop' });
    const subscription = client.realtime.subscribe(['api_key.*'], {
      onError: ({ name }, { willRetry }) => void errors.push([name, willRetry]),
    });
    await subscription.ready;
    expect(errors).toEqual([
      ['ServerError', true],
      ['ConnectionError', true],
    ]);
    subscription.close();
  });

  it('leaves a connection on which the server has fallen silent', async () => {
    const pongs = new EventEmitter();
    class Reporting extends WsWebSocket {
      constructor(url: string) {
        super(url);
        this.on('message', (data) => String(data).includes('"pong"') && pongs.emit('pong'));
      }
    }
    const reporting = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key', WebSocket: Reporting });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const errors: string[] = [];
    const onError = ({ name }: Error) => void errors.push(name);
    const subscription = reporting.realtime.subscribe(['api_key.*'], { heartbeatMs: 200, onError });
    await subscription.ready;
    for (let round = 0; round < 5; round++) {
      const pong = once(pongs, 'pong');
      vi.advanceTimersByTime(200);
      await pong;
    }
    expect(errors).toEqual([]);
    api.setMute(true);
    vi.advanceTimersByTime(400);
    vi.useRealTimers();
    await expect.poll(() => errors).toEqual(['TimeoutError']);
    api.setMute(false);
    await expect.poll(() => api.subscriptions).toHaveLength(2);
    subscription.close();
  });

  it('gives up after as many failed connections in a row as it may have', async () => {
    api.failNext({ status: 503 }, { status: 503 });
    const subscription = client.realtime.subscribe(['api_key.*'], { maxReconnects: 1 });
    await expect(subscription.ready).rejects.toMatchObject({ status: 503 });
    expect(api.requests).toHaveLength(2);
  });

  it('ends when the credential is refused after a reconnect', async () => {
    const subscription = client.realtime.subscribe(['api_key.*']);
    await subscription.ready;
    api.revokeApiKey();
    api.dropSockets();
    const read = async () => {
      for await (const _ of subscription);
    };
    await expect(read()).rejects.toBeInstanceOf(AuthenticationError);
    expect(api.seenAt('POST /api/v1/ws/ticket')).toHaveLength(2);
  });

  it('ends when the server refuses what it asks for', async () => {
    const onError = vi.fn();
    const subscription = client.realtime.subscribe(['nonsense'], { onError });
    await expect(subscription.ready).rejects.toMatchObject({ code: 'invalid_input' });
    expect(onError).toHaveBeenCalledWith(expect.anything(), { willRetry: false });
    await expect.poll(() => api.openSockets()).toBe(0);
    expect(api.requests).toHaveLength(1);
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const subscription = client.realtime.subscribe(['api_key.*'], { signal: controller.signal });
    await subscription.ready;
    const reading = (async () => {
      for await (const _ of subscription);
    })();
    controller.abort();
    await reading;
    await expect.poll(() => api.openSockets()).toBe(0);
  });

  it('says what to install where the runtime has no WebSocket', () => {
    vi.stubGlobal('WebSocket', undefined);
    const bare = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key' });
    expect(() => bare.realtime.subscribe(['api_key.*'])).toThrow(/Install `ws`/);
    vi.unstubAllGlobals();
  });
});

describe('a handler of a subscription', () => {
  it('may throw: the error goes to `onError`, and the next event comes', async () => {
    const errors: [string, boolean][] = [];
    const onError = ({ message }: Error, { willRetry }: { willRetry: boolean }) =>
      void errors.push([message, willRetry]);
    const seen: string[] = [];
    const subscription = client.realtime.subscribe(['api_key.*'], {
      onEvent({ event }) {
        seen.push(event);
        if (seen.length === 1) throw new Error('boom');
      },
      onError,
    });
    const later = client.realtime.subscribe(['api_key.*'], {
      onEvent: () => Promise.reject(new Error('late')),
      onError,
    });
    await Promise.all([subscription.ready, later.ready]);
    api.emit('api_key.created', {});
    api.emit('api_key.revoked', {});
    await expect.poll(() => errors).toHaveLength(3);
    expect(errors.sort()).toEqual([
      ['boom', true],
      ['late', true],
      ['late', true],
    ]);
    expect(seen).toEqual(['api_key.created', 'api_key.revoked']);
    expect(subscription.lastEventId).toBe('evt_2');
    subscription.close();
    later.close();
  });

  it('is reported to the logger where `onError` is missing or fails itself', async () => {
    const warn = vi.fn();
    const logger = { error: warn, warn, info: warn, debug: warn };
    const own = client.withOptions({ logger });
    const boom = () => {
      throw new Error('boom');
    };
    const subscriptions = [
      own.realtime.subscribe(['api_key.*'], { onEvent: boom }),
      own.realtime.subscribe(['api_key.*'], { onEvent: boom, onError: boom, onSubscribed: boom }),
    ];
    await Promise.all(subscriptions.map(({ ready }) => ready));
    api.emit('api_key.created', {});
    await expect.poll(() => warn).toHaveBeenCalledTimes(3);
    for (const [, error] of warn.mock.calls) expect(error).toMatchObject({ message: 'boom' });
    for (const subscription of subscriptions) subscription.close();
  });
});

describe('subscriptions of one client', () => {
  const recording = (events: string[], options = {}) => {
    const seen: string[] = [];
    const subscription = client.realtime.subscribe(events, {
      onEvent: ({ event }) => void seen.push(event),
      ...options,
    });
    return { seen, subscription };
  };

  it('share a connection, and each gets what it asked for, once', async () => {
    const keys = recording(['api_key.*']);
    const created = recording(['api_key.created']);
    const all = recording(['*']);
    await Promise.all([keys, created, all].map(({ subscription }) => subscription.ready));
    expect(api.openSockets()).toBe(1);
    expect(api.seenAt('POST /api/v1/ws/ticket')).toHaveLength(1);
    for (const event of ['api_key.created', 'api_key.revoked', 'invoice.paid']) api.emit(event, {});
    await expect.poll(() => all.seen).toHaveLength(3);
    expect(keys.seen).toEqual(['api_key.created', 'api_key.revoked']);
    expect(created.seen).toEqual(['api_key.created']);
    api.dropSockets();
    for (const event of ['api_key.created', 'invoice.paid']) api.emit(event, {});
    await expect.poll(() => all.seen).toHaveLength(5);
    expect([keys.seen.length, created.seen.length]).toEqual([3, 2]);
    expect(api.openSockets()).toBe(1);
    expect(api.subscriptions.at(-1)).toMatchObject({
      events: ['api_key.*', 'api_key.created', '*'],
      lastEventId: 'evt_3',
    });
    keys.subscription.close();
    created.subscription.close();
    expect(api.openSockets()).toBe(1);
    all.subscription.close();
    await expect.poll(() => api.openSockets()).toBe(0);
  });

  it('have connections of their own for another organization, or for the past', async () => {
    api.emit('api_key.created', {});
    const live = recording(['api_key.*']);
    const elsewhere = recording(['api_key.*'], { organizationId: 'org_2' });
    const past = recording(['api_key.*'], { lastEventId: null });
    await Promise.all([live, elsewhere, past].map(({ subscription }) => subscription.ready));
    await expect.poll(() => past.seen).toEqual(['api_key.created']);
    expect(api.openSockets()).toBe(3);
    expect([live.seen, elsewhere.seen]).toEqual([[], []]);
    for (const { subscription } of [live, elsewhere, past]) subscription.close();
    await expect.poll(() => api.openSockets()).toBe(0);
  });

  it('have a second connection where one would hold more patterns than the server takes', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `type_${index}.created`);
    const full = recording(many);
    const one = recording(['api_key.*']);
    await Promise.all([full.subscription.ready, one.subscription.ready]);
    expect(api.openSockets()).toBe(2);
    full.subscription.close();
    one.subscription.close();
  });

  it('open a new connection after the last one was closed', async () => {
    const first = recording(['api_key.*']);
    await first.subscription.ready;
    first.subscription.close();
    const second = recording(['api_key.*']);
    await second.subscription.ready;
    api.emit('api_key.created', {});
    await expect.poll(() => second.seen).toEqual(['api_key.created']);
    second.subscription.close();
  });

  it('can be widened and narrowed', async () => {
    const keys = recording(['api_key.*']);
    await keys.subscription.ready;
    await keys.subscription.add(['invoice.paid', 'api_key.*']);
    const witness = recording(['invoice.paid']);
    await witness.subscription.ready;
    api.emit('invoice.paid', {});
    await expect.poll(() => keys.seen).toEqual(['invoice.paid']);
    keys.subscription.remove(['invoice.paid']);
    api.emit('invoice.paid', {});
    api.emit('api_key.created', {});
    await expect.poll(() => keys.seen).toEqual(['invoice.paid', 'api_key.created']);
    expect(witness.seen).toEqual(['invoice.paid', 'invoice.paid']);
    // What another subscription wants is not unsubscribed.
    expect(api.unsubscriptions).toEqual([]);
    witness.subscription.close();
    await expect.poll(() => api.unsubscriptions).toEqual([['invoice.paid']]);
    keys.subscription.close();
    await expect(keys.subscription.add(['invoice.paid'])).rejects.toMatchObject({ code: 'closed' });
  });

  it('keep what they have where an addition is refused, and end alone where they are', async () => {
    const keys = recording(['api_key.*']);
    await keys.subscription.ready;
    await expect(keys.subscription.add(['nonsense'])).rejects.toBeInstanceOf(BadRequestError);
    const wrong = recording(['nonsense']);
    await expect(wrong.subscription.ready).rejects.toMatchObject({ code: 'invalid_input', status: 400 });
    api.emit('api_key.created', {});
    await expect.poll(() => keys.seen).toEqual(['api_key.created']);
    expect(api.openSockets()).toBe(1);
    keys.subscription.close();
  });

  it('ask for what they have added while the connection was broken, when it is back', async () => {
    const keys = recording(['api_key.*']);
    await keys.subscription.ready;
    api.failNext({ status: 503 });
    api.dropSockets();
    await keys.subscription.add(['invoice.paid']);
    api.emit('invoice.paid', {});
    await expect.poll(() => keys.seen).toEqual(['invoice.paid']);
    keys.subscription.close();
  });

  it('are given up by closing before they are confirmed', async () => {
    const subscription = client.realtime.subscribe(['api_key.*']);
    const adding = subscription.add(['invoice.paid']);
    subscription.close();
    await expect(subscription.ready).rejects.toMatchObject({ code: 'closed' });
    await expect(adding).rejects.toMatchObject({ code: 'closed' });
    await expect.poll(() => api.openSockets()).toBe(0);
  });

  it('ask for something', () => {
    expect(() => client.realtime.subscribe([])).toThrow('Subscribe to at least one event type');
  });
});

describe('a refusal on the socket', () => {
  it.each([
    ['session_revoked', AuthenticationError],
    ['account_inactive', PermissionDeniedError],
    ['rate_limited', RateLimitError],
  ])('%s has the class that it has over HTTP', async (code, ErrorClass) => {
    const errors: Error[] = [];
    const subscription = client.realtime.subscribe(['api_key.*'], { onError: (error) => void errors.push(error) });
    await subscription.ready;
    api.refuseSockets(code);
    await expect.poll(() => errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(ErrorClass);
    expect(errors[0]).toMatchObject({ code, status: STATUS_OF_REFUSAL[code] });
    subscription.close();
  });

  it('has the status that the document gives its code', () => {
    const generated = readFileSync(new URL('../src/generated/resources.gen.ts', import.meta.url), 'utf8');
    const byStatus = generated.slice(
      generated.indexOf('interface CodesByStatus'),
      generated.indexOf('type KnownErrorCode'),
    );
    const documented = [...byStatus.matchAll(/(\d{3}):([^;]+);/g)].flatMap(([, status, codes]) =>
      [...codes!.matchAll(/\w+/g)].map(([code]) => [code, Number(status)] as const),
    );
    // Tickets are refused on the socket alone, which the document does not describe.
    const { invalid_ticket: _, ...others } = STATUS_OF_REFUSAL;
    expect(Object.fromEntries(documented)).toMatchObject(others);
  });
});
