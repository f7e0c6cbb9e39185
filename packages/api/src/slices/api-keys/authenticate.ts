import { execute, type Statement } from '@rentapi/platform/database';
import { createAddressMatcher } from '@rentapi/platform/ip';
import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import type { PlanCode, PlanTerms } from '../../contract/plans.ts';
import type { InvalidationKey } from '../../data/model-facts.ts';
import type { KeyActor } from '../../pipeline/actor.ts';
import { type ActorQuery, loadCached } from '../../pipeline/actor-cache.ts';
import type { Authenticated, Authenticators, Resume } from '../../pipeline/credential.ts';
import { type LimitOverride, type PlanEndColumns, planEndOf, plansIn } from '../../pipeline/entitlements.ts';
import { noteCaller } from '../../pipeline/observe.ts';
import { assertHeader, requestedOrganization } from '../../pipeline/tenancy.ts';
import { USER_COLUMNS, UserModel } from '../users/model.ts';
import type { ApiKeyModel } from './model.ts';
import { permissionsOf } from './scopes.ts';
import { hashSecret, isWellFormed } from './secret.ts';

/** No access token begins like this; keys with an earlier prefix of the deployment do. */
const OF_ANY_PREFIX = /^[a-z][a-z0-9]{1,15}_(?:live|test)_/i;

/** Whether a bearer token is meant as an API key rather than an access token, be it damaged. */
export function looksLikeKey(bearer: string, prefix: string): boolean {
  return bearer.startsWith(`${prefix}_`) || OF_ANY_PREFIX.test(bearer);
}

const KEY_COLUMNS = `
           k.id as "keyId", k.organization_id as "organizationId", k.scopes, k.ip_allow_list as "ipAllowList",
           k.allowed_origins as "allowedOrigins", k.rate_limit_per_minute as "rateLimitPerMinute",
           k.rate_limit_per_hour as "rateLimitPerHour", k.rate_limit_per_day as "rateLimitPerDay",
           k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.enabled, k.environment, k.limit_override as "limitOverride",
           o.subdomain, o.deleted_at as "deletedAt", o.plan, p.terms as "planTerms",
           o.plan_until as "planUntil", o.plan_after as "planAfter", next.terms as "planAfterTerms", o.limit_override as "organizationLimitOverride",
           o.calls_used_up_until as "callsUsedUpUntil",
           k.created_by as "createdBy", ${USER_COLUMNS}`;
const KEY_JOINS = `
    join organizations o on o.id = k.organization_id
    join plans p on p.code = o.plan
    left join plans next on next.code = o.plan_after
    left join organization_members m on m.organization_id = k.organization_id and m.user_id = k.created_by
    left join users u on u.id = m.user_id and u.status = 'ACTIVE'`;

/** The key, and its creator while still a member, in one statement. */
export const KEY_ACTOR: Statement = {
  name: 'key_actor',
  short: true,
  text: `
    /* across organizations */
    select ${KEY_COLUMNS}, null::timestamptz as "secretExpiresAt"
    from api_keys k ${KEY_JOINS}
    where k.secret_hash = $1`,
};

/** The same by an earlier secret. Without a name: a plan from when there were none would read the whole table. */
const KEY_ACTOR_BY_OLD_SECRET: Statement = {
  text: `
    /* across organizations */
    select ${KEY_COLUMNS}, s.expires_at as "secretExpiresAt"
    from api_key_old_secrets s
    join api_keys k on k.organization_id = s.organization_id and k.id = s.api_key_id ${KEY_JOINS}
    where s.secret_hash = $1`,
};

type KeyColumns = Pick<
  ApiKeyModel,
  | 'organizationId'
  | 'scopes'
  | 'ipAllowList'
  | 'allowedOrigins'
  | 'rateLimitPerMinute'
  | 'rateLimitPerHour'
  | 'rateLimitPerDay'
  | 'expiresAt'
  | 'revokedAt'
  | 'enabled'
  | 'environment'
  | 'limitOverride'
  | 'createdBy'
> &
  PlanEndColumns & {
    keyId: number;
    id: number | null;
    subdomain: string | null;
    deletedAt: Date | null;
    plan: PlanCode;
    planTerms: PlanTerms;
    organizationLimitOverride: LimitOverride | null;
    callsUsedUpUntil: Date | null;
    secretExpiresAt: Date | null;
  };

/** What each call asks of a key. Ranges are parsed and the actor is made when the row is read, and cached with it. */
interface KnownKey
  extends Pick<
    KeyColumns,
    'allowedOrigins' | 'expiresAt' | 'revokedAt' | 'enabled' | 'subdomain' | 'deletedAt' | 'secretExpiresAt'
  > {
  actor: KeyActor;
  isAllowedFrom: (address: string) => boolean;
  invalidatedBy: readonly InvalidationKey[];
}

function keyQuestion(ctx: Context, secretHash: Buffer): ActorQuery<KnownKey> {
  return {
    key: `key ${secretHash.toString('base64')}`,
    load: async () => {
      const [current] = await execute<KeyColumns>(ctx.db, KEY_ACTOR, [secretHash]);
      // In this order: a rotation in between moves the secret from the first table to the second.
      const [row] = current ? [current] : await execute<KeyColumns>(ctx.db, KEY_ACTOR_BY_OLD_SECRET, [secretHash]);
      return row && knownKey(row);
    },
    invalidatedBy: ({ invalidatedBy }) => invalidatedBy,
  };
}

function knownKey(row: KeyColumns): KnownKey {
  const {
    keyId,
    organizationId,
    scopes,
    ipAllowList,
    allowedOrigins,
    rateLimitPerMinute,
    rateLimitPerHour,
    rateLimitPerDay,
    expiresAt,
    revokedAt,
    enabled,
    environment,
    limitOverride,
    subdomain,
    deletedAt,
    plan,
    planTerms,
    planUntil,
    planAfter,
    planAfterTerms,
    organizationLimitOverride,
    callsUsedUpUntil,
    createdBy,
    secretExpiresAt,
    ...creator
  } = row;
  const actor: KeyActor = {
    kind: 'key',
    key: {
      id: keyId,
      organizationId,
      environment,
      permissions: permissionsOf(scopes),
      limits: {
        perMinute: rateLimitPerMinute,
        perHour: rateLimitPerHour,
        perDay: rateLimitPerDay,
        override: limitOverride,
      },
      terms: {
        plan,
        planTerms,
        planEnd: planEndOf({ planUntil, planAfter, planAfterTerms }),
        override: organizationLimitOverride,
        callsUsedUpUntil,
      },
    },
    creator: creator.id === null ? null : Object.freeze(UserModel.hydrate(creator)), // of many calls
  };
  return {
    actor,
    allowedOrigins,
    expiresAt,
    revokedAt,
    enabled,
    subdomain,
    deletedAt,
    secretExpiresAt,
    isAllowedFrom: ipAllowList.length > 0 ? createAddressMatcher(ipAllowList) : () => true,
    invalidatedBy: [
      `key:${keyId}`,
      `organization:${organizationId}`,
      ...plansIn({ plan, planAfter }),
      ...(createdBy === null ? [] : [`user:${createdBy}` as const]),
    ],
  };
}

/** Throws 401 for a key that is not valid, 403 for one used from the wrong place. A bad checksum costs no query. */
export const authenticateApiKey: Authenticators['apiKey'] = async (ctx, secret, path) => {
  if (!isWellFormed(secret)) throw new ApiError('invalid_api_key');
  return resumeKey(hashSecret(secret))(ctx, path, {});
};

/** Loads the key with this hash for a call that may name an organization. */
function resumeKey(hash: Buffer): Resume {
  return async (ctx, path) => {
    const authenticated = await authenticateKeyHash(ctx, hash);
    const organizationId = await path();
    // A key does not see other organizations.
    if (organizationId !== null && organizationId !== authenticated.actor.key.organizationId)
      throw new ApiError('not_found');
    return authenticated;
  };
}

/** The key with this hash, while it is valid. */
export async function authenticateKeyHash(ctx: Context, hash: Buffer): Promise<Authenticated & { actor: KeyActor }> {
  const actor = await loadKey(ctx, hash);
  const { id, organizationId } = actor.key;
  ctx.ports.keyUses.note(id, { organizationId, atMs: ctx.now.getTime(), ip: ctx.request.ip });
  return { actor, expiresAt: null, reload: (now) => loadKey(now, hash), resume: resumeKey(hash) };
}

/** The key's pages may read the answer, also why the key is refused. Cookies are for origins in the settings only. */
function allowOrigin({ request: { origin }, responseHeaders, ports }: Context, allowed: readonly string[]): void {
  if (origin === undefined || !allowed.includes(origin) || ports.env.CORS_ORIGINS.includes('*')) return;
  responseHeaders['Access-Control-Allow-Origin'] = origin;
}

/** The key with this hash. It acts in its own organization: a call that names another is refused. */
async function loadKey(ctx: Context, secretHash: Buffer): Promise<KeyActor> {
  const known = loadCached(ctx, keyQuestion(ctx, secretHash));
  const key = known instanceof Promise ? await known : known;
  if (!key) throw new ApiError('invalid_api_key');
  const { actor, allowedOrigins, expiresAt, secretExpiresAt } = key;
  const { id: keyId, organizationId, environment } = actor.key;
  noteCaller(ctx, { keyId, organizationId, environment });
  allowOrigin(ctx, allowedOrigins);
  if (key.deletedAt) throw new ApiError('api_key_revoked', { detail: 'The organization of this key was deleted.' });
  if (key.revokedAt) throw new ApiError('api_key_revoked');
  if (secretExpiresAt && secretExpiresAt <= ctx.now) throw new ApiError('api_key_rotated');
  if (!key.enabled) throw new ApiError('api_key_disabled');
  if (expiresAt && expiresAt <= ctx.now) throw new ApiError('api_key_expired');
  if (!key.isAllowedFrom(ctx.request.ip)) throw new ApiError('address_not_allowed');
  if (allowedOrigins.length > 0 && !(ctx.request.origin && allowedOrigins.includes(ctx.request.origin)))
    throw new ApiError('origin_not_allowed');
  const named = requestedOrganization(ctx, null);
  assertHeader(named, organizationId);
  if (named.subdomain !== null && named.subdomain !== key.subdomain) throw new ApiError('organization_mismatch');
  return actor;
}
