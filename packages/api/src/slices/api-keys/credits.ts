import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BLOCK, type Expense, type Lease, type Spent, type Unspent } from '@rentapi/platform/allowances';
import { backoffMs } from '@rentapi/platform/backoff';
import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import type { Bucket } from '@rentapi/platform/limiter';
import { RedisUnavailableError } from '@rentapi/platform/redis';
import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import type { Tenancy } from '../../data/tenant-model.ts';
import { afterCommit } from '../../data/transaction.ts';
import { settleDueLimits } from '../../pipeline/limits.ts';
import type { ApiKeyModel, KeyCredits } from './model.ts';
import type { Credits, NamedLimit, RefillInterval } from './verify-schemas.ts';

const HOUR_MS = 3_600_000;
const INTERVAL_MS = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 168 * HOUR_MS };
const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** The end of the interval that contains `now`. Months are counted from the first, so that short ones shift none. */
export function nextRefill(setAt: Date, interval: RefillInterval, now: Date): Date {
  if (interval !== 'month') {
    const lengthMs = INTERVAL_MS[interval];
    const passed = Math.max(0, Math.floor((now.getTime() - setAt.getTime()) / lengthMs));
    return new Date(setAt.getTime() + (passed + 1) * lengthMs);
  }
  const years = now.getUTCFullYear() - setAt.getUTCFullYear();
  const months = Math.max(0, years * 12 + now.getUTCMonth() - setAt.getUTCMonth());
  const end = addMonths(setAt, months);
  return months > 0 && end > now ? end : addMonths(setAt, months + 1);
}

/** The same day of a later month, or its last day. */
function addMonths(at: Date, months: number): Date {
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth() + months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const moved = new Date(at);
  moved.setUTCFullYear(year, month, Math.min(at.getUTCDate(), lastDay));
  return moved;
}

export function refillsAt({ refill, setAt }: KeyCredits, now: Date): Date | null {
  return refill && nextRefill(new Date(setAt), refill.interval, now);
}

/** The hash tag keeps the account and the limits of an organization's keys on one node of a Redis Cluster. */
const tagOf = (organizationId: number): string => `{${organizationId}}verify:`;
const accountOf = (organizationId: number, keyId: number): string => `${tagOf(organizationId)}${keyId}:credits`;

const SET_CREDITS: Statement = {
  text: `
    insert into api_key_credits (organization_id, api_key_id, generation, remaining, refills_at)
    values ($1, $2, $3, $4, $5)
    on conflict (organization_id, api_key_id) do update
    set generation = excluded.generation, remaining = excluded.remaining, refills_at = excluded.refills_at`,
};

/** Stores the credits that a change has given to a key. Leases of the earlier ones are void from the commit on. */
export async function storeCredits(ctx: Context & Tenancy, key: ApiKeyModel): Promise<void> {
  const { organization, db, now, ports } = ctx;
  const { credits } = key;
  if (!credits) {
    await db('api_key_credits').where({ organizationId: organization.id, apiKeyId: key.id }).delete();
  } else {
    const { generation, remaining } = credits;
    await execute(db, SET_CREDITS, [organization.id, key.id, generation, remaining, refillsAt(credits, now)]);
  }
  const account = { key: accountOf(organization.id, key.id), generation: key.version };
  afterCommit(db, () => {
    // Without Redis no lease is spent either, and processes learn the new generation from the changed key.
    Promise.resolve(ports.allowances.renew(account)).catch((error: unknown) => {
      if (!(error instanceof RedisUnavailableError))
        ports.log.error({ err: error }, 'a lease of credits was not voided');
    });
  });
}

const READ_CREDITS: Statement = {
  text: `
    select api_key_id as id, generation, remaining, refills_at as "refillsAt" from api_key_credits
    where organization_id = $1 and api_key_id = any($2)`,
};

interface CreditsRow {
  id: number;
  generation: number;
  remaining: number;
  refillsAt: Date | null;
}

/** What is left to each of an organization's keys, with what is leased; without Redis, what is not leased. */
export async function creditsLeft(ctx: Context & Tenancy, keys: readonly ApiKeyModel[]): Promise<Map<number, Credits>> {
  const counted = keys.filter(({ credits }) => credits);
  if (counted.length === 0) return new Map();
  const ids = counted.map(({ id }) => id);
  const rows = await execute<CreditsRow>(ctx.db, READ_CREDITS, [ctx.organization.id, ids]);
  const leases = await readLeases(ctx, rows);
  const rowOf = new Map(rows.map((row, at) => [row.id, { ...row, lease: leases[at] ?? null }]));
  return new Map(
    counted.map(({ id, credits }) => {
      const { remaining, refill } = credits!;
      const row = rowOf.get(id);
      return [id, { remaining: row ? leftOf(row, refill, ctx.now) : remaining, refill }];
    }),
  );
}

async function readLeases({ ports, organization }: Context & Tenancy, rows: readonly CreditsRow[]) {
  try {
    return await ports.allowances.leases(rows.map(({ id }) => accountOf(organization.id, id)));
  } catch (error) {
    if (!(error instanceof RedisUnavailableError)) throw error;
    return [];
  }
}

function leftOf(row: CreditsRow & { lease: Lease | null }, refill: Credits['refill'], now: Date): number {
  const { generation, remaining, lease } = row;
  const isCurrent = lease?.generation === generation && lease.untilMs === (row.refillsAt?.getTime() ?? NEVER_MS);
  const left = remaining + (isCurrent ? lease.credits : 0);
  return refill && row.refillsAt && row.refillsAt <= now ? Math.max(left, refill.amount) : left;
}

/**
 * The credits of a key are a row in Postgres. From there they are leased in blocks to what all processes share (Redis,
 * or the memory of the only process), so that most verifications need no query. What dies with a lease is at most one
 * block, and no credit is ever leased twice, because a block leaves the row before it can be spent.
 *
 * Takes a block from the row, after the refill that is due: of several processes exactly one refills, because the end
 * of the interval moves with it. What an earlier lease has left counts towards the cost and the block. Nothing is taken
 * where the credits do not suffice. No row: the credits were set anew.
 */
const LEASE: Statement = {
  text: `
    with held as (
      select remaining, refills_at, coalesce(refills_at <= $4, false) as is_due from api_key_credits
      where organization_id = $1 and api_key_id = $2 and generation = $3
      for update
    ), refilled as (
      select case when is_due then greatest(remaining, $5::bigint) else remaining end as available,
        case when is_due then $6::timestamptz else refills_at end as refills_at,
        case when is_due then 0 else $8::bigint end as leased
      from held
    ), sized as (
      select available, refills_at,
        case when available + leased < $7::bigint then 0
        else least(available, greatest(0, greatest($7::bigint, least(${BLOCK.max}, ceil(available * ${BLOCK.share}))) - leased)) end as block
      from refilled
    )
    update api_key_credits c set remaining = available - block, refills_at = sized.refills_at
    from sized
    where c.organization_id = $1 and c.api_key_id = $2 and c.generation = $3
    returning sized.block::bigint as credits, c.remaining as rest, c.refills_at as "refillsAt"`,
};

interface SpendingKey {
  id: number;
  organizationId: number;
  credits: KeyCredits | null;
}

async function lease(ctx: Context, key: SpendingKey, credits: KeyCredits, cost: number, leased: number) {
  const { id, organizationId } = key;
  const { generation, refill } = credits;
  const [row] = await execute<{ credits: number; rest: number; refillsAt: Date | null }>(ctx.db, LEASE, [
    organizationId,
    id,
    generation,
    ctx.now,
    refill?.amount ?? 0,
    refillsAt(credits, ctx.now),
    cost,
    leased,
  ]);
  if (!row) return undefined;
  return { generation, untilMs: row.refillsAt?.getTime() ?? NEVER_MS, credits: row.credits, rest: row.rest };
}

const GIVE_BACK: Statement = {
  text: `
    /* across organizations */
    update api_key_credits set remaining = remaining + $4
    where organization_id = $1 and api_key_id = $2 and generation = $3 and refills_at is not distinct from $5::timestamptz`,
};

/** Puts the leases of a process that ends back into their rows. */
export async function giveBackCredits(database: Knex, unspent: readonly Unspent[]): Promise<void> {
  for (const { key, lease } of unspent) {
    const [, organizationId, keyId] = /^\{(\d+)\}verify:(\d+):credits$/.exec(key) ?? [];
    const ends = lease.untilMs === NEVER_MS ? null : new Date(lease.untilMs);
    await execute(database, GIVE_BACK, [organizationId, keyId, lease.generation, lease.credits, ends]);
  }
}

/** How often a lease is brought, and how long one of another process is waited for. */
const MAX_LEASES = 5;
const MAX_WAITS = 300;
const PAUSE = { firstMs: 2, maxMs: 25 };
const OUTAGE_RETRY_S = 2;

/**
 * Takes the credits and the limits of a verification together, all or nothing, and those of the call in any case. One
 * script call, unless the credits need a new lease. Null where the credits have been set anew since the key was read.
 */
export async function spend(
  ctx: Context,
  key: SpendingKey,
  { cost, buckets }: { cost: number; buckets: readonly Bucket[] },
): Promise<Spent | null> {
  const own = ctx.dueLimits?.buckets ?? [];
  const expense: Expense = {
    due: own,
    buckets,
    credits: key.credits && {
      key: accountOf(key.organizationId, key.id),
      generation: key.credits.generation,
      cost,
    },
    nowMs: ctx.now.getTime(),
    turn: key.credits ? randomUUID() : '',
  };
  let granted: Lease | undefined;
  for (let leases = 0, waits = 0; leases <= MAX_LEASES && waits < MAX_WAITS; ) {
    const spent = await spendOnce(ctx, expense, granted);
    granted = undefined;
    if (spent.outcome === 'busy') {
      await sleep(backoffMs(++waits, PAUSE));
    } else if (spent.outcome === 'lease') {
      leases++;
      granted = await bringLease(ctx, key, expense, spent.lease?.credits ?? 0);
      if (!granted) return null;
    } else {
      if (spent.isLow) await leaseAhead(ctx, key, expense, spent.lease?.credits ?? 0);
      return settled(ctx, spent, own.length);
    }
  }
  throw new ApiError('unavailable', {
    detail: 'The credits of this key are asked for by too many calls at once: wait and repeat the request.',
    retryAfterS: OUTAGE_RETRY_S,
  });
}

/** Brings the next lease before the last credit is spent, so that only this call waits: it is paid, and succeeds. */
async function leaseAhead(ctx: Context, key: SpendingKey, { credits, nowMs, turn }: Expense, leased: number) {
  const next: Expense = { due: [], buckets: [], credits: credits && { ...credits, cost: 0 }, nowMs, turn };
  try {
    const granted = await bringLease(ctx, key, next, leased);
    if (granted) await spendOnce(ctx, next, granted);
  } catch (error) {
    ctx.ports.log.warn({ err: error }, 'a lease of credits was not brought ahead');
  }
}

/** Without the limits of the call itself. */
function settled(ctx: Context, spent: Spent, own: number): Spent {
  const { isDuePaid, retryAfterMs, states } = spent;
  settleDueLimits(ctx, states.slice(0, own), { isPaid: isDuePaid, retryAfterMs });
  return { ...spent, states: states.slice(own) };
}

/** Where there is none to bring, the next caller need not wait for it. */
async function bringLease(ctx: Context, key: SpendingKey, { credits, turn }: Expense, leased: number) {
  let granted: Lease | undefined;
  try {
    if (key.credits && credits) granted = await lease(ctx, key, key.credits, credits.cost, leased);
    return granted;
  } finally {
    if (!granted && credits) await Promise.resolve(ctx.ports.allowances.pass(credits.key, turn)).catch(() => {});
  }
}

async function spendOnce(ctx: Context, expense: Expense, granted: Lease | undefined): Promise<Spent> {
  try {
    const spent = ctx.ports.allowances.spend(expense, granted);
    return spent instanceof Promise ? await spent : spent;
  } catch (error) {
    if (!(error instanceof RedisUnavailableError)) throw error;
    throw redisIsAway(error);
  }
}

export function redisIsAway(cause?: unknown): ApiError {
  return new ApiError('unavailable', {
    detail: 'The limits and credits of keys cannot be checked for a moment: wait and repeat the request.',
    retryAfterS: OUTAGE_RETRY_S,
    cause,
  });
}

/** The bucket of a key's limit. */
export function bucketOf(
  key: Pick<SpendingKey, 'id' | 'organizationId'>,
  { name, limit, windowS }: NamedLimit,
): Bucket {
  return { name, key: `${tagOf(key.organizationId)}${key.id}:${name}`, size: limit, windowMs: windowS * 1000 };
}
