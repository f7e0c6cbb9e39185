import { createMemoryProcessReports } from '@rentapi/platform/process-reports';
import { createRedisProcessReports } from '@rentapi/platform/process-reports/redis';
import { type Redis, RedisUnavailableError } from '@rentapi/platform/redis';
import { startTestRedis, startTestRedisCluster } from '@rentapi/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, withoutRedis } from './drivers.ts';
import { until } from './until.ts';

it('reports of the only process are its own, as it is now', async () => {
  const reports = createMemoryProcessReports('one');
  expect(await reports.read()).toEqual(new Map());
  let connections = 1;
  reports.begin(() => ({ connections }));
  connections = 2;
  expect(await reports.read()).toEqual(new Map([['one', { connections: 2 }]]));
});

describe.skipIf(withoutRedis).each([
  { name: 'Redis', start: startTestRedis },
  { name: 'Redis Cluster', start: startTestRedisCluster },
])('reports of several processes in $name', ({ start }) => {
  let server: { url: string; stop(): Promise<void> };
  let connections: Redis[];
  beforeAll(async () => {
    server = await start();
    connections = [await connect(server.url), await connect(server.url)];
  });
  afterAll(async () => {
    for (const each of connections) await each.close();
    await server.stop();
  });

  it('are read by each, until a process has ended', async () => {
    const [one, two] = ['one', 'two'].map((name, at) => createRedisProcessReports(connections[at]!, name));
    one!.begin(() => ({ connections: 1 }));
    two!.begin(() => ({ connections: 2 }));
    await until(async () => (await one!.read()).size === 2, 'both reports');
    expect((await one!.read()).get('two')).toEqual({ connections: 2 });
    await two!.close();
    await until(async () => (await one!.read()).size === 1, 'the end of the other');
    await one!.close();
  });

  it('are gone a while after a process was killed', async () => {
    const one = createRedisProcessReports(connections[0]!, 'a');
    const killed = createRedisProcessReports(connections[1]!, 'killed', { everyMs: 3_600_000 });
    killed.begin(() => ({}));
    await until(async () => (await one.read()).has('killed'), 'its report');
    const { client } = connections[0]!;
    expect(await client.pttl(KEY)).toBeLessThanOrEqual(15_000);
    await client.pexpire(KEY, 1); // as if the time had passed
    await until(async () => !(await one.read()).has('killed'), 'its report to end');
    await one.close();
  });

  it('are that of the process alone while Redis is away', async () => {
    const reports = createRedisProcessReports({ ...connections[0]!, run: unavailable }, 'alone');
    reports.begin(() => ({ connections: 1 }));
    expect(await reports.read()).toEqual(new Map([['alone', { connections: 1 }]]));
    await reports.close();
  });
});

const KEY = 'rentapi:processes:{all}:killed';

async function unavailable(): Promise<never> {
  throw new RedisUnavailableError('away');
}
