import { networkOf } from '@rentapi/platform/ip';
import {
  type Bucket,
  type BucketState,
  costOf,
  type Decision,
  type DuringOutage,
  LimiterUnavailableError,
} from '@rentapi/platform/limiter';
import type { Context } from '../context.ts';
import { isoOrNull } from '../contract/common-schemas.ts';
import { ApiError } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import { isOrganizationPermission } from '../contract/permissions.ts';
import type { Actor, KeyActor } from './actor.ts';
import {
  callerLimit,
  type Entitlements,
  factsOfKey,
  type ResolvedLimit,
  resolveEntitlements,
  unchangedUntilMs,
} from './entitlements.ts';

const MINUTE_MS = 60_000;
const OUTAGE_RETRY_S = 2;

/**
 * Takes from every layer of limits in one call of the limiter: caller, key, plan and procedure, or source and procedure
 * for an anonymous caller. All pay or none does; the strictest refuses and is named.
 */
export async function enforceLimits(ctx: Context, meta: ProcedureMeta, actor: Actor | null): Promise<void> {
  if (meta.probe) return; // a probe must never have to wait
  if (!actor) return setRateLimitHeaders(ctx, await take(ctx, sourceBuckets(ctx, meta), duringOutage(meta)));
  await enforceCallerLimits(ctx, meta, actor);
}

/** The same for a known caller: `meta` is the procedure's; a message on a socket has none. */
export async function enforceCallerLimits(
  ctx: Context,
  meta: Pick<ProcedureMeta, 'limit'>,
  actor: Actor,
): Promise<void> {
  const buckets = callerBuckets(ctx, actor);
  const ofProcedure = procedureBucket(ctx, meta, actor);
  const strictest = ofProcedure
    ? await take(ctx, [...buckets, ofProcedure], 'refuse')
    : await take(ctx, buckets, 'local');
  setRateLimitHeaders(ctx, strictest);
  const refusing = findUsedUp(ctx, actor);
  if (!refusing) return;
  const { perMonth, refusedUntil } = refusing.includedCalls;
  throw new ApiError('included_calls_used_up', {
    detail: `The ${perMonth} calls that the plan ${refusing.plan} includes in a month are used up until ${isoOrNull(refusedUntil)}: choose a larger plan.`,
  });
}

/** The entitlements of a live key whose plan refuses further calls in this month. Mostly it reads nothing but null. */
function findUsedUp(ctx: Context, actor: Actor): Entitlements | null {
  if (actor.kind !== 'key' || actor.key.environment !== 'live' || !actor.key.terms.callsUsedUpUntil) return null;
  const entitled = resolveEntitlements(factsOfKey(ctx, actor));
  return entitled.includedCalls.refusedUntil ? entitled : null;
}

/** The limits of a call that are not taken yet. */
export interface DueLimits {
  buckets: readonly Bucket[];
  isTaken: boolean;
}

/**
 * The limits that the service of a call may take with its own: those of a key that has the permission, which share a
 * node of a Redis Cluster with what belongs to its organization. In memory there is nothing to save.
 */
export function dueLimits(ctx: Context, { takesLimits, access }: ProcedureMeta, actor: Actor): DueLimits | null {
  if (!takesLimits || actor.kind !== 'key' || !ctx.ports.redis || findUsedUp(ctx, actor)) return null;
  const isAllowed = isOrganizationPermission(access) && actor.key.permissions.has(access);
  return isAllowed ? { buckets: callerBuckets(ctx, actor), isTaken: false } : null;
}

/** Takes them where the service has not: it spent nothing, or failed before. */
export async function takeDueLimits(ctx: Context): Promise<void> {
  const due = ctx.dueLimits;
  if (!due || due.isTaken) return;
  due.isTaken = true;
  setRateLimitHeaders(ctx, await take(ctx, due.buckets, 'local'));
}

/** After the service has asked for them: throws where one refuses, and leaves them due where nothing was paid. */
export function settleDueLimits(
  ctx: Context,
  states: readonly BucketState[],
  { isPaid, retryAfterMs }: { isPaid: boolean; retryAfterMs: number },
): void {
  const due = ctx.dueLimits;
  if (!due) return;
  const refusing = isPaid ? undefined : states.find(({ bucket, remaining }) => remaining < costOf(bucket));
  const strictest = refusing ?? states.reduce((least, each) => (share(each) < share(least) ? each : least));
  const decision = refusing ? 'refused' : 'allowed';
  if (refusing || isPaid) ctx.ports.metrics.limiterDecisions.inc({ bucket: strictest.bucket.name, decision });
  due.isTaken = isPaid || refusing !== undefined;
  if (refusing) throw rateLimited(ctx, refusing, retryAfterMs);
  if (isPaid) setRateLimitHeaders(ctx, strictest);
}

const share = ({ bucket, remaining }: BucketState): number => remaining / bucket.size;

/**
 * Charges a refused call to the bucket of its source: otherwise guessing credentials, or asking for other tenants'
 * data, would cost nothing. `meta` is the procedure's; a socket has none.
 */
export async function chargeFailedAttempt(ctx: Context, error: unknown, meta?: ProcedureMeta): Promise<void> {
  if (!(error instanceof ApiError) || error.status >= 500) return;
  setRateLimitHeaders(ctx, await take(ctx, sourceBuckets(ctx, meta), 'refuse'));
}

/** Refuses a source that could not pay for one more failed attempt. Costs nothing, for most callers succeed. */
export async function assertSourceHasRoom(ctx: Context): Promise<void> {
  const { strictest } = await decide(
    ctx,
    sourceBuckets(ctx).map((bucket) => ({ ...bucket, cost: 0 })),
    'local',
  );
  const { bucket, remaining } = strictest;
  if (remaining < 1) throw rateLimited(ctx, strictest, bucket.windowMs / bucket.size);
}

/** Takes from every bucket and returns the strictest. Throws where one refuses. */
async function take(ctx: Context, buckets: readonly Bucket[], outage: DuringOutage): Promise<BucketState> {
  const { allowed, retryAfterMs, strictest } = await decide(ctx, buckets, outage);
  if (allowed) return strictest;
  throw rateLimited(ctx, strictest, retryAfterMs);
}

function rateLimited(ctx: Context, strictest: BucketState, retryAfterMs: number): ApiError {
  setRateLimitHeaders(ctx, strictest);
  const retryAfterS = Math.ceil(retryAfterMs / 1000);
  return new ApiError('rate_limited', {
    detail: `The limit \`${strictest.bucket.name}\` is used up: wait ${retryAfterS} s and repeat the request.`,
    retryAfterS,
  });
}

/** The bucket of the procedure itself, for a signed-in caller. */
function procedureBucket(ctx: Context, { limit }: Pick<ProcedureMeta, 'limit'>, actor: Actor): Bucket | null {
  if (!limit || limit.by === 'source') return null;
  const organizationId = actor.kind === 'user' ? actor.membership?.organizationId : actor.key.organizationId;
  const isShared = limit.by === 'organization' && organizationId !== undefined;
  return {
    name: limit.name,
    key: isShared ? `${tagOf(organizationId)}${limit.name}` : `${callerKey(actor)}:${limit.name}`,
    size: limit.size(ctx.ports.env),
    windowMs: limit.windowS * 1000,
  };
}

/**
 * While Redis is away, calls that could guess a credential are refused, because the processes together would allow too
 * many. Calls of known callers and public reads continue, counted by each process alone.
 */
function duringOutage(meta: ProcedureMeta): DuringOutage {
  const hasOwnLimit = meta.limit !== undefined && !meta.limit.instead;
  return meta.access === 'public' && meta.openapi.method === 'GET' && !hasOwnLimit ? 'local' : 'refuse';
}

async function decide(ctx: Context, buckets: readonly Bucket[], outage: DuringOutage): Promise<Decision> {
  try {
    const taken = ctx.ports.limiter.take(buckets, outage);
    return taken instanceof Promise ? await taken : taken;
  } catch (error) {
    if (!(error instanceof LimiterUnavailableError)) throw error;
    throw new ApiError('unavailable', {
      detail: 'The limits of this call cannot be checked for a moment: wait and repeat the request.',
      retryAfterS: OUTAGE_RETRY_S,
      cause: error,
    });
  }
}

/** The hash tag keeps the buckets of one organization on one node of a Redis Cluster, for one script call. */
const tagOf = (organizationId: number): string => `{${organizationId}}`;

/** A user is counted alone: with the organization in the key, changing it would give a full bucket. */
function callerKey(actor: Actor): string {
  return actor.kind === 'user'
    ? `{user:${actor.user.id}}user`
    : `${tagOf(actor.key.organizationId)}key:${actor.key.id}`;
}

interface KnownBuckets {
  buckets: readonly Bucket[];
  fromMs: number;
  untilMs: number;
}

/** The actor of a key is made anew where the key, its plan or its organization has changed. */
const bucketsOfKeys = new WeakMap<KeyActor, KnownBuckets>();

function callerBuckets(ctx: Context, actor: Actor): readonly Bucket[] {
  if (actor.kind === 'user') return [bucketOf(callerLimit('user', ctx.ports.env), callerKey(actor))];
  const nowMs = ctx.now.getTime();
  const known = bucketsOfKeys.get(actor);
  if (known && known.fromMs <= nowMs && nowMs < known.untilMs) return known.buckets;
  const facts = factsOfKey(ctx, actor);
  const own = callerKey(actor);
  // Calls of test keys do not use up what customers are sold.
  const shared = `${tagOf(actor.key.organizationId)}${actor.key.environment === 'test' ? 'test' : ''}`;
  const buckets = resolveEntitlements(facts)
    .limits.filter(({ windowS }) => windowS !== null)
    .map((limit) => bucketOf(limit, limit.of === 'organization' ? shared : own));
  bucketsOfKeys.set(actor, { buckets, fromMs: nowMs, untilMs: unchangedUntilMs(facts) });
  return buckets;
}

function bucketOf({ name, limit, windowS }: ResolvedLimit, owner: string): Bucket {
  return { name, key: `${owner}:${name}`, size: limit, windowMs: (windowS ?? 0) * 1000 };
}

function sourceBuckets(ctx: Context, meta?: ProcedureMeta): Bucket[] {
  const tag = `{${networkOf(ctx.request.ip)}}`;
  const ofEvery = {
    name: 'source',
    key: `${tag}source`,
    size: ctx.ports.env.RATE_LIMIT_PER_MINUTE,
    windowMs: MINUTE_MS,
  };
  if (meta?.limit?.by !== 'source') return [ofEvery];
  const { name, size, windowS, instead } = meta.limit;
  const own = { name, key: `${tag}${name}`, size: size(ctx.ports.env), windowMs: windowS * 1000 };
  return instead ? [own] : [ofEvery, own];
}

/** RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers), and the three older X-RateLimit-* headers. */
function setRateLimitHeaders(ctx: Context, { bucket, remaining, resetMs }: BucketState): void {
  const resetS = Math.ceil(resetMs / 1000);
  const { responseHeaders: reply } = ctx;
  reply['RateLimit-Policy'] = `"${bucket.name}";q=${bucket.size};w=${bucket.windowMs / 1000}`;
  reply['RateLimit'] = `"${bucket.name}";r=${remaining};t=${resetS}`;
  reply['X-RateLimit-Limit'] = String(bucket.size);
  reply['X-RateLimit-Remaining'] = String(remaining);
  reply['X-RateLimit-Reset'] = String(Math.ceil(ctx.now.getTime() / 1000) + resetS);
}
