import { startTestRedis, type TestRedis } from '@rentapi/testing/redis';
import { eventually, startApp, type TestApp } from './app.ts';

export interface AppsOnRedis {
  redis: TestRedis;
  apps: readonly [TestApp, TestApp, ...TestApp[]];
  close(): Promise<void>;
}

/** Two processes, or more, on one database and one Redis, which all of them have reached. */
export async function startAppsOnRedis(count = 2): Promise<AppsOnRedis> {
  const redis = await startTestRedis();
  const settings = { REDIS_URL: redis.url };
  const first = await startApp(settings);
  const start = () => startApp(settings, first);
  const apps: AppsOnRedis['apps'] = [
    first,
    await start(),
    ...(await Promise.all(Array.from({ length: count - 2 }, start))),
  ];
  await untilReached(apps);
  return {
    redis,
    apps,
    async close() {
      for (const app of apps.toReversed()) await app.close();
      await redis.stop();
    },
  };
}

export async function untilReached(apps: AppsOnRedis['apps']): Promise<void> {
  for (const app of apps) await eventually(() => app.ports.redis?.available || undefined, 'Redis');
}
