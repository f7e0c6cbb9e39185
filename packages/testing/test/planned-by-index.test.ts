import { execute, executeByIndex, type Knex } from '@rentapi/platform/database';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { cloneDatabase } from '../src/postgres.ts';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Knex;

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
  database = openDatabase(clone.ownerUrl); // all that follows is about its one connection
  await database.raw('create table work (id integer primary key) with (autovacuum_enabled = false)');
  await database.raw('vacuum work'); // from here on it is known to be empty
});
afterAll(async () => {
  await database.destroy();
  await clone.drop();
});

const FIND = { name: 'find_work', text: 'select id from work where id = $1::integer' };
const ADD = { name: 'add_work', text: 'insert into work (id) select unnest($1::integer[]) returning id' };

it('reads by an index what was empty when it was planned', async () => {
  expect(await executeByIndex(database, FIND, [1])).toEqual([]);
  await execute(database, ADD, [Array.from({ length: 5000 }, (_, at) => at)]);
  expect(await executeByIndex(database, FIND, [1])).toEqual([{ id: 1 }]);
  await database.raw('set plan_cache_mode = force_generic_plan');
  const plan = await execute<Record<string, string>>(database, { text: 'explain execute find_work (1)' }, []);
  await database.raw('reset plan_cache_mode');
  expect(plan.map((line) => line['QUERY PLAN']).join()).toContain('Index Only Scan using work_pkey');
});

it('is undone where it fails, throws its own error, and leaves the connection as it was', async () => {
  await expect(executeByIndex(database, ADD, [[6000, 6000]])).rejects.toMatchObject({ code: '23505' });
  expect(await executeByIndex(database, FIND, [6000])).toEqual([]);
  const settings = "select current_setting('enable_seqscan') as seqscan, current_setting('plan_cache_mode') as plans";
  expect(await execute(database, { text: settings }, [])).toEqual([{ seqscan: 'on', plans: 'auto' }]);
  expect(await executeByIndex(database, ADD, [[6000]])).toEqual([{ id: 6000 }]);
});
