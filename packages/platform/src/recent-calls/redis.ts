import type { Clock } from '../clock.ts';
import {
  createMemoryRecentCalls,
  type Recent,
  type RecentCall,
  type RecentCalls,
  recentOf,
  SLOTS,
  slotName,
  slotStarts,
  Tally,
  watching,
} from '../recent-calls.ts';
import { REDIS_PREFIX, type Redis, type RedisClient, RedisUnavailableError } from '../redis.ts';

const FLUSH_MS = 1000;
/** What a scope has counted since the last flush is small; beyond this many scopes the others count here only. */
const MAX_PENDING = 1000;
/** Scopes whose counts are on their way at once. */
const AT_ONCE = 50;
/** So that a slot is still there at the end of the hour or minute that it belongs to. */
const MARGIN_MS = 10_000;

/**
 * Counted by all processes together: each adds what it has counted to Redis, once a second. While Redis is away each
 * answers what it has counted itself.
 */
export function createRedisRecentCalls(redis: Redis, clock: Clock, onError: (error: unknown) => void): RecentCalls {
  const own = createMemoryRecentCalls(clock);
  let pending = new Map<string, Map<string, Tally>>();
  let timer: NodeJS.Timeout | undefined;
  let flushing = Promise.resolve();

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const scopes = [...pending];
    pending = new Map();
    flushing = flushing
      .then(() => send(scopes))
      .catch((error: unknown) => void (error instanceof RedisUnavailableError || onError(error)));
    return flushing;
  }

  async function send(scopes: [scope: string, slots: Map<string, Tally>][]): Promise<void> {
    for (let at = 0; at < scopes.length; at += AT_ONCE) {
      const some = scopes.slice(at, at + AT_ONCE);
      await Promise.all(some.map(([scope, slots]) => redis.run((client) => addTo(client, scope, slots))));
    }
  }

  function note(scope: string, call: RecentCall): void {
    let slots = pending.get(scope);
    if (!slots) {
      if (pending.size >= MAX_PENDING) return;
      pending.set(scope, (slots = new Map()));
    }
    const nowMs = clock.now().getTime();
    for (const { kind, lengthMs } of SLOTS) {
      const name = slotName(kind, Math.floor(nowMs / lengthMs) * lengthMs);
      const tally = slots.get(name) ?? new Tally();
      slots.set(name, tally);
      tally.add(call);
    }
    timer ??= setTimeout(flush, FLUSH_MS).unref();
  }

  async function read(scope: string): Promise<Recent> {
    await flush();
    try {
      return await redis.run((client) => readFrom(client, scope, clock.now().getTime()));
    } catch (error) {
      if (error instanceof RedisUnavailableError) return own.read(scope);
      throw error;
    }
  }

  return {
    add(scope, call) {
      own.add(scope, call);
      note(scope, call);
    },
    read,
    ...watching(read),
    async close() {
      await flush();
    },
  };
}

/** The slots of one scope are on one node of a cluster. */
const keyOf = (scope: string, slot: string): string => `${REDIS_PREFIX}recent:{${scope}}:${slot}`;

async function addTo(client: RedisClient, scope: string, slots: Map<string, Tally>): Promise<void> {
  const batch = client.pipeline();
  for (const [slot, { calls, errors, latency }] of slots) {
    const key = keyOf(scope, slot);
    batch.hincrby(key, 'calls', calls);
    if (errors > 0) batch.hincrby(key, 'errors', errors);
    for (const [bin, count] of latency.bins) batch.hincrby(key, String(bin), count);
    const { lengthMs, count } = SLOTS.find(({ kind }) => slot.startsWith(kind))!;
    batch.pexpire(key, lengthMs * count + MARGIN_MS);
  }
  throwFirst(await batch.exec());
}

async function readFrom(client: RedisClient, scope: string, nowMs: number) {
  const slots = SLOTS.flatMap((slot) => slotStarts(slot, nowMs).map((start) => slotName(slot.kind, start)));
  const batch = client.pipeline();
  for (const slot of slots) batch.hgetall(keyOf(scope, slot));
  const answers = throwFirst(await batch.exec());
  const tallies = new Map(slots.map((slot, at) => [slot, tallyOf(answers[at] as Record<string, string>)])); // hgetall's
  return recentOf(nowMs, (slot) => tallies.get(slot));
}

function tallyOf({ calls = '0', errors = '0', ...bins }: Record<string, string>): Tally {
  const tally = new Tally();
  tally.calls = Number(calls);
  tally.errors = Number(errors);
  for (const [bin, count] of Object.entries(bins)) tally.latency.addToBin(Number(bin), Number(count));
  return tally;
}

function throwFirst(answers: [error: Error | null, result: unknown][] | null): unknown[] {
  return (answers ?? []).map(([error, result]) => {
    if (error) throw error;
    return result;
  });
}
