import { expect, it } from 'vitest';
import { USER_COLUMNS, type UserColumns, UserModel } from './model.ts';

it('takes every column of USER_COLUMNS from a row', () => {
  const names = [...USER_COLUMNS.matchAll(/u\.(\w+)(?: as "(\w+)")?/g)].map(([, column, field]) => field ?? column);
  const row = Object.fromEntries(names.map((name, at) => [name, at])) as unknown as UserColumns;
  expect(names).toContain('createdAt');
  expect({ ...UserModel.ofRow(row) }).toEqual(row);
});
