import { migrateUp } from '@rentapi/platform/migrations';
import { startTestPostgres } from '@rentapi/testing/postgres';
import type { TestProject } from 'vitest/node';
import { MIGRATIONS } from '../src/migrations.ts';

/** One real PostgreSQL for the whole run, with a migrated template that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres({
    serverUrl: process.env['TEST_DATABASE_URL'],
    migrate: async (url) => void (await migrateUp(url, MIGRATIONS)),
  });
  project.provide('postgres', { adminUrl: postgres.adminUrl, templateName: postgres.templateName });
  return postgres.stop;
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { adminUrl: string; templateName: string };
  }
}
