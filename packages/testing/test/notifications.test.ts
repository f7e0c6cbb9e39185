import { setImmediate } from 'node:timers/promises';
import { createNotifications, type Notifications } from '@rentapi/platform/notifications';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { type FlakyProxy, startFlakyProxy } from '../src/flaky-proxy.ts';
import { cloneDatabase } from '../src/postgres.ts';
import { silent } from './drivers.ts';

let database: Awaited<ReturnType<typeof cloneDatabase>>;
let speaker: pg.Client;
let proxy: FlakyProxy;
let notifications: Notifications;

beforeEach(async () => {
  database = await cloneDatabase(inject('postgres'));
  speaker = new pg.Client(database.url);
  await speaker.connect();
  proxy = await startFlakyProxy(database.url);
  notifications = createNotifications({ url: proxy.url, log: silent });
});
afterEach(async () => {
  await notifications.close();
  await speaker.end();
  await proxy.close();
  await database.drop();
});

const say = (channel: string, payload: string) => speaker.query('select pg_notify($1, $2)', [channel, payload]);
const within = { timeout: 30_000, interval: 10 };

async function connections(): Promise<number> {
  const { rows } = await speaker.query<{ count: number }>(
    `select count(*)::integer as count from pg_stat_activity
     where application_name = 'rentapi notifications' and datname = current_database()`,
  );
  return rows[0]!.count;
}

/** A subscription to `channel`, what it received, and how often it began to listen. */
function subscribe(channel: string) {
  const received: string[] = [];
  const onListening = vi.fn();
  const subscription = notifications.subscribe({
    channels: { [channel]: (text) => void received.push(text) },
    onListening,
  });
  return { subscription, received, onListening };
}

describe('notifications', () => {
  it('of several channels come over one connection, which opens at the first subscription', async () => {
    expect(await connections()).toBe(0);
    const [one, other, same] = [subscribe('one'), subscribe('other'), subscribe('one')];
    for (const each of [one, other, same])
      await vi.waitFor(() => expect(each.onListening).toHaveBeenCalledOnce(), within);
    const late = subscribe('late');
    await vi.waitFor(() => expect(late.onListening).toHaveBeenCalledOnce(), within);
    for (const channel of ['one', 'other', 'late', 'none']) await say(channel, `to ${channel}`);
    await vi.waitFor(() => expect(late.received).toEqual(['to late']), within);
    expect([one.received, other.received, same.received]).toEqual([['to one'], ['to other'], ['to one']]);
    expect(await connections()).toBe(1);
  });

  it('end with the subscription, but not for others of the same channel', async () => {
    const [one, same] = [subscribe('one'), subscribe('one')];
    await vi.waitFor(() => expect(same.onListening).toHaveBeenCalled(), within);
    one.subscription.unsubscribe();
    await say('one', 'x');
    await vi.waitFor(() => expect(same.received).toEqual(['x']), within);
    same.subscription.unsubscribe();
    const next = subscribe('next');
    await vi.waitFor(() => expect(next.onListening).toHaveBeenCalled(), within);
    await say('one', 'y');
    await say('next', 'z');
    await vi.waitFor(() => expect(next.received).toEqual(['z']), within);
    expect([one.received, same.received]).toEqual([[], ['x']]);
  });

  it('are proven by an echo, for each subscription from its own LISTEN on', async () => {
    const { subscription: early } = subscribe('early');
    expect([early.provenAt, early.epoch, early.isSure(1000, 0)]).toEqual([-Infinity, 0, false]);
    await vi.waitFor(() => expect(early.isSure(1000, 100)).toBe(true), within);
    const began = performance.now();
    const { subscription: late } = subscribe('late');
    expect(late.provenAt).toBe(-Infinity);
    await vi.waitFor(() => expect(late.provenAt).toBeGreaterThan(began), within);
    expect([early.epoch, late.epoch]).toEqual([1, 1]);
    const provenAt = late.provenAt;
    await vi.waitFor(() => expect(late.provenAt).toBeGreaterThan(provenAt), within);
  });

  it('are proven at every turn while that is asked, and at every third once it was not for some', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const query = vi.spyOn(pg.Client.prototype, 'query');
    /** How many of so many turns send an echo, each when the last one has come back. */
    async function echoes(turns: number): Promise<number> {
      const before = query.mock.results.length;
      for (let turn = 0; turn < turns; turn++) {
        vi.advanceTimersByTime(300);
        await setImmediate();
        await Promise.all(query.mock.results.map(({ value }) => value));
      }
      return query.mock.results.length - before;
    }
    try {
      const listening = Promise.withResolvers<void>();
      const subscription = notifications.subscribe({ channels: { one: () => {} }, onListening: listening.resolve });
      await listening.promise;
      await echoes(1);
      expect(subscription.provenAt).toBeGreaterThan(0);
      expect(await echoes(29)).toBe(29);
      expect(await echoes(30)).toBe(10);
      expect(subscription.isSure(60_000, 0)).toBe(true);
      expect(await echoes(5)).toBe(5);
    } finally {
      query.mockRestore();
      vi.useRealTimers();
    }
  });

  it.each<[string, () => unknown]>([
    ['is cut off', () => proxy.cut()],
    ['falls silent', () => proxy.silence()],
    [
      'is ended by the server',
      () =>
        speaker.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rentapi notifications'",
        ),
    ],
  ])('arrive again after their connection %s, and nothing is proven in between', async (_, fail) => {
    const { subscription, received, onListening } = subscribe('one');
    await vi.waitFor(() => expect(subscription.isSure(1000, 0)).toBe(true), within);
    await fail();
    await vi.waitFor(() => expect(subscription.reconnects).toBeGreaterThanOrEqual(1), within);
    if (onListening.mock.calls.length === 1) expect(subscription.isSure(60_000, 0)).toBe(false);
    proxy.heal();
    await vi.waitFor(() => expect(onListening).toHaveBeenCalledTimes(2), within);
    expect(subscription.epoch).toBe(2);
    await say('one', 'again');
    await vi.waitFor(() => expect(received).toContain('again'), within);
    await vi.waitFor(() => expect(subscription.isSure(1000, 0)).toBe(true), within);
  });

  it('reach the other subscribers although one fails', async () => {
    notifications.subscribe({
      channels: {
        one: () => {
          throw new Error('broken');
        },
      },
    });
    const { received, onListening } = subscribe('one');
    await vi.waitFor(() => expect(onListening).toHaveBeenCalled(), within);
    await say('one', 'x');
    await vi.waitFor(() => expect(received).toEqual(['x']), within);
  });

  it('stop when they are closed, also while there is no database', async () => {
    subscribe('one');
    proxy.cut();
    await notifications.close();
    expect(await connections()).toBe(0);
  });
});
