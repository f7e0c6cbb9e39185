import { z } from 'zod';

/** A moment in an answer: always in UTC. */
export const Timestamp = z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' });

const DATE_TIME = z.core.regexes.datetime({ offset: true });

export const CreatedAt = Timestamp.meta({ description: 'When it was created.' });
export const UpdatedAt = Timestamp.meta({ description: 'When it last changed.' });

/**
 * A moment in a request: RFC 3339 with any offset and in either case, as `format: date-time` allows. The service gets
 * UTC. A year that UTC does not write with four digits is refused, because no answer could contain it.
 */
export const TimestampInput = z
  .string()
  .max(64, { abort: true })
  .overwrite((text) => text.toUpperCase())
  .regex(DATE_TIME, { message: 'must be a date and time such as 2026-01-31T12:00:00Z', abort: true })
  .refine((text) => isFourDigitYear(new Date(text)), {
    message: 'must be in the years 0001 to 9999 of UTC',
    abort: true,
  })
  .overwrite((text) => new Date(text).toISOString())
  .meta({ format: 'date-time', example: '2026-01-31T12:00:00Z' });

const isFourDigitYear = (moment: Date): boolean => moment.getUTCFullYear() >= 1 && moment.getUTCFullYear() <= 9999;

const METADATA_KEYS = 50;

export const Metadata = z
  .record(z.string().min(1).max(40), z.union([z.string().max(500), z.number(), z.boolean(), z.null()]))
  .refine((metadata) => Object.keys(metadata).length <= METADATA_KEYS, `must have at most ${METADATA_KEYS} keys`)
  .meta({
    id: 'Metadata',
    maxProperties: METADATA_KEYS,
    description:
      'Your own data: at most 50 keys of at most 40 characters; values are strings of at most 500 characters, numbers, booleans or null.',
    example: { plan: 'trial' },
  });

/** No answer body: 204. */
export const NoContent = z.void();

/** A procedure that takes nothing. Unknown fields are refused here as everywhere. */
export const NoInput = z.strictObject({}).optional();

export const iso = (at: Date): string => at.toISOString();
export const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;
