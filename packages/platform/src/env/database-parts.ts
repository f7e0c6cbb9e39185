import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { formatDatabaseUrl } from '../database-url.ts';
import { whole } from './whole.ts';

const HOST = 'must be a host name, an address, or the directory of a socket, without scheme or port';

/** The database in parts, for platforms that provide it so. Each is checked under its own name. */
export const databaseParts = z.object({
  POSTGRES_HOST: z
    .string()
    .transform((host) => /^\[(.+)\]$/.exec(host)?.[1] ?? host)
    .refine((host) => host.startsWith('/') || isIPv6(host) || /^[\w.-]+$/.test(host), HOST),
  POSTGRES_PORT: whole(1, 65_535).default(5432),
  POSTGRES_USER: z.string().default('postgres'),
  POSTGRES_PASSWORD: z.string().default(''),
  POSTGRES_DB: z.string().default('postgres'),
});

export const DATABASE_PART_NAMES = Object.keys(databaseParts.shape);

export function databaseUrlOfParts(parts: z.output<typeof databaseParts>): string {
  return formatDatabaseUrl({
    host: parts.POSTGRES_HOST,
    port: parts.POSTGRES_PORT,
    user: parts.POSTGRES_USER,
    password: parts.POSTGRES_PASSWORD,
    database: parts.POSTGRES_DB,
  });
}
