import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { slowestFirst } from './packages/testing/src/slowest-first.ts';
import { SlowestReport } from './packages/testing/src/slowest-report.ts';

/** The files that take longest, by the report at the end of a run. */
const SLOWEST = [
  'packages/api/src/pipeline/actor-cache.test.ts',
  'apps/server/test/staying-up.test.ts',
  'packages/api/src/slices/audit/audit.test.ts',
  'apps/server/test/start.test.ts',
  'packages/api/test/proofs/access.test.ts',
  'packages/api/test/proofs/failures.test.ts',
  'packages/api/test/proofs/surfaces.test.ts',
  'packages/api/src/slices/realtime/realtime.test.ts',
  'packages/api/test/trpc-links.test.ts',
  'apps/server/test/silent-database.test.ts',
  'packages/platform/src/embedded-postgres.test.ts',
  'apps/server/src/http/bodies.test.ts',
  'packages/api/src/jobs/jobs.test.ts',
];

export default defineConfig({
  test: {
    include: ['{apps,packages,sdk}/**/*.test.ts'],
    globalSetup: 'packages/api/test/global-setup.ts',
    // Many tests wait for time to pass: two cores are kept busy by four files. The database has connections for eight.
    // Threads start faster than processes: a quarter less work on the whole.
    pool: 'threads',
    maxWorkers: Math.min(8, Math.max(4, availableParallelism())),
    sequence: { sequencer: slowestFirst(SLOWEST) },
    reporters: ['default', new SlowestReport()],
    slowTestThreshold: 5_000,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // A condition that comes late on a busy machine is no failure; one that never comes is.
    expect: { poll: { timeout: 30_000 } },
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'html'],
      include: ['{apps,packages,sdk}/**/src/**/*.ts'],
      exclude: ['**/generated/**', '**/*.test.ts'],
    },
  },
});
