import { createLogger } from '@rentapi/platform/logger';
import { openRedis, type Redis } from '@rentapi/platform/redis';
import { redisIsMissing, startTestRedis, startTestRedisCluster } from '@rentapi/testing/redis';
import { until } from './until.ts';

/** Every store that the platform's drivers support: each suite runs against all of them. */
export const DRIVERS = [
  { driver: 'memory', start: null },
  { driver: 'redis', start: startTestRedis },
  { driver: 'redis cluster', start: startTestRedisCluster },
] as const;

export const withoutRedis = redisIsMissing();

export const silent = createLogger({ level: 'silent' });

/** A connection as a process has one, once it is up. */
export async function connect(url: string): Promise<Redis> {
  const redis = openRedis(url, silent);
  await until(() => redis.available, 'Redis to answer');
  return redis;
}
