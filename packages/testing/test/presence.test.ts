import { randomUUID } from 'node:crypto';
import { createMemoryPresence, type Presence, type Present } from '@rentapi/platform/presence';
import { createRedisPresence } from '@rentapi/platform/presence/redis';
import { createMemoryPubSub, type PubSub } from '@rentapi/platform/pubsub';
import { createRedisPubSub } from '@rentapi/platform/pubsub/redis';
import { type Redis, RedisUnavailableError } from '@rentapi/platform/redis';
import { startTestRedis } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, DRIVERS, withoutRedis } from './drivers.ts';
import { until } from './until.ts';

function follow(presence: Presence, room: string) {
  const seen: Present[] = [];
  const unwatch = presence.watch(room, (present) => void seen.push(present));
  const shows = (members: string[], total = members.length) =>
    until(() => JSON.stringify(seen.at(-1)) === JSON.stringify({ members, total }), `${members} in the room`);
  return { seen, shows, unwatch };
}

describe.each(DRIVERS)('presence in $driver', ({ start }) => {
  describe.skipIf(start !== null && withoutRedis)('shows', () => {
    let server: { url: string; stop(): Promise<void> } | undefined;
    let redis: Redis | undefined;
    let pubsub: PubSub | undefined;
    let presence: Presence;

    beforeAll(async () => {
      server = await start?.();
      redis = server && (await connect(server.url));
      pubsub = redis && createRedisPubSub(redis, () => {});
      presence = redis && pubsub ? createRedisPresence(redis, pubsub) : createMemoryPresence();
    });
    afterAll(async () => {
      await presence?.close();
      await pubsub?.close();
      await redis?.close();
      await server?.stop();
    });

    it('who is there, each once, until the last connection has gone', async () => {
      const room = randomUUID();
      const watching = follow(presence, room);
      await watching.shows([]);
      const [first, second] = [presence.enter(room, 'ada'), presence.enter(room, 'ada')];
      const bob = presence.enter(room, 'bob');
      await watching.shows(['ada', 'bob']);
      first();
      first(); // a second time changes nothing
      bob();
      await watching.shows(['ada']);
      second();
      await watching.shows([]);
      watching.unwatch();
    });

    it('nothing of another room, and nothing to one who has stopped watching', async () => {
      const [room, other] = [randomUUID(), randomUUID()];
      const [watching, stopped] = [follow(presence, room), follow(presence, room)];
      await watching.shows([]);
      await stopped.shows([]);
      stopped.unwatch();
      presence.enter(other, 'eve');
      presence.enter(room, 'ada');
      await watching.shows(['ada']);
      expect(stopped.seen).toHaveLength(1);
      watching.unwatch();
    });

    it('at most 200 of them, and how many there are', async () => {
      const room = randomUUID();
      const names = Array.from({ length: 250 }, (_, at) => `member ${String(at).padStart(3, '0')}`);
      for (const name of names) presence.enter(room, name);
      const watching = follow(presence, room);
      await watching.shows(names.slice(0, 200), 250);
      watching.unwatch();
    });
  });
});

describe.skipIf(withoutRedis)('presence of several processes', () => {
  let server: Awaited<ReturnType<typeof startTestRedis>>;
  let connections: Redis[];
  let pubsubs: PubSub[];
  beforeAll(async () => {
    server = await startTestRedis();
    connections = [await connect(server.url), await connect(server.url)];
    pubsubs = connections.map((redis) => createRedisPubSub(redis, () => {}));
  });
  afterAll(async () => {
    for (const each of [...pubsubs, ...connections]) await each.close();
    await server.stop();
  });
  const open = (at: number, options = {}) => createRedisPresence(connections[at]!, pubsubs[at]!, options);

  it('is shown together', async () => {
    const [one, other] = [open(0), open(1)];
    const room = randomUUID();
    const watching = follow(one, room);
    const leave = other.enter(room, 'bob');
    one.enter(room, 'ada');
    await watching.shows(['ada', 'bob']);
    leave();
    await watching.shows(['ada']);
    await one.close();
    await other.close();
  });

  it('ends with the lease of a process that was killed', async () => {
    const [killed, other] = [open(0, { leaseMs: 60_000, roundMs: 3_600_000 }), open(1, { roundMs: 20 })];
    const room = randomUUID();
    const watching = follow(other, room);
    killed.enter(room, 'ada');
    await watching.shows(['ada']);
    await killed.close(); // renews no longer
    const { client } = connections[0]!;
    const [entry, leftAt] = await client.zrange(keyOf(room), 0, 0, 'WITHSCORES');
    expect(Number(leftAt)).toBeLessThanOrEqual(Date.now() + 60_000);
    await client.zadd(keyOf(room), 1, entry!); // as if the time had passed
    await watching.shows([]);
    await other.close();
  });

  it('lasts longer than a lease, and is known again to a Redis that lost its memory', async () => {
    const [one, other] = [open(0, { roundMs: 20 }), open(1, { roundMs: 20 })];
    const room = randomUUID();
    const watching = follow(other, room);
    one.enter(room, 'ada');
    await watching.shows(['ada']);
    const { client } = connections[0]!;
    const key = keyOf(room);
    const firstEnd = Number((await client.zrange(key, 0, 0, 'WITHSCORES'))[1]);
    await until(async () => Number((await client.zrange(key, 0, 0, 'WITHSCORES'))[1]) > firstEnd, 'the renewal');
    await client.flushall();
    await until(async () => (await client.exists(key)) === 1, 'the member to be renewed');
    await watching.shows(['ada']);
    await one.close();
    await other.close();
  });

  it('is that of each process alone while Redis is away', async () => {
    const pubsub = createMemoryPubSub(() => {});
    const presence = createRedisPresence({ ...connections[0]!, run: unavailable }, pubsub);
    const room = randomUUID();
    const watching = follow(presence, room);
    const leave = presence.enter(room, 'ada');
    await watching.shows(['ada']);
    leave();
    await watching.shows([]);
    await presence.close();
  });
});

const keyOf = (room: string): string => `rentapi:presence:{${room}}`;

async function unavailable(): Promise<never> {
  throw new RedisUnavailableError('away');
}
