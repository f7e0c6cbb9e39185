import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDirectory } from './make-directory.ts';

const home = mkdtempSync(path.join(tmpdir(), 'rentapi-directory-'));
afterAll(() => rmSync(home, { recursive: true }));

it('creates missing directories, and nothing twice', () => {
  const dir = path.join(home, 'a', 'b', 'c');
  makeDirectory(dir);
  makeDirectory(dir);
  expect(statSync(dir).isDirectory()).toBe(true);
});

it('reports in a sentence why a directory cannot be created', () => {
  const file = path.join(home, 'file');
  writeFileSync(file, '');
  expect(() => makeDirectory(path.join(file, 'data'))).toThrow(`Cannot create the data directory ${file}/data: `);
});

it.runIf(process.platform === 'linux')(
  "ends where the system reports that an existing directory's child has no parent",
  () => {
    expect(() => makeDirectory('/proc/x')).toThrow(/^Cannot create the data directory \/proc\/x: ENOENT/);
  },
);
