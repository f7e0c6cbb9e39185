import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../../..');
/** The first key of a Map, Set or iterator, which is found only after all that were deleted before it. */
const FIRST = /\.(?:keys|values|entries)\(\)\s*\.next\(\)|\[Symbol\.iterator\]\(\)\s*\.next\(\)/;

it('evicts from bounded maps by OldestFirst, which finds the oldest entry at once', () => {
  const files = globSync('{apps,packages,sdk}/*/src/**/*.{ts,tsx}', { cwd: ROOT });
  expect(files.length).toBeGreaterThan(200);
  expect(files.filter((file) => FIRST.test(readFileSync(path.join(ROOT, file), 'utf8')))).toEqual([]);
});
