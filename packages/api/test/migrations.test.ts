import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { migrateDown, migrateUp, migrationStatus } from '@rentapi/platform/migrations';
import { cloneDatabase } from '@rentapi/testing/postgres';
import { expect, inject, it } from 'vitest';

it('can be reverted one by one, to nothing, and run again', async () => {
  const database = await cloneDatabase(inject('postgres'));
  const { done } = await migrationStatus(database.ownerUrl, MIGRATIONS);
  for (const name of [...done].reverse()) expect(await migrateDown(database.ownerUrl, MIGRATIONS)).toBe(name);
  expect(await migrateDown(database.ownerUrl, MIGRATIONS)).toBeNull();
  expect(await migrateUp(database.ownerUrl, MIGRATIONS)).toEqual(done);
  await database.drop();
});

it('leaves what a newer release has migrated: an older one works, and takes nothing of it back', async () => {
  const database = await cloneDatabase(inject('postgres'));
  const { done } = await migrationStatus(database.ownerUrl, MIGRATIONS);
  const older = mkdtempSync(path.join(import.meta.dirname, 'older-')); // its imports are found from here only
  try {
    for (const file of readdirSync(MIGRATIONS).sort().slice(0, -1)) {
      copyFileSync(path.join(MIGRATIONS, file), path.join(older, file));
    }
    expect(await migrationStatus(database.ownerUrl, older)).toEqual({ done, pending: [] });
    expect(await migrateUp(database.ownerUrl, older)).toEqual([]);
    await expect(migrateDown(database.ownerUrl, older)).rejects.toThrow(
      `${done.at(-1)} belongs to a newer release: take it back with the program of that release.`,
    );
  } finally {
    rmSync(older, { recursive: true });
    await database.drop();
  }
});
