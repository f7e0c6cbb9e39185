import { createHash } from 'node:crypto';
import { type Allowances, type Lease, LOW, type Spent, TURN_MS } from '../allowances.ts';
import { type Bucket, costOf, TOKEN_EPSILON } from '../limiter.ts';
import { REDIS_PREFIX, type Redis } from '../redis.ts';

/**
 * A lease belongs to the Redis process that it was given to: one that was restored from a snapshot, or copied to a
 * replica, may have been spent since.
 */
const RUN_ID = `string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')`;

/**
 * The arithmetic of the memory, in one step for all processes. KEYS: the account, then a level per bucket. ARGV: the
 * account's generation ('' for none), the caller's time, cost and turn; generation, end, credits and rest of a lease to
 * add ('' for none); how many buckets are due, and size, windowMs and cost of each bucket. Returns the outcome,
 * retryAfterMs, whether what is due is paid, whether a lease counts, whether the caller is to bring the next one, the
 * four numbers of the lease, then remaining and resetMs of each bucket.
 */
const SPEND = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local generation, caller, cost, turn = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local epsilon = ${TOKEN_EPSILON.toFixed(9)}
local function text(number) return string.format('%.0f', number) end -- all of its digits

local valid, held = false, nil
if generation then
  local run = ${RUN_ID}
  local known = redis.call('HMGET', KEYS[1], 'run', 'generation', 'until', 'credits', 'rest', 'turn', 'turn_ends')
  if known[1] == run then
    held = { tonumber(known[2]), tonumber(known[3]), tonumber(known[4]), tonumber(known[5]) }
  else
    held = { 0, 0, 0, 0 }
  end
  local taken, ends = known[6], tonumber(known[7] or 0)
  if ARGV[5] ~= '' then
    local given = { tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]) }
    if held[1] < given[1] or (held[1] == given[1] and held[2] < given[2]) then
      held = given
    elseif held[1] == given[1] and held[2] == given[2] then
      held[3], held[4] = held[3] + given[3], math.min(held[4], given[4])
    end
    if taken == turn then
      taken = false
      redis.call('HDEL', KEYS[1], 'turn', 'turn_ends')
    end
    redis.call('HSET', KEYS[1], 'run', run, 'generation', text(held[1]), 'until', text(held[2]),
      'credits', text(held[3]), 'rest', text(held[4]))
  end
  valid = held[1] >= generation and caller < held[2]
  held.taken = taken and taken ~= turn and ends > now
end

local tokens, size, window, price = {}, {}, {}, {}
local levels = #KEYS > 1 and redis.call('MGET', unpack(KEYS, 2)) or {}
local due = tonumber(ARGV[9])
local wait, dueWait = 0, 0
for i = 2, #KEYS do
  local at = 10 + 3 * (i - 2)
  size[i], window[i], price[i] = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local level = levels[i - 1]
  tokens[i] = size[i]
  if level then
    local left, since = struct.unpack('<dd', level)
    tokens[i] = math.min(size[i], left + math.max(0, now - since) * size[i] / window[i])
  end
  local missing = price[i] - tokens[i]
  if missing > epsilon then
    local needed = math.floor(missing * window[i] / size[i]) + 1
    if i <= 1 + due then dueWait = math.max(dueWait, needed) else wait = math.max(wait, needed) end
  end
end

local outcome, paying, low = 'spent', #KEYS, false
if dueWait > 0 then
  outcome, paying, wait = 'limited', 0, dueWait
elseif wait > 0 then
  outcome, paying = 'limited', 1 + due
elseif held and not (valid and held[3] >= cost) then
  if valid and held[3] + held[4] < cost then
    outcome, paying = 'exhausted', 1 + due
  elseif held.taken then
    outcome, paying = 'busy', 0
  else
    outcome, paying = 'lease', 0
    redis.call('HSET', KEYS[1], 'turn', turn, 'turn_ends', text(now + ${TURN_MS}))
  end
end
if outcome == 'spent' and held then
  held[3] = held[3] - cost
  low = ARGV[5] == '' and not held.taken and held[3] < math.min(${LOW.max}, math.floor(held[4] * ${LOW.share}))
  if low then
    redis.call('HSET', KEYS[1], 'credits', text(held[3]), 'turn', turn, 'turn_ends', text(now + ${TURN_MS}))
  else
    redis.call('HSET', KEYS[1], 'credits', text(held[3]))
  end
end
for i = 2, paying do
  tokens[i] = tokens[i] - price[i]
  local fullInMs = math.max(1, math.ceil((size[i] - tokens[i]) * window[i] / size[i]))
  redis.call('SET', KEYS[i], struct.pack('<dd', tokens[i], now), 'PX', fullInMs)
end

local answer = { outcome, wait, paying > 0 and 1 or 0, valid and 1 or 0, low and 1 or 0, 0, 0, 0, 0 }
for i = 1, 4 do if held then answer[5 + i] = held[i] end end
for i = 2, #KEYS do
  answer[#answer + 1] = math.max(0, math.floor(tokens[i] + epsilon))
  answer[#answer + 1] = math.ceil((size[i] - tokens[i]) * window[i] / size[i])
end
return answer
`;

/** KEYS: the account. ARGV: the turn. */
const PASS = `
if redis.call('HGET', KEYS[1], 'turn') == ARGV[1] then redis.call('HDEL', KEYS[1], 'turn', 'turn_ends') end
`;

/** KEYS: the account. ARGV: its new generation. */
const RENEW = `
local known = redis.call('HMGET', KEYS[1], 'run', 'generation')
local run = ${RUN_ID}
if known[1] ~= run or tonumber(known[2]) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'run', run, 'generation', ARGV[1], 'until', 0, 'credits', 0, 'rest', 0)
end
`;

/** KEYS: accounts. Returns four numbers of each; none where no lease counts. */
const READ = `
local run = ${RUN_ID}
local answer = {}
for i = 1, #KEYS do
  local known = redis.call('HMGET', KEYS[i], 'run', 'generation', 'until', 'credits', 'rest')
  answer[i] = {}
  if known[1] == run then
    for at = 2, 5 do answer[i][at - 1] = tonumber(known[at]) end
  end
end
return answer
`;

type SpentAnswer = [
  outcome: Spent['outcome'],
  retryAfterMs: number,
  isDuePaid: number,
  isValid: number,
  isLow: number,
  generation: number,
  untilMs: number,
  credits: number,
  rest: number,
  ...levels: number[],
];

/** Buckets and leases in Redis, exact over any number of processes. Throws `RedisUnavailableError` without it. */
export function createRedisAllowances(redis: Redis): Allowances {
  return {
    async spend(expense, granted) {
      const { due, credits, nowMs, turn } = expense;
      const buckets = [...due, ...expense.buckets];
      const keys = [credits ? nameOf(credits.key) : `${REDIS_PREFIX}${buckets[0]!.key}`];
      for (const bucket of buckets) keys.push(`${REDIS_PREFIX}limit:${bucket.key}`);
      const args: (string | number)[] = [credits?.generation ?? '', nowMs, credits?.cost ?? 0, turn];
      if (granted) args.push(granted.generation, granted.untilMs, granted.credits, granted.rest);
      else args.push('', '', '', '');
      args.push(due.length);
      for (const bucket of buckets) args.push(bucket.size, bucket.windowMs, costOf(bucket));
      return spentOf(buckets, (await runScript(redis, SPEND, keys, args)) as SpentAnswer);
    },
    async pass(key, turn) {
      await runScript(redis, PASS, [nameOf(key)], [turn]);
    },
    async renew({ key, generation }) {
      await runScript(redis, RENEW, [nameOf(key)], [generation]);
    },
    async leases(keys) {
      const answers = (await runScript(redis, READ, keys.map(nameOf), [])) as number[][];
      return answers.map((numbers) => (numbers.length === 0 ? null : leaseOf(numbers)));
    },
    async close() {},
  };
}

const nameOf = (key: string): string => `${REDIS_PREFIX}account:${key}`;

function leaseOf([generation = 0, untilMs = 0, credits = 0, rest = 0]: readonly number[]): Lease {
  return { generation, untilMs, credits, rest };
}

function spentOf(buckets: readonly Bucket[], answer: SpentAnswer): Spent {
  const [outcome, retryAfterMs, isDuePaid, isValid, isLow, generation, untilMs, credits, rest] = answer;
  const lease = isValid === 1 ? { generation, untilMs, credits, rest } : null;
  const states = buckets.map((bucket, at) => ({
    bucket,
    remaining: answer[9 + 2 * at] as number, // the first one is text
    resetMs: answer[10 + 2 * at] as number,
  }));
  return { outcome, retryAfterMs, isDuePaid: isDuePaid === 1, states, lease, isLow: isLow === 1 };
}

const SHAS = new Map(
  [SPEND, PASS, RENEW, READ].map((script) => [script, createHash('sha1').update(script).digest('hex')]),
);

async function runScript(
  redis: Redis,
  script: string,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  return redis.run(async (client) => {
    try {
      return await client.evalsha(SHAS.get(script)!, keys.length, ...keys, ...args);
    } catch (error) {
      // A node that has just started does not know the script.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.eval(script, keys.length, ...keys, ...args);
    }
  });
}
