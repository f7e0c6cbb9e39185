import path from 'node:path';
import { type FlakyProxy, startFlakyProxy } from '@rentapi/testing/flaky-proxy';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { redisIsMissing, startTestRedis, type TestRedis } from '@rentapi/testing/redis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { killAll, type RunningProcess, rentapi, SECRETS, temporaryDirectory, until } from './processes.ts';

const TOKEN = 'metrics-token-of-the-tests-0123456789';
const home = temporaryDirectory();

it('refuses queues that do not exist, and names those that do', async () => {
  const refused = async (...options: string[]) => {
    const process = rentapi(['worker', ...options], { NODE_ENV: 'test', DATA_DIR: path.join(home.dir, 'none') });
    return { code: await process.ended, said: process.said() };
  };
  for (const [option, named] of [
    ['--queues=emails,mails', '"mails"'],
    ['--queues=', '""'],
  ] as const) {
    const { code, said } = await refused(option);
    expect(code).toBe(2);
    expect(said).toContain(
      `There is no queue ${named}: there are webhooks, emails, analytics, subscriptions, maintenance.`,
    );
  }
  expect(await refused('--queue=emails')).toMatchObject({
    code: 2,
    said: expect.stringContaining('Usage: rentapi worker [--queues='),
  });
});

describe.skipIf(redisIsMissing())('a worker with WORKER_PORT', () => {
  let redis: TestRedis;
  let database: Awaited<ReturnType<typeof cloneDatabase>>;
  let network: FlakyProxy;
  let operator: pg.Client;
  let worker: RunningProcess;
  let url: string;

  beforeAll(async () => {
    redis = await startTestRedis();
    database = await cloneDatabase(inject('postgres'));
    network = await startFlakyProxy(database.url);
    operator = new pg.Client(database.ownerUrl);
    await operator.connect();
    worker = rentapi(['worker'], {
      NODE_ENV: 'test',
      DATABASE_URL: network.url,
      REDIS_URL: redis.url,
      DATA_DIR: path.join(home.dir, 'data'),
      WORKER_PORT: '0',
      METRICS_TOKEN: TOKEN,
      ...SECRETS,
    });
    url = await until(worker, /answered on (http:\S+)\/health/);
  });
  afterAll(async () => {
    killAll();
    await operator?.end();
    await network?.close();
    await database?.drop();
    await redis?.stop();
    home.remove();
  });

  const status = async (at: string, headers: Record<string, string> = {}) =>
    (await fetch(url + at, { headers })).status;
  const metric = async (name: string) => {
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).text();
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  };
  const enqueue = (name: string) =>
    operator.query('insert into agenda_jobs (name, next_run_at, data) values ($1, now(), $2)', [
      name,
      { tick: new Date().toISOString() },
    ]);

  it('answers health checks, and serves no clients', async () => {
    expect(await status('/health/liveness')).toBe(200);
    expect(await status('/health/readiness')).toBe(200);
    expect(await status('/api/v1/users/me')).toBe(404);
    expect(await status('/trpc/users.me.get')).toBe(404);
    expect(await status('/docs')).toBe(404);
  });

  it('gives its metrics, including those of its jobs, to requests with the token', async () => {
    expect(await status('/metrics')).toBe(401);
    await enqueue('system.purge_idempotency_keys');
    const ran = 'rentapi_jobs_total{job="system.purge_idempotency_keys",outcome="succeeded"}';
    await expect.poll(() => metric(ran)).toBeGreaterThanOrEqual(1);
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'database_pool_pending', 'rentapi_jobs_dead'])
      expect([name, await metric(name)]).toEqual([name, expect.any(Number)]);
  });

  it('is alive and not ready without its database', async () => {
    network.cut();
    await expect.poll(() => status('/health/readiness')).toBe(503);
    expect(await status('/health/liveness')).toBe(200);
    network.heal();
    await expect.poll(() => status('/health/readiness')).toBe(200);
  });

  it('reports that it is stopping while a job ends, and then ends with 0', async () => {
    const lock = new pg.Client(database.ownerUrl);
    await lock.connect();
    await lock.query('begin; lock table idempotency_keys in access exclusive mode');
    await enqueue('system.purge_idempotency_keys');
    await expect
      .poll(
        async () =>
          (await operator.query("select 1 from pg_locks where not granted and relation = 'idempotency_keys'::regclass"))
            .rows.length,
      )
      .toBe(1);
    worker.child.kill('SIGTERM');
    await expect.poll(() => status('/health/readiness')).toBe(503);
    expect(await status('/health/liveness')).toBe(200);
    await lock.query('rollback');
    await lock.end();
    expect(await worker.ended).toBe(0);
  });
});
