import { z } from 'zod';

/** The words that several slices share. */

/** A moment as ISO 8601 in UTC. */
export const Timestamp = z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' });

const METADATA_KEYS = 50;

export const Metadata = z
  .record(z.string().min(1).max(40), z.union([z.string().max(500), z.number(), z.boolean(), z.null()]))
  .refine((metadata) => Object.keys(metadata).length <= METADATA_KEYS, `must have at most ${METADATA_KEYS} keys`)
  .meta({
    id: 'Metadata',
    description:
      'Your own facts: at most 50 keys of at most 40 characters; values are strings of at most 500 characters, numbers, booleans or null.',
    example: { plan: 'trial' },
  });

/** No answer body: 204. */
export const NoContent = z.void();

/** A procedure that takes nothing. Unknown fields are refused here as everywhere. */
export const NoInput = z.strictObject({}).optional();

export const iso = (at: Date): string => at.toISOString();
export const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;
