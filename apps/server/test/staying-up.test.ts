import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '@rentapi/platform/embedded-postgres';
import { freePort } from '@rentapi/testing/free-port';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { redisIsMissing, startTestRedis, type TestRedis } from '@rentapi/testing/redis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import WebSocket from 'ws';
import { killAll, rentapi, run, SECRETS, type Server, startServer, temporaryDirectory, until } from './processes.ts';
import { startProxy } from './proxy.ts';

const home = temporaryDirectory();
const PASSWORD = 'correct horse battery staple';
let database: Awaited<ReturnType<typeof cloneDatabase>>;
let redis: TestRedis | undefined;

beforeAll(async () => {
  database = await cloneDatabase(inject('postgres'));
  redis = redisIsMissing() ? undefined : await startTestRedis();
});
afterAll(async () => {
  killAll();
  await redis?.stop();
  await database.drop();
  home.remove();
});

const settings = (url = database.url): NodeJS.ProcessEnv => ({
  NODE_ENV: 'test',
  DATABASE_URL: url,
  DATA_DIR: path.join(home.dir, 'data'),
  REDIS_URL: redis?.url,
  ...SECRETS,
});

/** Without Redis, processes that only serve are refused, so each does everything. */
const serving = () => startServer([redis ? 'api' : 'start'], { ...settings(), SHUTDOWN_GRACE_MS: '1000' });

async function send(
  url: string,
  token: string | undefined,
  body?: unknown,
  method = body ? 'POST' : 'GET',
): Promise<Response> {
  return fetch(url, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function signUp(url: string): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  await send(`${url}/api/v1/auth/register`, undefined, { email, password: PASSWORD });
  const login = await send(`${url}/api/v1/auth/login`, undefined, { email, password: PASSWORD });
  return ((await login.json()) as { accessToken: string }).accessToken;
}

/**
 * Creates and revokes keys (an organization has a limit), several at a time, until it is stopped; returns what became
 * of each.
 */
function startLoad(url: string, token: string) {
  const created: string[] = [];
  const refused: { status: number; retryAfter: string | null }[] = [];
  const lost: string[] = [];
  let over = false;
  let sent = 0;
  const note = ({ status, headers }: Response, wanted: number): void => {
    if (status !== wanted) refused.push({ status, retryAfter: headers.get('retry-after') });
  };
  const clients = Array.from({ length: 4 }, async () => {
    while (!over) {
      const name = `key ${++sent}`;
      try {
        const answer = await send(`${url}/api/v1/api-keys`, token, { name, scopes: ['api_keys:read'] });
        const { id } = (await answer.json()) as { id: string };
        note(answer, 201);
        if (answer.status !== 201) continue;
        created.push(name);
        note(await send(`${url}/api/v1/api-keys/${id}`, token, undefined, 'DELETE'), 204);
      } catch (error) {
        lost.push(String((error as Error).cause ?? error));
      } finally {
        await sleep(5);
      }
    }
  });
  return {
    created,
    refused,
    lost,
    /** Resolves once this many more were created. */
    async creates(more: number) {
      for (const goal = created.length + more; created.length < goal; ) await sleep(5);
    },
    async stop() {
      over = true;
      await Promise.all(clients);
    },
  };
}

async function query<Row>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

describe('SIGTERM', () => {
  it('lets a slow request finish, accepts no other, closes sockets with 1001, and ends with 0', async () => {
    const server = await startServer(['start'], settings());
    const token = await signUp(server.url);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/ws/realtime?token=${token}`);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    const lock = new pg.Client(database.url);
    await lock.connect();
    await lock.query('begin; lock table api_keys in access exclusive mode');
    const slow = send(`${server.url}/api/v1/api-keys`, token);
    await expect
      .poll(() =>
        query(database.ownerUrl, "select 1 from pg_locks where relation = 'api_keys'::regclass and not granted"),
      )
      .toHaveLength(1);
    const ended = server.stop();
    await expect.poll(() => fetch(`${server.url}/health`).catch(() => 'refused')).toBe('refused');
    await lock.query('rollback');
    await lock.end();
    expect((await slow).status).toBe(200);
    expect((await closed)[0]).toBe(1001);
    expect(await ended).toBe(0);
  });

  it('does not wait for a socket whose peer has stopped reading', async () => {
    const server = await startServer(['start'], { ...settings(), SHUTDOWN_GRACE_MS: '0' });
    const peer = connect(server.port, '127.0.0.1');
    peer.write(
      'GET /api/v1/ws/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    expect(String((await once(peer, 'data'))[0])).toContain('101 Switching Protocols');
    const began = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(17_000); // after 18 s all connections are cut
    peer.destroy();
  });

  it('asks clients with open connections to close them and to connect again', async () => {
    const server = await serving();
    const connection = async () => (await fetch(`${server.url}/health`)).headers.get('connection');
    expect(await connection()).toBe('keep-alive');
    const ended = server.stop();
    await expect.poll(async () => (await fetch(`${server.url}/health/readiness`)).status).toBe(503);
    expect(await connection()).toBe('close');
    expect(await ended).toBe(0);
  });

  it('makes readiness fail before anything is refused', async () => {
    const server = await serving();
    const ended = server.stop();
    await expect.poll(async () => (await fetch(`${server.url}/health/readiness`)).status).toBe(503);
    expect((await fetch(`${server.url}/health/liveness`)).status).toBe(200);
    expect(await ended).toBe(0);
  });
});

describe('a rolling restart', () => {
  it('of two processes behind a balancer loses no request', async () => {
    const proxy = await startProxy();
    const servers: Server[] = await Promise.all([serving(), serving()]);
    await proxy.use(servers.map(({ url }) => url));
    const token = await signUp(proxy.url);
    const load = startLoad(proxy.url, token);
    for (const at of [0, 1]) {
      await load.creates(20);
      expect(await servers[at]!.stop()).toBe(0);
      servers[at] = await serving();
      await proxy.use(servers.map(({ url }) => url));
    }
    await load.creates(20);
    await load.stop();
    expect([load.refused, load.lost]).toEqual([[], []]);
    const rows = await query<{ name: string }>(database.ownerUrl, "select name from api_keys where name like 'key %'");
    expect(rows.map(({ name }) => name).sort()).toEqual([...load.created].sort());
    await Promise.all(servers.map((server) => server.stop()));
    await proxy.close();
  });
});

describe('a restart of PostgreSQL under load', () => {
  it('is answered with 503 and Retry-After, is over by itself, and loses nothing that was acknowledged', async () => {
    const options = { dataDir: path.join(home.dir, 'postgres'), settings: { port: String(await freePort()) } };
    let postgres = await startEmbeddedPostgres(options);
    const server = await startServer(['start'], { ...settings(postgres.url), REDIS_URL: undefined });
    const token = await signUp(server.url);
    const load = startLoad(server.url, token);
    await load.creates(20);
    await postgres.stop();
    await expect.poll(() => load.refused.length).toBeGreaterThan(10);
    expect((await fetch(`${server.url}/health/liveness`)).status).toBe(200);
    expect((await fetch(`${server.url}/health`)).status).toBe(503);
    postgres = await startEmbeddedPostgres(options);
    await load.creates(20);
    await load.stop();
    expect(load.lost).toEqual([]);
    expect(load.refused.filter(({ status, retryAfter }) => status !== 503 || !retryAfter)).toEqual([]);
    const rows = await query<{ name: string }>(postgres.url, 'select name from api_keys');
    const kept = new Set(rows.map(({ name }) => name));
    expect(load.created.filter((name) => !kept.has(name))).toEqual([]);
    // The work behind the events is back, too: all have a position, and their jobs are done.
    await expect
      .poll(() => query(postgres.url, 'select 1 from events where position is null union all select 1 from outbox'))
      .toEqual([]);
    expect(await server.stop()).toBe(0);
    await postgres.stop();
  });
});

describe.skipIf(redisIsMissing())('an api and a worker in two processes', () => {
  it('do together what one process does: the worker mails what the api requested', async () => {
    const api = await startServer(['api'], settings());
    const worker = rentapi(['worker', '--queues=emails'], settings());
    await until(worker, /ready for emails\.$/m);
    const email = `${crypto.randomUUID()}@example.com`;
    const { status } = await send(`${api.url}/api/v1/auth/register`, undefined, { email, password: PASSWORD });
    expect(status).toBe(201);
    const mailed = async () => (await fetch(`${api.url}/dev/mail?to=${encodeURIComponent(email)}`)).text();
    await expect.poll(mailed).toContain('Confirm your e-mail address');
    worker.child.kill('SIGTERM');
    expect([await worker.ended, await api.stop()]).toEqual([0, 0]);
  });
});

describe('a worker that is killed', () => {
  it('leaves its job to another worker once its lease has ended', async () => {
    const program = path.join(import.meta.dirname, 'slow-worker.ts');
    const start = async (mode: string) => {
      const worker = run([program, mode], { PATH: process.env['PATH'], LOG_LEVEL: 'silent', ...settings() });
      await until(worker, /ready/);
      return worker;
    };
    const victim = await start('forever');
    await query(database.url, "insert into outbox (job, data, available_at) values ('test.slow', $1, now())", [
      { n: 7 },
    ]);
    await until(victim, /began 7/);
    const successor = await start('once');
    await sleep(5000); // longer than the lease: the victim lives, so it keeps its job
    expect(successor.printed()).not.toContain('began');
    victim.child.kill('SIGKILL');
    await until(successor, /ended 7/);
    await expect.poll(() => query(database.url, "select 1 from agenda_jobs where name = 'test.slow'")).toEqual([]);
    // Operators see what has happened.
    const ended = await query<{ starts: number; log: object[] }>(
      database.url,
      "select starts, log from done_jobs where name = 'test.slow'",
    );
    expect(ended).toMatchObject([{ starts: 2, log: [{ attempt: 1, outcome: 'LOST' }] }]);
    successor.child.kill('SIGKILL');
  });
});
