import { z } from 'zod';
import { Timestamp } from '../../contract/common-schemas.ts';

const FOR_OPERATORS =
  'Null except on the machine itself and with METRICS_TOKEN as bearer: it helps to choose an attack.';

const Component = z.object({
  status: z.enum(['ok', 'down']).meta({ description: 'Whether it answers.' }),
  latencyMs: z
    .number()
    .nullable()
    .meta({ description: 'How long it took to answer; null if it did not.', example: 0.4 }),
});

export const DatabaseHealth = Component.extend({
  serverVersion: z
    .string()
    .nullable()
    .meta({ description: `The version of PostgreSQL. ${FOR_OPERATORS}`, example: '18.4' }),
}).meta({ id: 'DatabaseHealth', description: 'Whether the database answers.' });
export const CacheHealth = Component.extend({
  driver: z.enum(['memory', 'redis']).meta({ description: 'Where limits are counted.' }),
}).meta({
  id: 'CacheHealth',
  description: 'Whether the cache answers.',
});
export type DatabaseHealth = z.output<typeof DatabaseHealth>;
export type CacheHealth = z.output<typeof CacheHealth>;

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded']).meta({ description: 'Whether all parts answer.' }),
    version: z
      .string()
      .nullable()
      .meta({ description: `The version that runs. ${FOR_OPERATORS}`, example: '0.1.0' }),
    environment: z
      .string()
      .nullable()
      .meta({ description: `What it runs as. ${FOR_OPERATORS}`, example: 'production' }),
    timestamp: Timestamp.meta({ description: 'When this was answered.' }),
    database: DatabaseHealth,
    cache: CacheHealth,
  })
  .meta({ id: 'Health', description: '`degraded`: it serves, but a part is missing.' });
export type Health = z.output<typeof Health>;

export const Probe = z
  .object({ status: z.literal('ok').meta({ description: 'Any other state is an error.' }) })
  .meta({ id: 'Probe', description: 'The answer to a probe.' });
export type Probe = z.output<typeof Probe>;
