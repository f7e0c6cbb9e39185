import { once } from 'node:events';
import { request } from 'node:http';
import { cloneDatabase } from '@rentapi/testing/postgres';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { killAll, SECRETS, type Server, startServer, temporaryDirectory } from './processes.ts';

const PASSWORD = 'correct horse battery staple';
const home = temporaryDirectory();
let database: Awaited<ReturnType<typeof cloneDatabase>>;
let owner: pg.Client;

beforeAll(async () => {
  database = await cloneDatabase(inject('postgres'));
  owner = new pg.Client(database.ownerUrl);
  await owner.connect();
});
afterAll(async () => {
  killAll();
  await owner.end();
  await database.drop();
  home.remove();
});

const start = (flushMs: number): Promise<Server> =>
  startServer(['start'], {
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    DATA_DIR: home.dir,
    USAGE_FLUSH_MS: String(flushMs),
    ...SECRETS,
  });

/** Calls that a stranger may make, each under an id of its own. */
async function call(server: Server, prefix: string, count: number): Promise<void> {
  const answers = Array.from({ length: count }, (_, at) =>
    fetch(`${server.url}/api/v1/api-keys`, { headers: { 'x-request-id': `${prefix}-${at}` } }),
  );
  for (const answer of await Promise.all(answers)) await answer.text();
}

async function written(prefix: string): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(
    'select request_id as id from usage_calls where request_id like $1 order by 1',
    [`${prefix}-%`],
  );
  return rows.map(({ id }) => id);
}

const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}-${at}`).sort();

it('loses no call when the process is stopped, however long calls may wait, and has the size of each', async () => {
  const server = await start(60_000);
  await call(server, 'stopped', 200);
  const body = JSON.stringify({ email: 'sizes@example.com', password: PASSWORD });
  const post = (id: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const sent = request(
        `${server.url}/api/v1/auth/login`,
        { method: 'POST', headers: { 'content-type': 'application/json', 'x-request-id': id, ...headers } },
        (answer) => {
          let bytes = 0;
          answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
          once(answer, 'end').then(() => resolve(bytes), reject);
        },
      );
      sent.on('error', reject);
      sent.write(body.slice(0, 10));
      sent.end(body.slice(10));
    });
  const announced = await post('size-announced', { 'content-length': String(body.length) });
  const chunked = await post('size-chunked', { 'transfer-encoding': 'chunked' });
  const batch = await fetch(`${server.url}/trpc/users.me.get,apiKeys.list?batch=1`, {
    headers: { 'x-request-id': 'size-batch' },
  });
  const answered = (await batch.text()).length;
  expect(await server.stop('SIGTERM')).toBe(0);
  expect(await written('stopped')).toEqual(ids('stopped', 200));
  const { rows } = await owner.query<{ id: string; bytesIn: number; bytesOut: number }>(
    `select request_id as id, bytes_in as "bytesIn", bytes_out as "bytesOut" from usage_calls
     where request_id like 'size-%' order by request_id, bytes_out desc`,
  );
  expect(rows.map(({ id, bytesIn }) => [id, bytesIn])).toEqual([
    ['size-announced', body.length],
    ['size-batch', 0],
    ['size-batch', 0],
    ['size-chunked', body.length],
  ]);
  const [first, ofBatch, rest, last] = rows.map(({ bytesOut }) => bytesOut);
  expect(first).toBeGreaterThan(announced);
  expect(last).toBeGreaterThan(chunked);
  expect(ofBatch).toBeGreaterThan(answered);
  expect(rest).toBe(0);
});

it('loses only what was not written yet when the process is killed, and has no call twice', async () => {
  const server = await start(50);
  await call(server, 'before', 100);
  await expect.poll(() => written('before'), { timeout: 30_000 }).toEqual(ids('before', 100));
  await call(server, 'lost', 100);
  await server.stop('SIGKILL');
  const next = await start(50);
  await call(next, 'after', 100);
  await next.stop('SIGTERM');
  expect(await written('before')).toEqual(ids('before', 100));
  expect(await written('after')).toEqual(ids('after', 100));
  const found = await written('lost');
  expect(ids('lost', 100)).toEqual(expect.arrayContaining(found));
  expect(new Set(found).size).toBe(found.length);
});
