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

/** Joiners within words, which Persian and the scripts of India need. RFC 5892 says where (appendix A.1 and A.2). */
const JOINERS =
  /(?<=\p{Script=Arabic}\p{M}*)\u200c(?=\p{Script=Arabic})|(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])[\u200c\u200d]/gu;

/** One line that is printed: characters that hide or turn text would show another text there. */
export const printedLine = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max, { abort: true })
    .refine((text) => !/[\p{Cc}\p{Cf}]/u.test(text.replace(JOINERS, '')), 'must contain no invisible characters');

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

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const MAX_DAYS = 1000;
/** The texts of days and of minutes of a day: a page contains hundreds of times, and `toISOString` is slow. */
const DAYS = new Map<number, string>();
const MINUTES = Array.from({ length: 1440 }, (_, at) => new Date(at * MINUTE_MS).toISOString().slice(10, 17));

/** `toISOString`, at half its cost. */
export function iso(at: Date): string {
  const day = Math.floor(at.getTime() / DAY_MS);
  let text = DAYS.get(day);
  if (text === undefined) {
    text = at.toISOString().slice(0, -'Thh:mm:ss.mmmZ'.length);
    if (DAYS.size === MAX_DAYS) DAYS.clear();
    DAYS.set(day, text);
  }
  const ms = at.getTime() - day * DAY_MS;
  const digits = String(100_000 + (ms % MINUTE_MS)); // a one in front keeps the zeros
  return `${text}${MINUTES[Math.floor(ms / MINUTE_MS)]}${digits.slice(1, 3)}.${digits.slice(3)}Z`;
}

export const isoOrNull = (at: Date | null): string | null => at && iso(at);
