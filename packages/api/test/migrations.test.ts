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
