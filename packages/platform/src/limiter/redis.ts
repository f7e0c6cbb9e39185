import { createHash } from 'node:crypto';
import {
  type Bucket,
  costOf,
  createMemoryLimiter,
  type Decision,
  type Limiter,
  LimiterUnavailableError,
  shareLeft,
  TOKEN_EPSILON,
} from '../limiter.ts';
import { REDIS_PREFIX, type Redis, type RedisClient, RedisUnavailableError } from '../redis.ts';

/**
 * The arithmetic of the memory limiter, in one step for all processes, by the clock of Redis. A level is three doubles:
 * tokens, milliseconds and size (earlier releases wrote two). It expires once the bucket would be full again. A refused
 * request writes nothing. KEYS: a level per bucket. ARGV: size, windowMs and cost of each. Returns which bucket decided
 * (negative: it refused), then retryAfterMs, remaining and resetMs.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local levels = redis.call('MGET', unpack(KEYS))
local epsilon = ${TOKEN_EPSILON.toFixed(9)}
local tokens, size, window, cost = {}, {}, {}, {}
local refusing, wait = 0, 0
for i = 1, #KEYS do
  size[i], window[i], cost[i] = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local left = size[i]
  if levels[i] then
    local known, at = struct.unpack('<dd', levels[i])
    if #levels[i] == 24 then known = math.max(0, known + size[i] - struct.unpack('<d', levels[i], 17)) end
    left = math.min(size[i], known + math.max(0, now - at) * size[i] / window[i])
  end
  tokens[i] = left
  local missing = cost[i] - left
  if missing > epsilon then
    local needed = math.floor(missing * window[i] / size[i]) + 1
    if needed >= wait then refusing, wait = i, needed end
  end
end
local function answer(i, sign)
  local reset = math.ceil((size[i] - tokens[i]) * window[i] / size[i])
  return { sign * i, wait, math.max(0, math.floor(tokens[i] + epsilon)), reset }
end
if refusing > 0 then return answer(refusing, -1) end
local strictest = 1
for i = 1, #KEYS do
  tokens[i] = tokens[i] - cost[i]
  local fullInMs = math.max(1, math.ceil((size[i] - tokens[i]) * window[i] / size[i]))
  redis.call('SET', KEYS[i], struct.pack('<ddd', tokens[i], now, size[i]), 'PX', fullInMs)
  if tokens[i] / size[i] < tokens[strictest] / size[strictest] then strictest = i end
end
return answer(strictest, 1)
`;
const TAKE_SHA = createHash('sha1').update(TAKE).digest('hex');

type Answer = [decider: number, retryAfterMs: number, remaining: number, resetMs: number];

/** Buckets in Redis: exact over any number of processes. */
export function createRedisLimiter(redis: Redis): Limiter {
  const local = createMemoryLimiter();

  async function takeAll(buckets: readonly Bucket[]): Promise<Decision> {
    let all: Decision | undefined;
    for (const group of redis.address.cluster ? byHashTag(buckets) : [buckets]) {
      const one = decision(group, await redis.run((client) => runScript(client, group)));
      if (!one.allowed) return one;
      if (!all || shareLeft(one.strictest) < shareLeft(all.strictest)) all = one;
    }
    return all!; // there is a bucket
  }

  return {
    async take(buckets, duringOutage = 'local') {
      try {
        return await takeAll(buckets);
      } catch (error) {
        if (!(error instanceof RedisUnavailableError)) throw error;
        if (duringOutage === 'local') return local.take(buckets);
        throw new LimiterUnavailableError('the shared limits cannot be read', { cause: error });
      }
    },
    close: () => local.close(),
  };
}

/**
 * A node of a cluster runs a script over the keys of one hash tag only. Where buckets have several tags, the first ones
 * have paid when a later one refuses; a single Redis and the memory limiter have no such exception.
 */
function byHashTag(buckets: readonly Bucket[]): Bucket[][] {
  const groups = Map.groupBy(buckets, ({ key }) => /\{([^}]+)\}/.exec(key)?.[1] ?? key);
  return [...groups.values()];
}

async function runScript(client: RedisClient, buckets: readonly Bucket[]): Promise<Answer> {
  const args: (string | number)[] = buckets.map((bucket) => `${REDIS_PREFIX}limit:${bucket.key}`);
  for (const bucket of buckets) args.push(bucket.size, bucket.windowMs, costOf(bucket));
  try {
    return (await client.evalsha(TAKE_SHA, buckets.length, ...args)) as Answer;
  } catch (error) {
    // A node that has just started does not know the script.
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return (await client.eval(TAKE, buckets.length, ...args)) as Answer;
  }
}

function decision(buckets: readonly Bucket[], [decider, retryAfterMs, remaining, resetMs]: Answer): Decision {
  const bucket = buckets[Math.abs(decider) - 1]!;
  return { allowed: decider > 0, retryAfterMs, strictest: { bucket, remaining, resetMs } };
}
