import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { RESTRICTED_TABLES } from '@rentapi/api/data/restricted-tables';
import { migrateUp } from '@rentapi/platform/migrations';
import { startTestPostgres, type TestPostgres } from '@rentapi/testing/postgres';
import type { TestProject } from 'vitest/node';
import { armTripwire } from './tenant-tripwire.ts';

/** One real PostgreSQL for the whole run, with a migrated template that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres({
    serverUrl: process.env['TEST_DATABASE_URL'],
    async migrate(ownerUrl, servingUrl) {
      const serving = { urls: [servingUrl], restricted: RESTRICTED_TABLES };
      await migrateUp(ownerUrl, MIGRATIONS, { serving });
      await armTripwire(ownerUrl);
    },
  });
  const { stop, ...provided } = postgres;
  project.provide('postgres', provided);
  return stop;
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: Omit<TestPostgres, 'stop'>;
  }
}
