import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { slowestFirst } from './packages/testing/src/slowest-first.ts';
import { SlowestReport } from './packages/testing/src/slowest-report.ts';

/** The files that take longest, by the report at the end of a run. */
const SLOWEST = [
  'apps/server/test/staying-up.test.ts',
  'apps/server/test/pages-in-chromium.test.ts',
  'apps/server/test/start.test.ts',
  'packages/api/test/proofs/access.test.ts',
  'packages/api/test/proofs/failures.test.ts',
  'packages/api/src/slices/invitations/invitations.test.ts',
  'packages/api/test/proofs/surfaces.test.ts',
  'packages/api/test/proofs/writes.test.ts',
  'sdk/client/test/package.test.ts',
  'packages/api/src/slices/auth/lockout.test.ts',
  'packages/api/src/slices/audit/audit.test.ts',
  'packages/api/src/slices/two-factor/two-factor.test.ts',
  'packages/api/src/pipeline/actor-cache.test.ts',
  'packages/platform/src/embedded-postgres.test.ts',
  'packages/api/test/trpc-links.test.ts',
  'packages/api/src/slices/roles/roles.test.ts',
  'packages/api/src/slices/members/members.test.ts',
  'packages/api/src/slices/realtime/realtime.test.ts',
  'apps/server/test/silent-database.test.ts',
  'apps/server/test/revocation.test.ts',
  'apps/server/test/build.test.ts',
];

/** Its files share the modules of their worker: loading the product for each was a quarter of the work. */
const API = 'packages/api/**/*.test.ts';

const shared = {
  // Threads start faster than processes: a quarter less work on the whole.
  pool: 'threads' as const,
  slowTestThreshold: 5_000,
  // A condition that comes late on a busy machine is no failure; one that never comes is.
  testTimeout: 240_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 30_000 } },
};

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'api', include: [API], isolate: false } },
      {
        test: {
          ...shared,
          name: 'others',
          include: ['{apps,packages,sdk}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, API],
        },
      },
    ],
    // Here, and not in a project: one database server for all.
    globalSetup: 'packages/api/test/global-setup.ts',
    // Many tests wait for time to pass: two cores are kept busy by four files. The database has connections for eight.
    maxWorkers: Math.min(8, Math.max(4, availableParallelism())),
    sequence: { sequencer: slowestFirst(SLOWEST) },
    reporters: ['default', new SlowestReport()],
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'html'],
      include: ['{apps,packages,sdk}/**/src/**/*.ts'],
      exclude: ['**/generated/**', '**/*.test.ts'],
    },
  },
});
