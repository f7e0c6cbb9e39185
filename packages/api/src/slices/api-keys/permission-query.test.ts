import { describe, expect, it } from 'vitest';
import { ApiError } from '../../contract/errors.ts';
import { createPermissionMatcher, isFulfilled, parsePermissionQuery } from './permission-query.ts';

const fulfils = (granted: string[], query: string) =>
  isFulfilled(parsePermissionQuery(query), createPermissionMatcher(granted));

function refusal(query: string): ApiError {
  try {
    parsePermissionQuery(query);
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  return expect.fail(`${query} was read`);
}

describe('a permission query', () => {
  it.each<[query: string, granted: string[], fulfilled: boolean]>([
    ['a', ['a'], true],
    ['a', ['b'], false],
    ['a', [], false],
    ['a AND b', ['a', 'b'], true],
    ['a AND b', ['a'], false],
    ['a OR b', ['b'], true],
    ['a OR b AND c', ['a'], true],
    ['a OR b AND c', ['b'], false],
    ['a AND b OR c', ['c'], true],
    ['(a OR b) AND c', ['a'], false],
    ['a AND (b OR c)', ['a', 'c'], true],
    ['  a\tAND(b\nOR c)  ', ['a', 'c'], true],
    ['((((((((((a))))))))))', ['a'], true],
    ['and', ['and'], true],
    ['documents:read_1.x-y', ['documents:read_1.x-y'], true],
  ])('%s of %j: %s', (query, granted, fulfilled) => {
    expect(fulfils(granted, query)).toBe(fulfilled);
  });

  it.each<[granted: string, permission: string, included: boolean]>([
    ['documents.*', 'documents.read', true],
    ['documents.*', 'documents.read.all', true],
    ['documents.*', 'documents', false],
    ['documents.*', 'invoices.read', false],
    ['*', 'anything', true],
    ['*.read', 'documents.read', true],
    ['*.read', 'documents.write', false],
    ['a.*.c', 'a.b.c', true],
    ['a.*.c', 'a.c', false],
    ['a*a', 'a', false],
    ['*b*b*', 'abab', true],
    ['*b*b*', 'ab', false],
    ['documents.read', 'documents.*', false],
    ['documents.*', 'documents.*', true],
    ['**********', 'x', true],
  ])('grants by %s the permission %s: %s', (granted, permission, included) => {
    expect(fulfils([granted], permission)).toBe(included);
  });

  it.each([
    ['', 'at the end'],
    ['   ', 'at the end'],
    ['a b', 'before "b"'],
    ['a AND', 'at the end'],
    ['AND a', 'before "AND a"'],
    ['a OR OR b', 'before "OR b"'],
    ['(a', 'at the end'],
    ['a)', 'before ")"'],
    ['()', 'before ")"'],
    ['a and b', 'before "and b"'],
    ['a ANDb', 'before "ANDb"'],
    ['aAND b', 'before "aAND b"'],
    ['Read', 'before "Read"'],
    ['a; drop table', 'before "; drop table"'],
    ['a && b', 'before "&& b"'],
    ['ä', 'before "ä"'],
  ])('refuses %j, and says where', (query, where) => {
    const error = refusal(query);
    expect(error.errorCode).toBe('malformed_permission_query');
    expect(error.detail).toContain(where);
  });

  it('refuses parentheses more than 10 deep, however many there are', () => {
    expect(refusal(`${'('.repeat(11)}a${')'.repeat(11)}`).errorCode).toBe('permission_query_too_deep');
    expect(refusal('('.repeat(1000)).errorCode).toBe('permission_query_too_deep');
  });
});
