import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '@rentapi/platform/logger';
import { createNotifications, type Notifications, type Subscription } from '@rentapi/platform/notifications';
import { type FlakyProxy, startFlakyProxy } from '@rentapi/testing/flaky-proxy';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { eventually } from '../../test/app.ts';
import { type ActorCache, type ActorQuery, createActorCache } from './actor-cache.ts';

const log = createLogger({ level: 'silent' });
const PROMISED_MS = 1000;

let database: Awaited<ReturnType<typeof cloneDatabase>>;
let pool: pg.Pool;
let proxy: FlakyProxy;
/** Two processes, as the database sees them; the second one's notifications pass through the network that fails. */
let caches: [ActorCache, ActorCache];
const connections: Notifications[] = [];
let loads = 0;

beforeAll(async () => {
  database = await cloneDatabase(inject('postgres'));
  pool = new pg.Pool({ connectionString: database.url, max: 20 });
  pool.on('error', () => {}); // a connection that is still closing when its database is dropped
  proxy = await startFlakyProxy(database.url);
  caches = [openCache(database.url), openCache(proxy.url)];
  await provenHit(...caches);
});
afterAll(async () => {
  for (const cache of caches) cache.close();
  await Promise.all(connections.map((connection) => connection.close()));
  await pool.end();
  await proxy.close();
  await database.drop();
});
afterEach(() => proxy.heal());

function openCache(url: string): ActorCache {
  const notifications = createNotifications({ url, log });
  connections.push(notifications);
  return createActorCache({ notifications, log });
}

interface Row {
  version: number;
}

function versionOf(userId: number): ActorQuery<Row> {
  return {
    key: `user ${userId}`,
    async load() {
      loads++;
      const { rows } = await pool.query<Row>('select version from users where id = $1', [userId]);
      return rows[0];
    },
    invalidatedBy: () => [`user:${userId}`],
  };
}

const read = async (cache: ActorCache, userId: number) => (await cache.read(versionOf(userId)))?.version;
const change = (userId: number) => pool.query('update users set version = version + 1 where id = $1', [userId]);
const killListeners = () =>
  pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
              where application_name = 'rentapi notifications' and datname = current_database()`);

async function newUser(): Promise<number> {
  const { rows } = await pool.query<{ id: string }>(`
    with home as (
      insert into organizations (name, created_at, updated_at) values ('Home', now(), now()) returning id
    )
    insert into users (email, email_key, default_organization_id, personal_organization_id, created_at, updated_at)
    select gen_random_uuid(), gen_random_uuid(), id, id, now(), now() from home returning id`);
  return Number(rows[0]!.id);
}

/** Waits until each cache answers a row that is older than MAX_STALE_MS, which only its notifications can prove. */
async function provenHit(...asked: ActorCache[]): Promise<void> {
  const userId = await newUser();
  for (const cache of asked) {
    await eventually(async () => {
      await read(cache, userId);
      await sleep(PROMISED_MS);
      const { misses } = cache.stats();
      await read(cache, userId);
      return cache.stats().misses === misses ? true : undefined;
    }, 'a listener that vouches');
  }
}

describe('the actor cache', () => {
  it('answers from memory while nothing has changed', async () => {
    const userId = await newUser();
    const [cache] = caches;
    await read(cache, userId);
    // On a busy machine the proof of its listener may come late, and then it rightly reads again.
    await eventually(async () => {
      const before = loads;
      for (let at = 0; at < 15; at++) {
        await sleep(100);
        await read(cache, userId);
      }
      return loads === before || undefined;
    }, 'answers from memory for longer than a row may be stale');
  });

  it('sees a change at once, in every process', async () => {
    const userId = await newUser();
    await provenHit(...caches);
    for (const cache of caches) await read(cache, userId);
    await change(userId);
    // While the listener vouches for the row, only the notification of the change makes a cache read it again.
    for (const cache of caches) {
      await eventually(async () => ((await read(cache, userId)) === 2 ? true : undefined), 'the change');
    }
  });

  it('sees nothing of a change that is rolled back', async () => {
    const userId = await newUser();
    const [cache] = caches;
    // On a busy machine the proof of its listener may come late, and then it rightly reads again.
    await eventually(async () => {
      await read(cache, userId);
      const client = await pool.connect();
      await client.query('begin');
      await client.query('update users set version = version + 1 where id = $1', [userId]);
      await client.query('rollback');
      client.release();
      await sleep(100);
      const before = loads;
      expect(await read(cache, userId)).toBe(1);
      return loads === before || undefined;
    }, 'an answer from memory');
  });

  it.each([
    ['is killed', async () => void (await killListeners())],
    ['falls silent', async () => proxy.stall()],
    ['is cut off', async () => proxy.cut()],
  ])('refuses within a second while its listener %s', async (_, fail) => {
    const userId = await newUser();
    for (const cache of caches) await read(cache, userId);
    await fail();
    await change(userId);
    // Whatever the speed: an answer without the change was read before it, less than a second before it was asked for.
    const changedAt = performance.now();
    for (const cache of caches) {
      for (let askedAt = changedAt; (await read(cache, userId)) !== 2; askedAt = performance.now()) {
        expect(askedAt - changedAt).toBeLessThan(PROMISED_MS);
        await sleep(5);
      }
    }
  });

  it('listens again by itself after each of these', async () => {
    proxy.cut();
    await killListeners();
    await sleep(300);
    proxy.heal();
    await provenHit(...caches);
  });

  it('trusts no row that was read before it listened', async () => {
    const userId = await newUser();
    const [, cache] = caches;
    await provenHit(cache);
    const { reconnects } = cache.stats();
    await read(cache, userId);
    proxy.cut();
    await change(userId); // no notification reaches the second process
    proxy.heal();
    await eventually(() => (cache.stats().reconnects > reconnects ? true : undefined), 'the connection to be lost');
    await sleep(PROMISED_MS);
    expect(await read(cache, userId)).toBe(2);
  });

  it('does not keep a row that changed while it was read', async () => {
    const userId = await newUser();
    const [cache] = caches;
    const gate = Promise.withResolvers<void>();
    const hasRead = Promise.withResolvers<void>();
    const slow: ActorQuery<Row> = {
      ...versionOf(userId),
      async load() {
        const row = await versionOf(userId).load();
        hasRead.resolve();
        await gate.promise;
        return row;
      },
    };
    const early = cache.read(slow);
    await hasRead.promise;
    const received = Promise.withResolvers<void>();
    const unwatch = cache.watch([`user:${userId}`], async () => received.resolve());
    await change(userId);
    await received.promise;
    unwatch();
    const late = read(cache, userId); // does not join the load that read too early
    gate.resolve();
    expect((await early)?.version).toBe(1);
    expect(await late).toBe(2);
    expect(await read(cache, userId)).toBe(2);
  });

  it('reads once for all concurrent callers', async () => {
    const userId = await newUser();
    const before = loads;
    await Promise.all(Array.from({ length: 50 }, () => read(caches[0], userId)));
    expect(loads).toBe(before + 1);
  });

  it('keeps at most 20,000 rows', async () => {
    const cache = openCache(database.url);
    for (let at = 0; at < 20_100; at++) {
      await cache.read({ key: `many ${at}`, load: async () => ({ at }), invalidatedBy: () => [`user:${-at}`] });
    }
    expect(cache.stats().kept).toBe(20_000);
    cache.close();
  });

  it('reads again after more changes than it remembers', async () => {
    const userId = await newUser();
    const [cache] = caches;
    await read(cache, userId);
    for (let at = 0; at <= 20_000; at++) cache.forget(`user:${-at - 1}`);
    const before = loads;
    await read(cache, userId);
    expect(loads).toBe(before + 1);
  });

  it('keeps neither a row without invalidation keys nor a missing row', async () => {
    const [cache] = caches;
    const { kept } = cache.stats();
    await cache.read({ key: 'unowned', load: async () => ({}), invalidatedBy: () => null });
    await cache.read({ key: 'nothing', load: async () => undefined, invalidatedBy: () => [] });
    expect(cache.stats().kept).toBe(kept);
  });
});

describe('a watcher', () => {
  it.each([
    ['by its notification', async () => {}],
    ['when its listener is killed', async () => void (await killListeners())],
    ['when its listener falls silent', async () => proxy.stall()],
    ['when its listener is cut off', async () => proxy.cut()],
  ])('sees a change %s, however long ago the row was read', async (_, fail) => {
    for (let round = 0; round < 2; round++) {
      const userId = await newUser();
      await provenHit(...caches);
      const seen = caches.map(() => false);
      const unwatch = caches.map((cache, at) =>
        cache.watch([`user:${userId}`], async () => {
          if ((await read(cache, userId)) === 2) seen[at] = true;
        }),
      );
      await sleep(Math.random() * PROMISED_MS);
      for (const cache of caches) await read(cache, userId);
      await fail();
      await change(userId);
      await eventually(() => seen.every(Boolean) || undefined, 'both to have seen it');
      for (const stop of unwatch) stop();
      proxy.heal();
    }
  });
});

describe('by its clock', () => {
  afterEach(() => void vi.useRealTimers());

  /** A cache of one row, and a listener that proves what the test says. */
  function openByClock() {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    const state = { version: 1, loads: 0, isSure: false };
    const subscription = {
      provenAt: -Infinity,
      epoch: 1,
      reconnects: 0,
      isSure: () => state.isSure,
      unsubscribe() {},
    } satisfies Subscription;
    const notifications: Notifications = { subscribe: () => subscription, close: async () => {} };
    const cache = createActorCache({ notifications, log });
    const query: ActorQuery<Row> = {
      key: 'row',
      load: async () => ({ version: state.version, at: state.loads++ }),
      invalidatedBy: () => ['user:1'],
    };
    const ask = async () => (await cache.read(query))!.version;
    /** Whether an answer at this moment comes from memory. */
    const isHitAt = async (ms: number) => {
      vi.advanceTimersByTime(ms - performance.now());
      const { hits } = cache.stats();
      await ask();
      return cache.stats().hits > hits;
    };
    return { state, subscription, cache, ask, isHitAt, began: performance.now() };
  }

  it('answers a row for 900 ms, and as long after each moment that the listener proves', async () => {
    const { ask, isHitAt, subscription, began } = openByClock();
    await ask();
    expect([await isHitAt(began + 899), await isHitAt(began + 900)]).toEqual([true, false]);
    subscription.provenAt = began + 1500;
    expect([await isHitAt(began + 2399), await isHitAt(began + 2400)]).toEqual([true, false]);
    subscription.epoch++; // what was read before it listened again is not proven
    subscription.provenAt = began + 3200;
    expect([await isHitAt(began + 3299), await isHitAt(began + 3300)]).toEqual([true, false]);
  });

  it('answers no row for longer than five minutes, whatever is proven', async () => {
    const { ask, isHitAt, subscription, began } = openByClock();
    await ask();
    subscription.provenAt = Infinity;
    expect([await isHitAt(began + 299_999), await isHitAt(began + 300_000)]).toEqual([true, false]);
  });

  it('shows a watcher within a second what no notification reports, whenever the row was read', async () => {
    for (let readAfterMs = 0; readAfterMs < 200; readAfterMs += 7) {
      const { state, cache, ask } = openByClock();
      let seenAt = Infinity;
      cache.watch(['user:1'], async () => {
        if ((await ask()) === 2) seenAt = Math.min(seenAt, performance.now());
      });
      await vi.advanceTimersByTimeAsync(2000 + readAfterMs);
      await ask();
      state.version = 2;
      const changedAt = performance.now();
      await vi.advanceTimersByTimeAsync(2000);
      expect(seenAt - changedAt).toBeLessThanOrEqual(PROMISED_MS);
      cache.close();
      vi.useRealTimers();
    }
  });

  it('checks its watchers each second while the listener is sure, because moments pass without a change', async () => {
    const { state, cache } = openByClock();
    state.isSure = true;
    const check = vi.fn(async () => {});
    cache.watch(['user:1'], check);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(check).toHaveBeenCalledTimes(10);
    cache.close();
  });
});

/**
 * Random changes, and every way to miss them, while two caches are read all the time. CACHE_FUZZ_MS runs it for longer.
 * The age of an answer counts from the moment the first change that it lacks was acknowledged.
 */
describe('under any failure', () => {
  const FUZZ_MS = Number(process.env['CACHE_FUZZ_MS'] ?? 10_000);
  /** Many rows that each change seldom: a change that was missed is not hidden by the next one. */
  const USERS = 400;
  const WRITERS = 8;

  it('no answer is older than a second', { timeout: FUZZ_MS + 110_000 }, async () => {
    const users = await Promise.all(Array.from({ length: USERS }, newUser));
    const acknowledged = new Map(users.map((id) => [id, [0]])); // when each version became the newest
    const counts = { reads: 0, changes: 0, undone: 0, kills: 0, silences: 0, cuts: 0 };
    const until = performance.now() + FUZZ_MS;
    const lasts = () => performance.now() < until;
    let worstMs = 0;

    /** Loads sometimes end late: what changed during a load must not be hidden by its row. */
    const seldomLate = (userId: number): ActorQuery<Row> => ({
      ...versionOf(userId),
      async load() {
        const row = await versionOf(userId).load();
        if (Math.random() < 0.05) await sleep(Math.random() * 100);
        return row;
      },
    });

    async function ask(cache: ActorCache): Promise<void> {
      while (lasts()) {
        const userId = pick(users);
        const known = acknowledged.get(userId)!;
        const askedAt = performance.now();
        const { version } = (await cache.read(seldomLate(userId)))!;
        counts.reads++;
        const missed = known[version]; // when the next version was acknowledged, if it was
        if (missed !== undefined) worstMs = Math.max(worstMs, askedAt - missed);
        if (counts.reads % 20 === 0) await sleep(Math.random() * 3);
      }
    }

    async function alter(own: number[]): Promise<void> {
      while (lasts()) {
        const userId = pick(own);
        const client = await pool.connect();
        await client.query('begin');
        await client.query('update users set version = version + 1 where id = $1', [userId]);
        await sleep(Math.random() * 50);
        const undone = Math.random() < 0.2;
        await client.query(undone ? 'rollback' : 'commit');
        if (!undone) acknowledged.get(userId)!.push(performance.now());
        client.release();
        counts[undone ? 'undone' : 'changes']++;
        await sleep(Math.random() * 50);
      }
    }

    async function disturb(): Promise<void> {
      while (lasts()) {
        await sleep(Math.random() * 2000);
        const kind = pick(['kills', 'silences', 'cuts'] as const);
        counts[kind]++;
        if (kind === 'kills') await killListeners();
        else {
          if (kind === 'silences') proxy.stall();
          else proxy.cut();
          await sleep(Math.random() * (Math.random() < 0.7 ? 200 : 2500));
          proxy.heal();
        }
      }
    }

    const shares = Array.from({ length: WRITERS }, (_, at) => users.filter((__, place) => place % WRITERS === at));
    await Promise.all([...caches.flatMap((cache) => [ask(cache), ask(cache)]), ...shares.map(alter), disturb()]);
    const hits = caches.reduce((sum, cache) => sum + cache.stats().hits, 0);
    process.stdout.write(
      `cache fuzz: ${JSON.stringify({ ...counts, fromMemory: hits, oldestAnswerMs: Math.round(worstMs) })}\n`,
    );
    expect(counts.changes).toBeGreaterThan(10);
    expect(hits).toBeGreaterThan(0);
    // Whatever the speed: each answer is judged by the moment at which it was asked for.
    expect(worstMs).toBeLessThan(PROMISED_MS);
  });
});

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!;
