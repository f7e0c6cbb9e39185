import { expect, it } from 'vitest';
import { S3Fifo } from './s3-fifo.ts';

const MAX = 1000;

/** Full of `old 0`, `old 1` and so on. */
function filled(): S3Fifo<number> {
  const map = new S3Fifo<number>(MAX);
  for (let at = 0; at < MAX; at++) map.set(`old ${at}`, at);
  return map;
}

const countOld = (map: S3Fifo<number>): number =>
  Array.from({ length: MAX }, (_, at) => map.get(`old ${at}`)).filter((value) => value !== undefined).length;

it('keeps all while there is room', () => {
  const map = filled();
  expect([countOld(map), map.size, map.get('old 7')]).toEqual([MAX, MAX, 7]);
});

it('removes nothing for a crowd that comes once, and keeps none of it', () => {
  const map = filled();
  const crowd = Array.from({ length: 20_000 }, (_, at) => `once ${at}`);
  for (const key of crowd) map.set(key, 1);
  expect(countOld(map)).toBe(MAX);
  expect(crowd.filter((key) => map.get(key) !== undefined).length).toBeLessThanOrEqual(256);
});

it('answers a newcomer at once, and the newest value of one that is set again', () => {
  const map = filled();
  map.set('new', 1);
  expect(map.get('new')).toBe(1);
  map.set('new', 2);
  expect([map.get('new'), countOld(map)]).toEqual([2, MAX]);
});

it.each([
  ['was asked for meanwhile', (map: S3Fifo<number>) => void map.get('new'), () => {}],
  ['is soon set again', () => {}, (map: S3Fifo<number>) => map.set('new', 1)],
])('keeps a newcomer that %s, in the place of the oldest', (_, before, after) => {
  const map = filled();
  map.set('new', 1);
  before(map);
  for (let at = 0; at < 2000; at++) map.set(`once ${at}`, 0);
  after(map);
  for (let at = 0; at < 2000; at++) map.set(`more ${at}`, 0);
  expect([map.get('new'), map.get('old 0'), countOld(map), map.size]).toEqual([1, undefined, MAX - 1, MAX]);
});

it('forgets what is deleted, whether it is kept or new', () => {
  const map = filled();
  map.set('new', 1);
  map.delete('new');
  map.delete('old 3');
  map.delete('unknown');
  expect([map.get('new'), map.get('old 3'), map.size]).toEqual([undefined, undefined, MAX - 1]);
  map.set('next', 2);
  expect([map.get('next'), map.size]).toEqual([2, MAX]);
});

it('has one value of a key, also where there was no room for it before', () => {
  const map = filled();
  map.set('new', 1);
  map.delete('old 0');
  map.set('new', 2);
  expect(map.get('new')).toBe(2);
  map.delete('new');
  expect(map.get('new')).toBeUndefined();
});
