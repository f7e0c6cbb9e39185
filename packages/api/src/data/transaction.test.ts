import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from '../../test/app.ts';
import { systemContext } from '../context.ts';
import { afterCommit, executeAtEnd, executeSoon, oncePerTransaction, transaction, writeAtEnd } from './transaction.ts';

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

const STEPS = { text: 'insert into steps (word) select word from json_to_recordset($1) as given (word text)' };

it('writes rows by one statement at its end, in their order, however many there are', async () => {
  const before = await words();
  const rows = Array.from({ length: 230 }, (_, at) => `row ${at}`);
  await transaction(context(), async (ctx) => {
    for (const word of rows) await writeAtEnd(ctx.db, STEPS, { word });
    expect(await ctx.db('steps').where({ word: 'row 229' })).toEqual([]);
  });
  expect(await words()).toEqual([...before, ...rows]);
});

it('writes a row that stays alone by a statement of its own', async () => {
  const alone = { text: "insert into steps (word) values ($1 || ' alone')" };
  await transaction(context(), (ctx) => writeAtEnd(ctx.db, STEPS, { word: 'one' }, alone));
  await transaction(context(), async (ctx) => {
    await writeAtEnd(ctx.db, STEPS, { word: 'two' }, alone);
    await writeAtEnd(ctx.db, STEPS, { word: 'three' }, alone);
  });
  expect((await words()).slice(-3)).toEqual(['one alone', 'two', 'three']);
});

it('sends a statement before those after it, and reports one that failed unseen', async () => {
  await transaction(context(), async (ctx) => {
    await executeSoon(ctx.db, STEP, ['soon']);
    expect(await ctx.db('steps').where({ word: 'soon' })).toHaveLength(1);
  });
  const before = await words();
  const divide = { text: 'select 1 / $1::integer' };
  const unseen = transaction(context(), (ctx) => executeSoon(ctx.db, divide, [0]));
  await expect(unseen).rejects.toMatchObject({ code: '22012' });
  const seen = transaction(context(), async (ctx) => {
    await executeSoon(ctx.db, divide, [0]);
    await ctx.db('steps').insert({ word: 'undone' });
  });
  await expect(seen).rejects.toMatchObject({ code: '22012' });
  const refused = transaction(context(), async (ctx) => {
    await ctx.db('steps').insert({ word: 'undone' });
    await executeSoon(ctx.db, divide, [0], () => new Error('there is none'));
  });
  await expect(refused).rejects.toThrow('there is none');
  expect(await words()).toEqual(before);
});

it('waits now and then for statements that it has sent, however many there are', async () => {
  const divide = { text: 'select 1 / $1::integer' };
  let sent = 0;
  const many = transaction(context(), async (ctx) => {
    for (; sent < 250; sent++) await executeSoon(ctx.db, divide, [sent]);
  });
  await expect(many).rejects.toMatchObject({ code: '22012' });
  expect(sent).toBe(99);
});

it('has its effects after its commit, and none where its last statement fails', async () => {
  const effects: string[] = [];
  await transaction(context(), async (ctx) => {
    afterCommit(ctx.db, () => effects.push('committed'));
    expect(effects).toEqual([]);
  });
  const failing = transaction(context(), async (ctx) => {
    afterCommit(ctx.db, () => effects.push('failed'));
    await executeAtEnd(ctx.db, { text: 'select 1 / $1::integer' }, [0]);
  });
  await expect(failing).rejects.toMatchObject({ code: '22012' });
  expect(effects).toEqual(['committed']);
});

it('reads once what only its caller changes', async () => {
  let reads = 0;
  const once = oncePerTransaction(async (_: ReturnType<typeof context>, key: string) => `${key} ${++reads}`);
  await transaction(context(), async (ctx) => {
    expect([await once(ctx, 'a'), await once(ctx, 'a'), await once(ctx, 'b')]).toEqual(['a 1', 'a 1', 'b 2']);
    once.keep(ctx, 'a', 'changed');
    once.forget(ctx, 'b');
    expect([await once(ctx, 'a'), await once(ctx, 'b')]).toEqual(['changed', 'b 3']);
  });
  expect(await once(context(), 'a')).toBe('a 4');
});
