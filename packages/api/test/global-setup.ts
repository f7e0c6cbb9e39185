import { MIGRATIONS } from '@rentapi/api/data/migrations';
import { migrateUp } from '@rentapi/platform/migrations';
import { startTestPostgres, type TestPostgres } from '@rentapi/testing/postgres';
import type { TestProject } from 'vitest/node';
import { armTripwire } from './tenant-tripwire.ts';

/** One real PostgreSQL for the whole run, with a migrated template that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres({
    serverUrl: process.env['TEST_DATABASE_URL'],
    async migrate(url) {
      await migrateUp(url, MIGRATIONS);
      await armTripwire(url);
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
