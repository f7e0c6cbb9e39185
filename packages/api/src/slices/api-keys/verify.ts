import { execute, type Statement } from '@rentapi/platform/database';
import { createAddressMatcher, parseAddress } from '@rentapi/platform/ip';
import type { Bucket } from '@rentapi/platform/limiter';
import { OldestFirst } from '@rentapi/platform/oldest-first';
import type { OrganizationContext } from '../../context.ts';
import { iso, isoOrNull } from '../../contract/common-schemas.ts';
import { ApiError } from '../../contract/errors.ts';
import { loadCached } from '../../pipeline/actor-cache.ts';
import { takeDueLimits } from '../../pipeline/limits.ts';
import { bucketOf, redisIsAway, refillsAt, spend } from './credits.ts';
import { type ApiKeyModel, type KeyLimits, listLimits } from './model.ts';
import {
  createPermissionMatcher,
  isFulfilled,
  type PermissionQuery,
  parsePermissionQuery,
} from './permission-query.ts';
import { hashSecret, isWellFormed } from './secret.ts';
import { MAX_COST, type VerifiedKey, type VerifyApiKey, type VerifyCode } from './verify-schemas.ts';

const COLUMNS = `
  k.id, k.organization_id as "organizationId", k.external_id as "externalId", k.permissions, k.credits,
  k.rate_limits as "rateLimits", k.metadata, k.ip_allow_list as "ipAllowList", k.expires_at as "expiresAt",
  k.revoked_at as "revokedAt", k.enabled, k.environment`;

const KEY: Statement = {
  name: 'verified_key',
  short: true,
  text: `
    select ${COLUMNS}, null::timestamptz as "secretExpiresAt" from api_keys k
    where k.organization_id = $1 and k.secret_hash = $2`,
};

/** The same by an earlier secret. Without a name: a plan from when there were none would read the whole table. */
const KEY_BY_OLD_SECRET: Statement = {
  text: `
    select ${COLUMNS}, s.expires_at as "secretExpiresAt" from api_key_old_secrets s
    join api_keys k on k.organization_id = s.organization_id and k.id = s.api_key_id
    where s.organization_id = $1 and s.secret_hash = $2`,
};

type Columns = Pick<
  ApiKeyModel,
  | 'id'
  | 'organizationId'
  | 'externalId'
  | 'permissions'
  | 'credits'
  | 'rateLimits'
  | 'metadata'
  | 'ipAllowList'
  | 'expiresAt'
  | 'revokedAt'
  | 'enabled'
  | 'environment'
> & { secretExpiresAt: Date | null };

/** Ranges, permissions, limits and ids are prepared when the row is read, and cached with it. */
interface OwnKey extends Columns {
  isAllowedFrom: (address: string) => boolean;
  isGranted: (permission: string) => boolean;
  /** Those that a call counts against which names none. */
  buckets: readonly Bucket[];
  publicId: string;
  publicOrganizationId: string;
}

/** A key of the caller's organization, from memory where that is proven. */
function findOwnKey(ctx: OrganizationContext, secretHash: Buffer): OwnKey | undefined | Promise<OwnKey | undefined> {
  const organizationId = ctx.organization.id;
  return loadCached<OwnKey>(ctx, {
    key: `verified ${organizationId} ${secretHash.toString('base64')}`,
    load: async () => {
      const [current] = await execute<Columns>(ctx.db, KEY, [organizationId, secretHash]);
      // In this order: a rotation in between moves the secret from the first table to the second.
      const [row] = current
        ? [current]
        : await execute<Columns>(ctx.db, KEY_BY_OLD_SECRET, [organizationId, secretHash]);
      return row && prepare(ctx, row);
    },
    invalidatedBy: ({ id }) => [`key:${id}`],
  });
}

function prepare({ ids }: OrganizationContext, row: Columns): OwnKey {
  return {
    ...row,
    isAllowedFrom: row.ipAllowList.length > 0 ? createAddressMatcher(row.ipAllowList) : () => true,
    isGranted: createPermissionMatcher(row.permissions),
    buckets: listLimits(row.rateLimits).map((limit) => bucketOf(row, limit)),
    publicId: ids.encode('key', row.id),
    publicOrganizationId: ids.encode('org', row.organizationId),
  };
}

/** Judges a key that a program has shown to the organization's own API. */
export async function verifyApiKey(ctx: OrganizationContext, input: VerifyApiKey): Promise<VerifiedKey> {
  const asked = readAsked(input);
  const began = performance.now();
  const verdict = await judge(ctx, asked);
  await takeDueLimits(ctx); // where nothing was spent
  noteUse(ctx, asked, { ...verdict, latencyUs: Math.round((performance.now() - began) * 1000) });
  return present(ctx, verdict);
}

/** What the customer's own API answers, as the guard of the SDK does. */
const STATUS: Record<VerifyCode, number> = {
  VALID: 200,
  NOT_FOUND: 401,
  DISABLED: 401,
  EXPIRED: 401,
  FORBIDDEN: 403,
  INSUFFICIENT_PERMISSIONS: 403,
  USAGE_EXCEEDED: 429,
  RATE_LIMITED: 429,
};

/** The usage log counts a verification as a call with the verified key. One that is refused is no use of the key. */
function noteUse(
  { ports, now, request }: OrganizationContext,
  { ip, cost }: Asked,
  { code, key, latencyUs }: Verdict & { latencyUs: number },
): void {
  if (!key) return;
  const { id, organizationId, environment, credits } = key;
  const isValid = code === 'VALID';
  if (isValid) ports.keyUses.note(id, { organizationId, atMs: now.getTime(), ip: ip ?? request.ip });
  ports.usage.note({
    callId: 0,
    occurredAt: now,
    organizationId,
    keyId: id,
    userId: null,
    procedure: 'verify',
    transport: 'verify',
    environment,
    status: STATUS[code],
    latencyUs,
    bytesIn: 0,
    bytesOut: 0,
    ip,
    userAgent: null,
    cost: isValid && credits ? cost : 0,
    requestId: request.requestId,
  });
}

/** What a caller asks about a key, checked. */
interface Asked {
  secret: string;
  query: PermissionQuery | null;
  cost: number;
  limits: readonly { name: string; cost: number }[] | null;
  ip: string | null;
}

function readAsked({ key, permissions, cost, rateLimits, ip }: VerifyApiKey): Asked {
  return {
    secret: key,
    query: permissions === undefined ? null : readQuery(permissions),
    cost: readCost(cost),
    limits: rateLimits?.map(({ name, cost }) => ({ name, cost: readCost(cost) })) ?? null,
    ip: ip === undefined ? null : parseAddress(ip),
  };
}

/** Programs ask the same few queries again and again. */
const MAX_QUERIES = 1000;
const queries = new OldestFirst<PermissionQuery>(MAX_QUERIES);

function readQuery(text: string): PermissionQuery {
  const known = queries.get(text);
  if (known !== undefined) return known;
  const query = parsePermissionQuery(text);
  queries.set(text, query);
  return query;
}

function readCost(cost = 1): number {
  if (Number.isInteger(cost) && cost >= 0 && cost <= MAX_COST) return cost;
  throw new ApiError('invalid_cost');
}

interface Verdict {
  code: VerifyCode;
  key: OwnKey | null;
  remaining: number | null;
  retryAfter: number | null;
  limits: VerifiedKey['rateLimits'];
}

const MAX_READS = 3;

async function judge(ctx: OrganizationContext, asked: Asked): Promise<Verdict> {
  if (!isWellFormed(asked.secret)) return unspent('NOT_FOUND', null);
  const { actors, redis } = ctx.ports;
  if (redis && !redis.available) throw redisIsAway();
  const secretHash = hashSecret(asked.secret);
  for (let reads = 1; reads <= MAX_READS; reads++) {
    const key = await findOwnKey(ctx, secretHash);
    if (!key) return unspent('NOT_FOUND', null);
    const buckets = asked.limits ? namedBuckets(key, asked.limits) : key.buckets;
    const code = refusalOf(ctx, key, asked);
    if (code) return unspent(code, key);
    const verdict = await settle(ctx, key, { cost: asked.cost, buckets });
    if (verdict) return verdict;
    actors.forget(`key:${key.id}`); // its credits were set anew a moment ago
  }
  throw new ApiError('unavailable', { detail: 'The key is being changed: repeat the request.', retryAfterS: 1 });
}

/** Clear without credits or limits. */
const unspent = (code: VerifyCode, key: OwnKey | null): Verdict => ({
  code,
  key,
  remaining: null,
  retryAfter: null,
  limits: key && [],
});

/** The limits that a call names. */
function namedBuckets(key: OwnKey, named: NonNullable<Asked['limits']>): Bucket[] {
  return named.map(({ name, cost }) => {
    const bucket = key.buckets.find((each) => each.name === name);
    if (!bucket) throw new ApiError('unknown_rate_limit', { detail: unknownLimit(name, key.rateLimits) });
    return { ...bucket, cost };
  });
}

function unknownLimit(name: string, known: KeyLimits): string {
  const names = listLimits(known).map((limit) => `\`${limit.name}\``);
  return `The key has no limit \`${name}\`: ${names.length > 0 ? `name one of ${names.join(', ')}` : 'it has none'}, or add it to the key.`;
}

/** Why a key is refused before it spends anything. */
function refusalOf({ now }: OrganizationContext, key: OwnKey, { query, ip }: Asked): VerifyCode | null {
  if (key.revokedAt || !key.enabled) return 'DISABLED';
  if (key.expiresAt && key.expiresAt <= now) return 'EXPIRED';
  if (key.secretExpiresAt && key.secretExpiresAt <= now) return 'EXPIRED';
  if (key.ipAllowList.length > 0 && !(ip && key.isAllowedFrom(ip))) return 'FORBIDDEN';
  if (query && !isFulfilled(query, key.isGranted)) return 'INSUFFICIENT_PERMISSIONS';
  return null;
}

/** Takes the credits and limits of the call. Null where the credits have been set anew since the key was read. */
async function settle(
  ctx: OrganizationContext,
  key: OwnKey,
  { cost, buckets }: { cost: number; buckets: readonly Bucket[] },
): Promise<Verdict | null> {
  if (!key.credits && buckets.length === 0) return unspent('VALID', key);
  const spent = await spend(ctx, key, { cost, buckets });
  if (!spent) return null;
  const { outcome, lease, states, retryAfterMs } = spent;
  const refillAt = key.credits && refillsAt(key.credits, ctx.now);
  const willSuffice = refillAt !== null && cost <= (key.credits?.refill?.amount ?? 0);
  const waitMs = outcome === 'exhausted' && willSuffice ? refillAt.getTime() - ctx.now.getTime() : retryAfterMs;
  return {
    code: outcome === 'limited' ? 'RATE_LIMITED' : outcome === 'exhausted' ? 'USAGE_EXCEEDED' : 'VALID',
    key,
    remaining: lease && lease.credits + lease.rest,
    retryAfter: waitMs > 0 ? Math.ceil(waitMs / 1000) : null,
    limits: states.map(({ bucket: { name }, remaining, resetMs }) => ({
      name,
      remaining,
      resetAt: iso(new Date(ctx.now.getTime() + resetMs)),
    })),
  };
}

function present({ now }: OrganizationContext, { code, key, remaining, retryAfter, limits }: Verdict): VerifiedKey {
  return {
    valid: code === 'VALID',
    code,
    keyId: key?.publicId ?? null,
    organizationId: key?.publicOrganizationId ?? null,
    externalId: key?.externalId ?? null,
    permissions: key?.permissions ?? null,
    remaining,
    resetAt: key?.credits ? isoOrNull(refillsAt(key.credits, now)) : null,
    retryAfter,
    rateLimits: limits,
    metadata: key?.metadata ?? null,
  };
}
