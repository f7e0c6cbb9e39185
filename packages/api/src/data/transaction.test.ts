import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../test/app.ts';
import { systemContext } from '../context.ts';
import { executeAtEnd, transaction } from './transaction.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
  await app.rows.raw('create table steps (id integer generated always as identity, word text not null)');
  await app.rows.raw('grant all on steps to public');
});
afterAll(() => app.close());

const STEP = { text: 'insert into steps (word) values ($1) returning word' };
const context = () => systemContext(app.ports, 'test');
const words = () => app.rows('steps').orderBy('id').pluck('word');

it('sends statements at its end, in their order, however many there are', async () => {
  const expected = Array.from({ length: 45 }, (_, at) => `last ${at}`);
  await transaction(context(), async (ctx) => {
    await executeAtEnd(ctx.db, STEP, [expected[0]]);
    await ctx.db('steps').insert({ word: 'first' });
    await transaction(ctx, async (inner) => {
      for (const word of expected.slice(1, 15)) await executeAtEnd(inner.db, STEP, [word]);
    });
    expect(await ctx.db('steps').pluck('word')).toEqual(['first']);
    for (const word of expected.slice(15)) await executeAtEnd(ctx.db, STEP, [word]);
  });
  expect(await words()).toEqual(['first', ...expected]);
});

it('sends none of them when its work fails, and undoes all when one of them fails', async () => {
  const before = await words();
  const failing = transaction(context(), async (ctx) => {
    await executeAtEnd(ctx.db, STEP, ['undone']);
    throw new Error('the work failed');
  });
  await expect(failing).rejects.toThrow('the work failed');
  const refused = transaction(context(), async (ctx) => {
    await ctx.db('steps').insert({ word: 'undone' });
    await executeAtEnd(ctx.db, STEP, ['undone']);
    await executeAtEnd(ctx.db, { text: 'select 1 / $1::integer' }, [0]);
    await executeAtEnd(ctx.db, STEP, ['undone']);
  });
  await expect(refused).rejects.toMatchObject({ code: '22012' });
  expect(await words()).toEqual(before);
});

it('runs a statement at once where nothing would send it later', async () => {
  await executeAtEnd(app.ports.database, STEP, ['at once']);
  expect((await words()).at(-1)).toBe('at once');
});
