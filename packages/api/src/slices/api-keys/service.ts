import type { Context, OrganizationContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { ifMatch, presentWithEtag } from '../../contract/etag.ts';
import { newestFirst, type QueriedRows } from '../../contract/pagination.ts';
import { expandScope, type OrganizationPermission, SCOPES } from '../../contract/permissions.ts';
import { assertRoom } from '../../data/assert-room.ts';
import { change } from '../../data/base-model.ts';
import type { Tenancy } from '../../data/tenant-model.ts';
import { transaction } from '../../data/transaction.ts';
import { record } from '../../events/record.ts';
import { lockAuthority } from '../members/service/authority.ts';
import { creditsLeft, storeCredits } from './credits.ts';
import { ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated, ApiKeyUpdated } from './events.ts';
import { findUsedKey, lastUse, NEVER_USED, type UsedKey, usedKeys } from './last-used.ts';
import { ApiKeyModel, type KeyCredits, type KeyLimits, OldSecretModel } from './model.ts';
import type {
  ApiKey,
  CreateApiKey,
  CreatedApiKey,
  ListApiKeys,
  RotateApiKey,
  ScopeCatalogue,
  UpdateApiKey,
} from './schemas.ts';
import { permissionsOf } from './scopes.ts';
import { displayPrefix, hashSecret, newSecret } from './secret.ts';
import type { CreditsInput, NamedLimit } from './verify-schemas.ts';

export const MAX_KEYS = 1000;
export const MAX_OLD_SECRETS = 10;
const COUNT_LIVE = {
  name: 'count_live_keys',
  text: 'select count(*)::integer from api_keys where organization_id = $1 and revoked_at is null',
};

export async function listApiKeys(
  ctx: OrganizationContext,
  input: ListApiKeys,
): Promise<{ items: ApiKey[]; nextCursor: string | null }> {
  const list = { name: 'api_keys', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, keysOf(ctx, input));
  const left = await creditsLeft(ctx, rows);
  return { items: rows.map((key) => itemOf(ctx, key, left.get(key.id) ?? null)), nextCursor };
}

/** Completes what was presented for this page alone: a copy of each item costs as much as a fifth of presenting it. */
function itemOf(ctx: OrganizationContext, key: UsedKey, credits: ApiKey['credits']): ApiKey {
  const item = key.present(ctx.ids) as ApiKey; // the last use, which it lacks, follows
  const { lastUsedAt, lastUsedIp } = lastUse(ctx, key);
  item.credits = credits;
  item.lastUsedAt = lastUsedAt;
  item.lastUsedIp = lastUsedIp;
  return item;
}

function keysOf(ctx: OrganizationContext, { externalId }: ListApiKeys): QueriedRows<UsedKey> {
  const keys = usedKeys(ctx);
  if (externalId !== undefined) keys.where('externalId', '=', externalId);
  return keys;
}

/** With the credits that are left and the last use, which no column of the key says. */
async function answer(ctx: OrganizationContext, key: ApiKeyModel, used: UsedKey): Promise<ApiKey> {
  const left = await creditsLeft(ctx, [key]);
  return { ...presentWithEtag(ctx, key), credits: left.get(key.id) ?? null, ...lastUse(ctx, used) };
}

/** Under the authority lock, a member who was removed concurrently gets no key, and concurrent keys are all counted. */
export async function createApiKey(ctx: OrganizationContext, input: CreateApiKey): Promise<CreatedApiKey> {
  const expiresAt = futureExpiry(ctx, input);
  const environment = input.environment ?? 'live';
  const secret = newSecret(ctx.ports.env.API_KEY_PREFIX, environment);
  return transaction(ctx, async (ctx) => {
    const { permissions, count } = await lockAuthority(ctx, 'api_keys:create', { counting: COUNT_LIVE });
    assertGrantable(permissions, input.scopes);
    assertRoom(count, MAX_KEYS, `An organization holds at most ${MAX_KEYS} live keys: revoke one first.`);
    const key = await ApiKeyModel.add(ctx, {
      name: input.name,
      description: input.description ?? null,
      secretHash: hashSecret(secret),
      prefix: displayPrefix(secret),
      last4: secret.slice(-4),
      environment,
      scopes: input.scopes,
      ipAllowList: input.ipAllowList ?? [],
      allowedOrigins: input.allowedOrigins ?? [],
      rateLimitPerMinute: input.rateLimitPerMinute ?? null,
      rateLimitPerHour: input.rateLimitPerHour ?? null,
      rateLimitPerDay: input.rateLimitPerDay ?? null,
      externalId: input.externalId ?? null,
      permissions: input.permissions ?? [],
      credits: newCredits(ctx, input.credits, 1) ?? null,
      rateLimits: limitsByName(input.rateLimits) ?? {},
      metadata: input.metadata ?? {},
      createdBy: ctx.actor.kind === 'user' ? ctx.actor.user.id : null,
      expiresAt: expiresAt ?? null,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    });
    if (key.credits) await storeCredits(ctx, key);
    await record(ctx, ApiKeyCreated, { target: key, after: key, data: key.present(ctx.ids) });
    return { ...presentWithEtag(ctx, key), ...NEVER_USED, secret };
  });
}

export async function getApiKey(ctx: OrganizationContext, keyId: string): Promise<ApiKey> {
  const key = await findKey(ctx, keyId);
  return answer(ctx, key, key);
}

/** The caller must hold what is added; removing needs nothing more. */
export async function updateApiKey(ctx: OrganizationContext, input: UpdateApiKey): Promise<ApiKey> {
  const { keyId, credits, rateLimits, ...fields } = input;
  const expiresAt = futureExpiry(ctx, input);
  return transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'api_keys:update');
    const before = await findKey(ctx, keyId);
    ifMatch(ctx, before);
    if (before.revokedAt) throw new ApiError('api_key_is_revoked');
    assertGrantable(permissions, input.scopes ?? [], permissionsOf(before.scopes));
    const after = await change(ctx, before, {
      ...fields,
      expiresAt,
      credits: newCredits(ctx, credits, before.version + 1),
      rateLimits: limitsByName(rateLimits),
    });
    if (after !== before) {
      if (credits !== undefined) await storeCredits(ctx, after);
      await record(ctx, ApiKeyUpdated, { target: after, before, after, data: after.present(ctx.ids) });
    }
    return answer(ctx, after, before);
  });
}

/**
 * The caller sees the new secret, and so must hold all that it grants. An earlier secret in its grace period keeps it:
 * a rotation whose answer was lost can be repeated, and no program that still has the first secret is refused.
 */
export async function rotateApiKey(ctx: OrganizationContext, input: RotateApiKey): Promise<CreatedApiKey> {
  return transaction(ctx, async (ctx) => {
    const { permissions } = await lockAuthority(ctx, 'api_keys:rotate');
    const before = await findKey(ctx, input.keyId);
    ifMatch(ctx, before);
    if (before.revokedAt) throw new ApiError('api_key_is_revoked');
    assertGrantable(permissions, before.scopes);
    const earlier = await OldSecretModel.of(ctx)
      .where({ apiKeyId: before.id })
      .where('expiresAt', '>', ctx.now)
      .resultSize();
    assertRoom(earlier, MAX_OLD_SECRETS, `A key has at most ${MAX_OLD_SECRETS} earlier secrets in their grace period.`);
    await OldSecretModel.add(ctx, {
      apiKeyId: before.id,
      secretHash: before.secretHash,
      expiresAt: new Date(ctx.now.getTime() + (input.gracePeriodSeconds ?? 0) * 1000),
      createdAt: ctx.now,
    });
    const secret = newSecret(ctx.ports.env.API_KEY_PREFIX, before.environment);
    const after = await change(ctx, before, {
      secretHash: hashSecret(secret),
      prefix: displayPrefix(secret),
      last4: secret.slice(-4),
    });
    await record(ctx, ApiKeyRotated, { target: after, before, after, data: after.present(ctx.ids) });
    return { ...(await answer(ctx, after, before)), secret };
  });
}

export function listScopes(): ScopeCatalogue {
  return { items: SCOPES.map((scope) => ({ scope, permissions: expandScope(scope) })), nextCursor: null };
}

/**
 * The row stays for the audit log and for usage. The authority lock makes sure that nothing the secret grants is
 * committed afterwards. Repeating it changes nothing.
 */
export async function revokeApiKey(ctx: OrganizationContext, keyId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'api_keys:delete');
    const before = await findKey(ctx, keyId);
    ifMatch(ctx, before);
    if (before.revokedAt) return;
    const after = await change(ctx, before, { revokedAt: ctx.now });
    await record(ctx, ApiKeyRevoked, { target: after, before, after, data: after.present(ctx.ids) });
  });
}

/**
 * Revokes keys that a stranger may have made under a user's name, in any organization. Locked in order of their ids.
 */
export async function revokeKeysOfCreator(ctx: Context, userId: number, since: Date): Promise<void> {
  const keys = await ApiKeyModel.acrossOrganizations(ctx.db)
    .where({ createdBy: userId })
    .where('createdAt', '>=', since)
    .whereNull('revokedAt')
    .orderBy('id')
    .forUpdate();
  await revokeAll(ctx, keys);
}

/** Revokes every key of an organization, so that their programs stop with the account that owns it. */
export async function revokeKeysOf(ctx: Context & Tenancy): Promise<void> {
  const keys = await ApiKeyModel.of(ctx).whereNull('revokedAt').orderBy('id').forUpdate();
  await revokeAll(ctx, keys);
}

async function revokeAll(ctx: Context, keys: readonly ApiKeyModel[]): Promise<void> {
  for (const before of keys) {
    const after = await change(ctx, before, { revokedAt: ctx.now });
    const { organizationId } = after;
    await record(ctx, ApiKeyRevoked, { target: after, before, after, data: after.present(ctx.ids), organizationId });
  }
}

/** Undefined where they are not given. Setting them counts from now, whatever was left. */
function newCredits(
  { now }: Context,
  given: CreditsInput | null | undefined,
  generation: number,
): KeyCredits | null | undefined {
  return given && { remaining: given.remaining, refill: given.refill ?? null, generation, setAt: now.toISOString() };
}

function limitsByName(limits: readonly NamedLimit[] | undefined): KeyLimits | undefined {
  return limits && Object.fromEntries(limits.map(({ name, ...limit }) => [name, limit]));
}

/** Undefined where it is not given. */
function futureExpiry(
  { now }: Context,
  { expiresAt }: { expiresAt?: string | null | undefined },
): Date | null | undefined {
  if (expiresAt === undefined || expiresAt === null) return expiresAt;
  const at = new Date(expiresAt);
  if (at <= now) {
    throw new ApiError('invalid_input', { errors: [{ path: 'expiresAt', message: 'must be in the future' }] });
  }
  return at;
}

async function findKey(ctx: OrganizationContext, keyId: string): Promise<UsedKey> {
  const key = await findUsedKey(ctx, ctx.ids.decode('key', keyId));
  if (!key) throw new ApiError('not_found');
  return key;
}

/** A key must never hold more than its creator: otherwise `api_keys:create` would be every permission. */
function assertGrantable(
  permissions: ReadonlySet<OrganizationPermission>,
  scopes: readonly string[],
  alreadyHeld: ReadonlySet<OrganizationPermission> = new Set(),
): void {
  for (const permission of permissionsOf(scopes)) {
    if (!permissions.has(permission) && !alreadyHeld.has(permission)) {
      throw new ApiError('scope_not_held', {
        detail: `You do not hold \`${permission}\` here: request only scopes whose permissions you have.`,
      });
    }
  }
}
