import { createDatabase, type DatabaseOptions, type Knex } from '@rentapi/platform/database';

/** A pool of the test's own, of one connection unless it asks for more. Its test destroys it. */
export const openDatabase = (url: string, options: Partial<DatabaseOptions> = {}): Knex =>
  createDatabase({
    url,
    poolMin: 0,
    poolMax: 1,
    acquireTimeoutMs: 10_000,
    statementTimeoutMs: 10_000,
    applicationName: 'rentapi tests',
    ...options,
  });
