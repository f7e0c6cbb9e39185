import { checkModels } from '@rentapi/api/data/check-models';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

it('gives every column a field and every field a column, nullable alike', async () => {
  expect(await checkModels(app.rows)).toEqual([]);
});

it('notices a column without a field, and one that became nullable', async () => {
  await app.rows.raw('alter table users add column nickname text; alter table users alter column email drop not null');
  expect(await checkModels(app.rows)).toEqual([
    'UserModel.email: the column is nullable, the field is not.',
    'UserModel has no field for the column nickname of users.',
  ]);
});
