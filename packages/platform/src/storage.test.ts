import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLocalStorage } from './storage/local.ts';
import type { Storage } from './storage.ts';

let root: string;
let storage: Storage;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'rentapi-storage-'));
  storage = createLocalStorage(path.join(root, 'files'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const textOf = async (key: string) => {
  const file = await storage.get(key);
  return file && `${file.sizeBytes} ${await buffer(file.read())}`;
};

async function* chunks(...parts: string[]) {
  for (const part of parts) {
    if (part === 'failure') throw new Error('the source failed');
    yield Buffer.from(part);
  }
}

it('keeps bytes and streams, replaces them, and removes one or all of a group', async () => {
  await storage.put('things/one/64.webp', Buffer.from('first'));
  await storage.put('things/one/64.webp', chunks('sec', 'ond'));
  await storage.put('things/two.zip', Buffer.from('2'));
  expect([await textOf('things/one/64.webp'), await textOf('things/two.zip')]).toEqual(['6 second', '1 2']);
  await storage.remove('things/one');
  await storage.remove('things/never');
  expect([await textOf('things/one/64.webp'), await textOf('things/two.zip')]).toEqual([null, '1 2']);
});

it('shows nothing of a file that is not complete, and leaves nothing of it', async () => {
  await storage.put('things/one', Buffer.from('whole'));
  await expect(storage.put('things/one', chunks('half', 'failure'))).rejects.toThrow('the source failed');
  expect(await textOf('things/one')).toBe('5 whole');
  expect(readdirSync(path.join(root, 'files/things'))).toEqual(['one']);
});

it('is readable to its own user only', async () => {
  await storage.put('things/one', Buffer.from('x'));
  expect(statSync(path.join(root, 'files/things/one')).mode & 0o777).toBe(0o600);
  expect(statSync(path.join(root, 'files/things')).mode & 0o777).toBe(0o700);
});

it.each(['../secret', 'things/../../secret', '/etc/passwd', 'things//one', 'things/.hidden', '', 'a\0b', 'a\\b', 'Ü'])(
  'never leaves its directory for %j',
  async (key) => {
    writeFileSync(path.join(root, 'secret'), 'secret');
    await expect(storage.get(key)).rejects.toThrow('is not a key');
    await expect(storage.put(key, Buffer.from('x'))).rejects.toThrow('is not a key');
    await expect(storage.remove(key)).rejects.toThrow('is not a key');
  },
);
