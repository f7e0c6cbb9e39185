import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDirectory } from './make-directory.ts';

const home = mkdtempSync(path.join(tmpdir(), 'rentapi-directory-'));
afterAll(() => rmSync(home, { recursive: true }));

it('makes what is missing on the way, and nothing twice', () => {
  const dir = path.join(home, 'a', 'b', 'c');
  makeDirectory(dir);
  makeDirectory(dir);
  expect(statSync(dir).isDirectory()).toBe(true);
});

it('says in a sentence where none can be', () => {
  const file = path.join(home, 'file');
  writeFileSync(file, '');
  expect(() => makeDirectory(path.join(file, 'data'))).toThrow(`Cannot create the data directory ${file}/data: `);
});

it.runIf(process.platform === 'linux')('ends where the system says that a child of what is there has no parent', () => {
  expect(() => makeDirectory('/proc/x')).toThrow(/^Cannot create the data directory \/proc\/x: ENOENT/);
});
