import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const SRC = path.resolve(import.meta.dirname, '../src');

it('loads the library of a provider when it is first used: both together are half the memory of a process', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(10);
  const loading = files.filter((file) =>
    /^(import|export) (?!type)[^;]*from '(stripe|@paypal\/)/m.test(readFileSync(path.join(SRC, file), 'utf8')),
  );
  expect(loading).toEqual([]);
});
