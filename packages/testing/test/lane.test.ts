import { setTimeout as sleep } from 'node:timers/promises';
import { execute, hasLane, type Knex, type Statement } from '@rentapi/platform/database';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { type FlakyProxy, startFlakyProxy } from '../src/flaky-proxy.ts';
import { cloneDatabase } from '../src/postgres.ts';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let network: FlakyProxy;
let owner: pg.Client;
let database: Knex;

beforeEach(async () => {
  clone = await cloneDatabase(inject('postgres'));
  network = await startFlakyProxy(clone.url);
  owner = new pg.Client(clone.ownerUrl);
  owner.on('error', () => {});
  await owner.connect();
  database = open(network.url);
  await opened();
});
afterEach(async () => {
  network.heal();
  await database.destroy();
  await network.close();
  await owner.end();
  await clone.drop();
});

function open(url: string, statementTimeoutMs = 5000): Knex {
  return openDatabase(url, { poolMax: 10, acquireTimeoutMs: 5000, statementTimeoutMs });
}

/** The answer to each number, and the connection that it came over. */
const ECHO: Statement = {
  name: 'echo',
  short: true,
  text: 'select $1::int as n, pg_backend_pid() as pid, now() as at',
};
const TEXT: Statement = {
  name: 'text',
  short: true,
  text: 'select $1::text as "of", $2::bytea as bytes, null as nothing',
};
const SLEEP: Statement = { name: 'sleep', short: true, text: 'select 1 from pg_sleep($1::float8)' };
/** Ends when the owner's connection gives the lock free: not before. */
const WAIT: Statement = { name: 'wait', short: true, text: 'select 1 from pg_advisory_xact_lock_shared(1)' };
const NUMBER: Statement = { name: 'number', short: true, text: 'select $1::text::int as n' };

interface Echo {
  n: number;
  pid: number;
  at: Date;
}
const echo = async (n = 1) => (await execute<Echo>(database, ECHO, [n]))[0]!;
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
const pidsOf = (echoes: Echo[]) => [...new Set(echoes.map(({ pid }) => pid))];
/** All at once: the lane answers them over one connection, the pool over several. */
const burst = (count = 8) => Promise.all(numbers(count).map(echo));
const isPipelined = async () => pidsOf(await burst()).length === 1;

async function opened(): Promise<void> {
  await expect.poll(async () => (await echo()).n === 1 && hasLane(database), { timeout: 20_000 }).toBe(true);
}

it('carries the short statements of many calls over one connection, and gives each its own answer', async () => {
  const answers = await burst(500);
  expect(answers.map(({ n }) => n)).toEqual(numbers(500));
  expect(pidsOf(answers)).toHaveLength(1);
  expect(answers[0]!.at).toBeInstanceOf(Date);
});

it('gives text, bytes and null as they were sent, whatever the order of different statements', async () => {
  const all = await Promise.all(
    numbers(100).map(async (n) => {
      const text = `é ${n} 'quoted' \u{1F600}`;
      const [row] = await execute(database, TEXT, [text, Buffer.from([n, 0, 255])]);
      return [row, { of: text, bytes: Buffer.from([n, 0, 255]), nothing: null }, (await echo(n)).n === n];
    }),
  );
  for (const [row, expected, matched] of all) expect([row, matched]).toEqual([expected, true]);
});

it('leaves transactions, and statements that are not short, to the pool', async () => {
  const { pid } = await echo();
  await database.transaction(async (trx) => {
    const [inside] = await execute<Echo>(trx, ECHO, [1]);
    const { rows } = await trx.raw<{ rows: { pid: number }[] }>('select pg_backend_pid() as pid');
    expect(inside!.pid).toBe(rows[0]!.pid);
    expect(inside!.pid).not.toBe(pid);
  });
  const [plain] = await execute<Echo>(database, { ...ECHO, name: 'plain', short: false }, [1]);
  expect(plain!.pid).not.toBe(pid);
});

it('reports the error of a statement as the pool does, and answers its neighbours', async () => {
  const settled = await Promise.allSettled([
    ...numbers(5).map(echo),
    execute(database, NUMBER, ['seven']),
    ...numbers(5).map(echo),
  ]);
  expect(settled.map(({ status }) => status)).toEqual([
    ...Array(5).fill('fulfilled'),
    'rejected',
    ...Array(5).fill('fulfilled'),
  ]);
  expect(settled[5]).toMatchObject({ reason: { code: '22P02', message: expect.stringContaining('seven') } });
  await opened();
});

it('lets no bigint pass that a number cannot hold', async () => {
  const big: Statement = { name: 'big', short: true, text: 'select 9007199254740993 as n' };
  await expect(execute(database, big, [])).rejects.toThrow(/does not fit/);
});

it('answers what was on its way when the connection is lost, from the pool', async () => {
  const { pid } = await echo();
  await owner.query('select pg_advisory_lock(1)');
  const slow = Promise.all([execute(database, WAIT, []), ...numbers(20).map(echo)]);
  await expect
    .poll(
      async () =>
        (await owner.query(`select 1 from pg_stat_activity where pid = ${pid} and state = 'active'`)).rowCount,
    )
    .toBe(1);
  await owner.query(`select pg_terminate_backend(${pid})`);
  await owner.query('select pg_advisory_unlock(1)');
  const [, ...echoes] = await slow;
  expect(echoes.map(({ n }) => n)).toEqual(numbers(20));
  expect(hasLane(database)).toBe(false);
  await opened();
});

it('does not hold up others behind a slow statement until it ends', async () => {
  await database.destroy();
  database = open(network.url, 60_000);
  await opened();
  await owner.query('select pg_advisory_lock(1)');
  const slow = execute(database, WAIT, []);
  expect(await burst(20)).toHaveLength(20);
  await owner.query('select pg_advisory_unlock(1)');
  expect(await slow).toHaveLength(1);
});

it('keeps the limit of a statement, and its error', async () => {
  await database.destroy();
  database = open(network.url, 300);
  await opened();
  await expect(execute(database, SLEEP, [20])).rejects.toMatchObject({ code: '57014' });
});

it('leaves a connection that is silent without closing', async () => {
  await database.destroy();
  database = open(network.url, 200);
  await opened();
  network.silence();
  const answers = await Promise.all(numbers(20).map((n) => echo(n).catch(() => null)));
  expect(answers).toHaveLength(20);
  await opened();
});

it('leaves a connection that was found to accept no writes, as the pool does', async () => {
  const name = new URL(clone.url).pathname.slice(1);
  await owner.query(`alter database ${name} set default_transaction_read_only = on`);
  await database.destroy();
  database = open(network.url);
  await opened();
  const before = await echo();
  await owner.query(`alter database ${name} reset default_transaction_read_only`);
  await sleep(1100); // younger connections may lead to the new primary
  await expect(database.raw('create temporary table written (n int)')).rejects.toThrow(/read-only/);
  await opened();
  expect((await echo()).pid).not.toBe(before.pid);
});

it('ends with its pool, once what is on its way is answered', async () => {
  const slow = execute(database, SLEEP, [0.2]);
  await sleep(50);
  await database.destroy();
  expect(await slow).toHaveLength(1);
  const open = () => owner.query("select 1 from pg_stat_activity where application_name = 'test'");
  await expect.poll(async () => (await open()).rowCount).toBe(0);
  expect(await isPipelined().catch(() => 'closed')).toBe('closed');
});
