import { expect, it } from 'vitest';
import { OldestFirst } from './oldest-first.ts';

const keysOf = (map: OldestFirst<number>, keys: string) =>
  [...keys].filter((key) => map.get(key) !== undefined).join('');

function filled(max: number, keys: string, onRemoved?: (key: string, value: number) => void): OldestFirst<number> {
  const map = new OldestFirst<number>(max, onRemoved);
  for (const [at, key] of [...keys].entries()) map.set(key, at);
  return map;
}

it('removes the oldest entry for one too many', () => {
  const map = filled(3, 'abcde');
  expect([keysOf(map, 'abcde'), map.size, map.get('e')]).toEqual(['cde', 3, 4]);
});

it('takes an entry that is set again for the newest', () => {
  const map = filled(3, 'abca');
  map.set('d', 9);
  expect([keysOf(map, 'abcd'), map.get('a')]).toEqual(['acd', 3]);
});

it.each([
  ['the oldest', 'a', 'bcde'],
  ['one in between', 'b', 'acde'],
  ['the newest', 'c', 'abde'],
])('keeps the order when %s is deleted, and its room is free again', (_, deleted, left) => {
  const map = filled(4, 'abc');
  map.delete(deleted);
  map.delete(deleted);
  map.set('d', 0);
  map.set('e', 0);
  expect(keysOf(map, 'abcde')).toBe(left);
  map.set('f', 0);
  expect(keysOf(map, 'abcdef')).toBe(`${left.slice(1)}f`);
});

it('can be emptied and filled again', () => {
  const map = filled(2, 'ab');
  for (const key of 'ab') map.delete(key);
  for (const key of 'cde') map.set(key, 0);
  expect([keysOf(map, 'abcde'), map.size]).toEqual(['de', 2]);
});

it('reports each entry that it removes, replaces or deletes', () => {
  const removed: string[] = [];
  const map = filled(2, 'aabc', (key, value) => removed.push(`${key}${value}`));
  map.delete('b');
  expect(removed).toEqual(['a0', 'a1', 'b2']);
});
