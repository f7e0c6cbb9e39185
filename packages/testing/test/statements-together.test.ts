import { createDatabase, execute, executeTogether, type Knex } from '@rentapi/platform/database';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { cloneDatabase } from '../src/postgres.ts';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Knex;

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
  database = createDatabase({
    url: clone.ownerUrl,
    poolMin: 0,
    poolMax: 5,
    acquireTimeoutMs: 5000,
    statementTimeoutMs: 10_000,
    applicationName: 'test',
  });
  await database.raw('create table counters (name text primary key, value integer not null)');
  await database('counters').insert({ name: 'a', value: 1 });
});
afterAll(async () => {
  await database.destroy();
  await clone.drop();
});

const LOCK = { name: 'lock_counter', text: 'select value from counters where name = $1 for update' };
const SUM = { text: 'select sum(value)::integer as sum from counters' };
const ADD = { name: 'add_counter', text: 'insert into counters (name, value) values ($1, $2) returning name' };

it('see what was committed while an earlier one of them waited for a lock', async () => {
  const other = await database.transaction();
  await execute(other, LOCK, ['a']);
  const waiting = database.transaction((db) =>
    executeTogether<[{ value: number }, { sum: number }]>(db, [
      [LOCK, ['a']],
      [SUM, []],
    ]),
  );
  await execute(other, ADD, ['b', 10]);
  await other.commit();
  expect(await waiting).toEqual([[{ value: 1 }], [{ sum: 11 }]]);
});

it('are all undone after one that fails, and its error is the one that is thrown', async () => {
  const failing = database.transaction((db) =>
    executeTogether(db, [
      [ADD, ['c', 1]],
      [ADD, ['a', 1]],
      [ADD, ['d', 1]],
    ]),
  );
  await expect(failing).rejects.toMatchObject({ code: '23505' });
  expect(await database('counters').whereIn('name', ['c', 'd'])).toEqual([]);
  expect(await execute(database, SUM, [])).toEqual([{ sum: 11 }]); // the connection goes on
});

it('are refused outside a transaction', async () => {
  await expect(executeTogether(database, [[SUM, []]])).rejects.toThrow('transaction');
});
