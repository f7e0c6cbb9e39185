import { NoInput } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure, router } from '../../procedure.ts';
import { CacheHealth, DatabaseHealth, Health, Probe } from './schemas.ts';
import { health, healthCache, healthDatabase, readiness } from './service.ts';

const tags: [Tag] = ['Health'];
const database: DatabaseHealth = { status: 'ok', latencyMs: 0.4, serverVersion: '18.4' };
const cache: CacheHealth = { status: 'ok', latencyMs: 0.1, driver: 'memory' };

export const system = router({
  health: procedure({
    access: 'public',
    probe: true,
    openapi: {
      method: 'GET',
      path: '/health',
      tags,
      summary: 'Get the health of the service',
      description: '503 without a database.',
    },
    errors: ['unavailable'],
    example: {
      output: {
        status: 'ok',
        version: '0.1.0',
        environment: 'production',
        timestamp: '2026-01-31T12:00:00.000Z',
        database,
        cache,
      },
    },
  })
    .input(NoInput)
    .output(Health)
    .query(({ ctx }) => health(ctx)),

  healthDatabase: procedure({
    access: 'public',
    probe: true,
    openapi: {
      method: 'GET',
      path: '/health/database',
      tags,
      summary: 'Get the health of the database',
      description: 'Answers 503 if the database does not answer.',
    },
    rest: { aliases: [{ path: '/health/db' }] },
    errors: ['unavailable'],
    example: { output: database },
  })
    .input(NoInput)
    .output(DatabaseHealth)
    .query(({ ctx }) => healthDatabase(ctx)),

  healthCache: procedure({
    access: 'public',
    probe: true,
    openapi: {
      method: 'GET',
      path: '/health/cache',
      tags,
      summary: 'Get the health of the cache',
      description: '`down` is no failure of the service: it answers 200.',
    },
    example: { output: cache },
  })
    .input(NoInput)
    .output(CacheHealth)
    .query(({ ctx }) => healthCache(ctx)),

  readiness: procedure({
    access: 'public',
    probe: true,
    openapi: {
      method: 'GET',
      path: '/health/readiness',
      tags,
      summary: 'Check readiness',
      description:
        '503 while starting, stopping, or without a database, or until Redis, where it is configured, has answered once.',
    },
    errors: ['unavailable'],
    example: { output: { status: 'ok' } },
  })
    .input(NoInput)
    .output(Probe)
    .query(({ ctx }) => readiness(ctx)),

  liveness: procedure({
    access: 'public',
    probe: true,
    openapi: {
      method: 'GET',
      path: '/health/liveness',
      tags,
      summary: 'Check liveness',
      description: 'Touches nothing.',
    },
    example: { output: { status: 'ok' } },
  })
    .input(NoInput)
    .output(Probe)
    .query(() => ({ status: 'ok' as const })),
});
