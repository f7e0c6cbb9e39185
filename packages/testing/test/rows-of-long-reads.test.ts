import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { execute, type Knex, type Statement } from '@rentapi/platform/database';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openDatabase } from '../src/database.ts';
import { cloneDatabase } from '../src/postgres.ts';

let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let database: Knex;

beforeAll(async () => {
  clone = await cloneDatabase(inject('postgres'));
  database = openDatabase(clone.ownerUrl);
});
afterAll(async () => {
  await database.destroy();
  await clone.drop();
});

const ROWS: Statement = {
  text: "select number as id, 'name ' || number as name, number::text as text from generate_series(1, $1::integer) number",
};
const AT_ONCE = 1000;
const READS = 60;

setFlagsFromString('--expose-gc');
/** Collects the young generation, as V8 does by itself whenever it is full. */
const collectYoung: (options: { type: 'minor' }) => void = runInNewContext('gc');

const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;

it('leaves rows that were read and are not needed any more in the young generation', async () => {
  const readOften = async (times: number): Promise<void> => {
    for (let at = 0; at < times; at++) {
      await execute(database, ROWS, [AT_ONCE]);
      collectYoung({ type: 'minor' });
    }
  };
  await readOften(5);
  const before = oldBytes();
  await readOften(READS);
  // Less than 40 bytes a row; a row takes more than a hundred.
  expect(oldBytes() - before).toBeLessThan(READS * AT_ONCE * 40);
});
