import { z } from 'zod';
import { Timestamp } from '../../contract/common-schemas.ts';

const Component = z.object({ status: z.enum(['ok', 'down']), latencyMs: z.number().nullable().meta({ example: 0.4 }) });

export const DatabaseHealth = Component.extend({ serverVersion: z.string().nullable().meta({ example: '18.4' }) }).meta(
  { id: 'DatabaseHealth' },
);
export const CacheHealth = Component.extend({ driver: z.enum(['memory', 'redis']) }).meta({ id: 'CacheHealth' });
export type DatabaseHealth = z.output<typeof DatabaseHealth>;
export type CacheHealth = z.output<typeof CacheHealth>;

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded']),
    version: z.string().meta({ example: '0.1.0' }),
    environment: z.string().meta({ example: 'production' }),
    timestamp: Timestamp,
    database: DatabaseHealth,
    cache: CacheHealth,
  })
  .meta({ id: 'Health', description: '`degraded`: it serves, but a part is missing.' });
export type Health = z.output<typeof Health>;

export const Probe = z.object({ status: z.literal('ok') }).meta({ id: 'Probe' });
export type Probe = z.output<typeof Probe>;
