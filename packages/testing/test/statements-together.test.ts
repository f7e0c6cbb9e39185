import { Socket } from 'node:net';
import { execute, executeRows, executeTogether, type Knex, sendTogether } from '@rentapi/platform/database';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { cloneDatabase } from '../src/postgres.ts';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Knex;

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
  database = openDatabase(clone.ownerUrl, { poolMax: 5 });
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

/** What the work writes to sockets: one text for each write. */
async function writesOf(work: () => Promise<unknown>): Promise<string[]> {
  const one = vi.spyOn(Socket.prototype, '_write');
  const many = vi.spyOn(Socket.prototype, '_writev' as '_write');
  try {
    await work();
    // Node puts the buffers themselves in their place.
    const chunks = many.mock.calls.map(([all]) => (all as Buffer[]).map(String).join());
    return [...one.mock.calls.map(([chunk]) => String(chunk)), ...chunks];
  } finally {
    one.mockRestore();
    many.mockRestore();
  }
}

it.each([
  ['BEGIN with the first', ['BEGIN', SUM.text], (db: Knex) => execute(db, SUM, [])],
  [
    'those of one turn',
    [SUM.text, 'lock_counter'],
    (db: Knex) => Promise.all([execute(db, SUM, []), execute(db, LOCK, ['a'])]),
  ],
  ['COMMIT with one that is not waited for', [SUM.text, 'COMMIT'], (db: Knex) => sendTogether(db, [[SUM, []]])],
] as const)('leave in one write: %s', async (_, expected, work) => {
  const writes = await writesOf(() => database.transaction(async (db) => void (await work(db))));
  expect(writes.filter((text) => expected.every((part) => text.includes(part)))).toHaveLength(1);
});

it('run in the order in which they are asked for', async () => {
  const note = (name: string) => ({ text: `insert into counters (name, value) values ('${name}', 0)` });
  await database.transaction((db) =>
    Promise.all([
      execute(db, note('first'), []),
      sendTogether(db, [[note('second'), []]]),
      executeRows(db, note('third'), []),
      executeTogether(db, [[note('fourth'), []]]),
    ]),
  );
  expect(await database('counters').where({ value: 0 }).orderByRaw('ctid').pluck('name')).toEqual([
    'first',
    'second',
    'third',
    'fourth',
  ]);
  await database('counters').where({ value: 0 }).delete();
});

it('are refused after the end of their transaction, where another one may have its connection', async () => {
  const ended = Promise.withResolvers<void>();
  const late = Promise.withResolvers<unknown>();
  const failing = database.transaction((db) => {
    const goOn = async () => {
      await ended.promise;
      return execute(db, ADD, ['late', 1]);
    };
    goOn().then(late.resolve, late.resolve);
    return Promise.reject(new Error('another part of it failed'));
  });
  await expect(failing).rejects.toThrow('another part');
  ended.resolve();
  expect(await late.promise).toMatchObject({ message: 'the transaction has ended' });
  expect(await database('counters').where({ name: 'late' })).toEqual([]);
});
