import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadOrCreateSecrets } from './embedded-secrets.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'rentapi-secrets-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

it('creates three different secrets once and then returns the same', () => {
  const secrets = loadOrCreateSecrets(dataDir);
  expect(new Set(Object.values(secrets)).size).toBe(3);
  for (const secret of Object.values(secrets)) expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(loadOrCreateSecrets(dataDir)).toEqual(secrets);
});

it('keeps them in one file that only its owner can read', () => {
  loadOrCreateSecrets(dataDir);
  expect(readdirSync(dataDir)).toEqual(['secrets.json']);
  expect(statSync(path.join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
});

it('never replaces a damaged file: new secrets would make the data useless', () => {
  writeFileSync(path.join(dataDir, 'secrets.json'), '{"SECRET_KEY": "short"}');
  expect(() => loadOrCreateSecrets(dataDir)).toThrow(/restore it from a backup/);
});
