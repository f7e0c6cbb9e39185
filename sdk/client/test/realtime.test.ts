import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as WsWebSocket } from 'ws';
import { AuthenticationError, type RealtimeEvent, RentApi } from '../src/index.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

let api: FakeApi;
let client: RentApi;
beforeEach(async () => {
  api = await startFakeApi();
  client = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key', WebSocket: WsWebSocket });
});
afterEach(() => api.close());

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
    await vi.waitFor(() => expect(api.openSockets()).toBe(0));
    expect(api.subscriptions).toEqual([{ action: 'subscribe', events: ['api_key.*'] }]);
  });

  it('reconnects with a new ticket and misses nothing', async () => {
    const seen: (string | null)[] = [];
    const onEvent = ({ id }: RealtimeEvent) => void seen.push(id);
    const subscription = client.realtime.subscribe(['api_key.*'], { onEvent, maxReconnects: 1 });
    await subscription.ready;
    api.emit('api_key.created', {});
    await vi.waitFor(() => expect(seen).toEqual(['evt_1']));
    api.emitCall({});
    await vi.waitFor(() => expect(seen.splice(1)).toEqual([null]));
    expect(subscription.lastEventId).toBe('evt_1');
    api.dropSockets();
    api.emit('api_key.updated', {});
    api.emit('api_key.revoked', {});
    await vi.waitFor(() => expect(seen).toEqual(['evt_1', 'evt_2', 'evt_3']), { timeout: 3_000 });
    expect(api.subscriptions).toMatchObject([
      { events: ['api_key.*'] },
      { events: ['api_key.*'], lastEventId: 'evt_1' },
    ]);
    expect(api.seenAt('POST /api/v1/ws/ticket')).toHaveLength(2);
    // Only failures one after the other count: a second drop is not the second of `maxReconnects`.
    api.dropSockets();
    api.emit('api_key.created', {});
    await vi.waitFor(() => expect(seen).toHaveLength(4), { timeout: 3_000 });
    subscription.close();
    api.emit('api_key.created', {});
    await vi.waitFor(() => expect(api.openSockets()).toBe(0));
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
    await vi.waitFor(() => expect(seen).toEqual([before ? 'evt_2' : 'evt_1']), { timeout: 3_000 });
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
    const errors: string[] = [];
    const onError = ({ name }: Error) => void errors.push(name);
    const subscription = client.realtime.subscribe(['api_key.*'], { heartbeatMs: 50, onError });
    await subscription.ready;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(errors).toEqual([]);
    api.setMute(true);
    await vi.waitFor(() => expect(errors).toEqual(['TimeoutError']));
    api.setMute(false);
    await vi.waitFor(() => expect(api.subscriptions).toHaveLength(2), { timeout: 3_000 });
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
    await vi.waitFor(() => expect(api.openSockets()).toBe(0));
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
    await vi.waitFor(() => expect(api.openSockets()).toBe(0));
  });

  it('says what to install where the runtime has no WebSocket', () => {
    vi.stubGlobal('WebSocket', undefined);
    const bare = new RentApi({ baseUrl: api.baseUrl, apiKey: 'rapi_test_key' });
    expect(() => bare.realtime.subscribe(['api_key.*'])).toThrow(/Install `ws`/);
    vi.unstubAllGlobals();
  });
});
