import { countEntries } from '@rentapi/platform/cache/redis';
import { RedisUnavailableError } from '@rentapi/platform/redis';
import type { Context, UserContext } from '../../context.ts';
import { CACHE_NAMESPACES, type CacheNamespace } from '../../contract/cache-namespaces.ts';
import { ApiError } from '../../contract/errors.ts';
import { transaction } from '../../data/transaction.ts';
import { record } from '../../events/record.ts';
import { probeCache } from '../system/service.ts';
import { assertStaff } from '../users/staff.ts';
import { CacheCleared, CacheEntryDeleted } from './events.ts';
import type { CacheKey, CacheStatus, ClearCache } from './schemas.ts';

const NAMES = Object.keys(CACHE_NAMESPACES) as CacheNamespace[];
const RETRY_AFTER_S = 2;

export async function cacheStatus(ctx: Context): Promise<CacheStatus> {
  const { redis } = ctx.ports;
  const health = await probeCache(ctx);
  const counted = redis && health.status === 'ok' ? await unlessDown(countEntries(redis, NAMES)) : null;
  return {
    ...health,
    status: redis && !counted ? 'down' : health.status,
    namespaces: NAMES.map((name) => ({
      name,
      description: CACHE_NAMESPACES[name],
      entries: counted ? (counted.entries.get(name) ?? 0) : null,
    })),
    complete: counted?.isComplete ?? true,
  };
}

/** In Redis and in the memory of every process, and nothing but the cache: limits are kept in Redis, too. */
export async function clearCache(ctx: UserContext, { namespace }: ClearCache): Promise<void> {
  const namespaces = namespace ? [namespace] : NAMES;
  await transaction(ctx, async (ctx) => {
    await assertStaff(ctx, 'system:config');
    await record(ctx, CacheCleared, { target: ctx.actor.user, data: { namespaces } });
    for (const name of namespaces) await reachable(ctx.ports.cache.namespace(name).clear({ suppressL2Errors: false }));
  });
}

/** Also where it is not known here: another process may have it in memory. */
export async function deleteEntry(ctx: UserContext, { key }: CacheKey): Promise<void> {
  const [, name, rest] = /^(\w+):(.+)$/s.exec(key) ?? [];
  const namespace = NAMES.find((known) => known === name);
  if (!namespace || !rest) throw new ApiError('unknown_cache_namespace');
  await transaction(ctx, async (ctx) => {
    await assertStaff(ctx, 'system:manage');
    await record(ctx, CacheEntryDeleted, { target: ctx.actor.user, data: { key } });
    await reachable(ctx.ports.cache.namespace(namespace).delete({ key: rest, suppressL2Errors: false }));
  });
}

async function unlessDown<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isRedisDown(error)) return null;
    throw error;
  }
}

/** The cache wraps what its tier in Redis throws. */
function isRedisDown(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return error instanceof RedisUnavailableError || cause instanceof RedisUnavailableError;
}

/** Other processes are reached through Redis: without it the entry would live on in their memory. */
async function reachable(change: Promise<unknown>): Promise<void> {
  const done = await unlessDown(change.then(() => true));
  if (!done)
    throw new ApiError('unavailable', {
      detail: 'Redis does not answer, so the other processes were not reached. Repeat the request.',
      retryAfterS: RETRY_AFTER_S,
    });
}
