import { createHash, randomUUID } from 'node:crypto';
import { createOwnMembers, createWatchers, type Presence, type Present, presentOf } from '../presence.ts';
import type { PubSub } from '../pubsub.ts';
import { REDIS_PREFIX, type Redis, type RedisClient, RedisUnavailableError } from '../redis.ts';

/** Members of a process that was killed have left after this, and after one more round. */
const LEASE_MS = 20_000;
const ROUND_MS = 5000;
/** What one script reads and writes: it must not keep Redis from others. */
const MAX_READ = 5000;
const RENEWED_AT_ONCE = 500;

/**
 * A room is a sorted set of members, each with its process, by the moment until which they are there by the clock of
 * Redis. KEYS: the room. ARGV: the lease, how many to read, and entries to renew. Returns entries.
 */
const SYNC = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
if #ARGV > 2 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)
`;
const SHA = createHash('sha1').update(SYNC).digest('hex');

/** In Redis, over any number of processes. While Redis is away, each process shows its own members. */
export function createRedisPresence(
  redis: Redis,
  pubsub: PubSub,
  { leaseMs = LEASE_MS, roundMs = ROUND_MS } = {},
): Presence {
  const suffix = `|${randomUUID()}`;
  const own = createOwnMembers();
  const watchers = createWatchers(read);
  const timer = setInterval(round, roundMs).unref();
  pubsub.onGap(() => watchers.rooms().forEach(watchers.refresh));

  /** Renews the members of this process, too: a Redis that lost its memory knows them again. */
  async function sync(room: string, entries: readonly string[], count: number): Promise<string[] | undefined> {
    try {
      return await redis.run((client) => run(client, nameOf(room), [leaseMs, count, ...entries]));
    } catch (error) {
      if (error instanceof RedisUnavailableError) return undefined;
      throw error;
    }
  }

  async function read(room: string): Promise<Present> {
    const mine = own.of(room);
    const entries = await sync(room, [], MAX_READ);
    return presentOf(entries ? [...mine, ...entries.flatMap((entry) => memberOf(entry, suffix) ?? [])] : mine);
  }

  function round(): void {
    for (const room of own.rooms()) void renew(room, own.of(room));
    for (const room of watchers.rooms()) watchers.refresh(room);
  }

  async function renew(room: string, members: readonly string[]): Promise<void> {
    for (let from = 0; from < members.length; from += RENEWED_AT_ONCE) {
      const there = new Set(own.of(room));
      const some = members.slice(from, from + RENEWED_AT_ONCE).filter((member) => there.has(member));
      const entries = some.map((member) => member + suffix);
      if (entries.length > 0) await sync(room, entries, 1).catch(() => {});
    }
  }

  async function remove(room: string, member: string): Promise<void> {
    await redis.run((client) => client.zrem(nameOf(room), member + suffix)).catch(() => {}); // else its lease ends
  }

  function tell(room: string): void {
    watchers.refresh(room);
    pubsub.publish(topicOf(room), null);
  }

  return {
    enter: (room, member) =>
      own.enter(room, member, () => {
        const isThere = own.of(room).includes(member);
        const written = isThere ? renew(room, [member]) : remove(room, member);
        void written.then(() => tell(room));
      }),
    watch(room, listener) {
      const unsubscribe = pubsub.subscribe(topicOf(room), () => watchers.refresh(room));
      const unwatch = watchers.watch(room, listener);
      return () => {
        unwatch();
        unsubscribe();
      };
    },
    async close() {
      clearInterval(timer);
      watchers.close();
    },
  };
}

const nameOf = (room: string): string => `${REDIS_PREFIX}presence:{${room}}`;
const topicOf = (room: string): string => `presence:${room}`;

/** What this process has of itself in Redis may be old: it knows its own members. */
function memberOf(entry: string, ownSuffix: string): string | undefined {
  return entry.endsWith(ownSuffix) ? undefined : entry.slice(0, entry.lastIndexOf('|'));
}

async function run(client: RedisClient, key: string, values: readonly (string | number)[]): Promise<string[]> {
  try {
    return (await client.evalsha(SHA, 1, key, ...values)) as string[]; // what ZRANGE returns
  } catch (error) {
    // A node that has just started does not know the script.
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return (await client.eval(SYNC, 1, key, ...values)) as string[];
  }
}
