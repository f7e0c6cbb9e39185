import { setTimeout as sleep } from 'node:timers/promises';
import { probeServer } from '@rentapi/platform/database';
import type { Context } from '../../context.ts';
import { iso } from '../../contract/common-schemas.ts';
import { ApiError } from '../../contract/errors.ts';
import { bringsToken } from '../../wire/bearer-token.ts';
import type { CacheHealth, DatabaseHealth, Health, Probe } from './schemas.ts';

/** A probe does not wait longer for its answer. */
const PROBE_TIMEOUT_MS = 2000;
const RETRY_AFTER_S = 2;

export async function health(ctx: Context): Promise<Health> {
  const [database, cache] = await Promise.all([probeDatabase(ctx), probeCache(ctx)]);
  if (database.status === 'down') throw databaseDown();
  const details = isForOperator(ctx);
  return {
    status: cache.status === 'ok' ? 'ok' : 'degraded',
    version: details ? ctx.ports.process.version : null,
    environment: details ? ctx.ports.env.NODE_ENV : null,
    timestamp: iso(ctx.now),
    database,
    cache,
  };
}

export async function healthDatabase(ctx: Context): Promise<DatabaseHealth> {
  const database = await probeDatabase(ctx);
  if (database.status === 'down') throw databaseDown();
  return database;
}

export async function healthCache(ctx: Context): Promise<CacheHealth> {
  return probeCache(ctx);
}

/** Whether this process may receive requests. */
export async function readiness(ctx: Context): Promise<Probe> {
  if (ctx.ports.process.draining)
    throw new ApiError('unavailable', { detail: 'This process is stopping.', retryAfterS: RETRY_AFTER_S });
  if ((await probeDatabase(ctx)).status === 'down') throw databaseDown();
  // A Redis that was reached once may be away; one that never answered probably has a wrong address.
  if (ctx.ports.redis?.reached === false)
    throw new ApiError('unavailable', { detail: 'Redis has not answered yet.', retryAfterS: RETRY_AFTER_S });
  return { status: 'ok' };
}

/** A server that accepts no writes counts as down: requests need the primary. */
async function probeDatabase(ctx: Context): Promise<DatabaseHealth> {
  const answer = await timed(() => probeServer(ctx.db));
  return {
    status: answer.value && !answer.value.readOnly ? 'ok' : 'down',
    latencyMs: answer.latencyMs,
    serverVersion: (isForOperator(ctx) && answer.value?.version) || null,
  };
}

function isForOperator({ request, ports }: Context): boolean {
  const token = ports.env.METRICS_TOKEN;
  return request.isLocal?.() === true || (token !== undefined && bringsToken(request.authorization, token));
}

export async function probeCache(ctx: Context): Promise<CacheHealth> {
  const { redis } = ctx.ports;
  const answer = await timed(async () => (redis ? (await redis.probe()) || undefined : true));
  return {
    status: answer.value ? 'ok' : 'down',
    latencyMs: answer.latencyMs,
    driver: redis ? 'redis' : 'memory',
  };
}

async function timed<T>(probe: () => PromiseLike<T>): Promise<{ value: T | undefined; latencyMs: number | null }> {
  const began = performance.now();
  const value = await Promise.race([
    Promise.resolve(probe()).catch(() => undefined),
    sleep(PROBE_TIMEOUT_MS, undefined, { ref: false }),
  ]);
  const took = Math.round((performance.now() - began) * 100) / 100;
  return { value, latencyMs: value === undefined ? null : took };
}

function databaseDown(): ApiError {
  return new ApiError('unavailable', {
    detail: 'The database does not answer, or accepts no writes.',
    retryAfterS: RETRY_AFTER_S,
  });
}
