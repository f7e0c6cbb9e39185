import type { Clock } from '../clock.ts';
import {
  createMemoryRecentCalls,
  type Recent,
  type RecentCall,
  type RecentCalls,
  recentOf,
  SLOTS,
  SlotTallies,
  slotStarts,
  Tally,
  watching,
} from '../recent-calls.ts';
import { REDIS_PREFIX, type Redis, type RedisClient, RedisUnavailableError } from '../redis.ts';

const FLUSH_MS = 1000;
/** What a scope has counted since the last flush is small; beyond this many scopes the others count here only. */
const MAX_PENDING = 1000;
/** Scopes whose counts are on their way at once, in one call of the script. */
const AT_ONCE = 50;

/**
 * Adds what some scopes have counted. KEYS: their slots. ARGV: for each of them its time to live in milliseconds, the
 * number of its fields, and each field with its count.
 */
const ADD = `
local at = 1
for _, key in ipairs(KEYS) do
  local last = at + 1 + 2 * tonumber(ARGV[at + 1])
  for field = at + 2, last, 2 do redis.call('HINCRBY', key, ARGV[field], ARGV[field + 1]) end
  redis.call('PEXPIRE', key, ARGV[at])
  at = last + 1
end
`;
/** So that a slot is still there at the end of the hour or minute that it belongs to. */
const MARGIN_MS = 10_000;

/**
 * Counted by all processes together: each adds what it has counted to Redis, once a second. While Redis is away each
 * answers what it has counted itself.
 */
export function createRedisRecentCalls(redis: Redis, clock: Clock, onError: (error: unknown) => void): RecentCalls {
  const own = createMemoryRecentCalls(clock);
  let pending = new Map<string, SlotTallies>();
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

  async function send(scopes: Counted[]): Promise<void> {
    for (let at = 0; at < scopes.length; at += AT_ONCE) {
      const some = scopes.slice(at, at + AT_ONCE);
      // A node of a cluster runs a script over the keys of one scope only.
      const groups = redis.address.cluster ? some.map((one) => [one]) : [some];
      await Promise.all(groups.map((group) => redis.run((client) => addAll(client, group))));
    }
  }

  function note(scope: string, call: RecentCall): void {
    let tallies = pending.get(scope);
    if (!tallies) {
      if (pending.size >= MAX_PENDING) return;
      pending.set(scope, (tallies = new SlotTallies()));
    }
    tallies.add(call, clock.now().getTime());
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
const keyOf = (scope: string, kind: string, startMs: number): string =>
  `${REDIS_PREFIX}recent:{${scope}}:${kind}${startMs}`;

type Counted = [scope: string, tallies: SlotTallies];

/** One command for many scopes: hundreds of organizations may have called in a second, most of them once. */
async function addAll(client: RedisClient, scopes: readonly Counted[]): Promise<void> {
  const keys: string[] = [];
  const args: (string | number)[] = [];
  for (const [scope, tallies] of scopes) {
    for (const [{ kind, lengthMs, count }, startMs, { calls, errors, latency }] of tallies.all()) {
      keys.push(keyOf(scope, kind, startMs));
      args.push(lengthMs * count + MARGIN_MS, (errors > 0 ? 2 : 1) + latency.bins.size, 'calls', calls);
      if (errors > 0) args.push('errors', errors);
      for (const [bin, count] of latency.bins) args.push(bin, count);
    }
  }
  await client.eval(ADD, keys.length, ...keys, ...args);
}

async function readFrom(client: RedisClient, scope: string, nowMs: number) {
  const keys = SLOTS.flatMap((slot) => slotStarts(slot, nowMs).map((startMs) => keyOf(scope, slot.kind, startMs)));
  const batch = client.pipeline();
  for (const key of keys) batch.hgetall(key);
  const answers = throwFirst(await batch.exec());
  const tallies = new Map(keys.map((key, at) => [key, tallyOf(answers[at] as Record<string, string>)])); // hgetall's
  return recentOf(nowMs, ({ kind }, startMs) => tallies.get(keyOf(scope, kind, startMs)));
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
