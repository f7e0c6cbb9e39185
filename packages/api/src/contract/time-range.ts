import { bucketsOf, findTimeZone, type Interval } from '@rentapi/platform/calendar';
import { z } from 'zod';
import { TimestampInput } from './common-schemas.ts';
import { ApiError } from './errors.ts';

const DAY_MS = 86_400_000;
/** How long a range may be: so much is read, and so many values are answered. */
export const MAX_DAYS = { hour: 31, day: 366 } as const;
/** Of a range of that length: each day has at most 25 hours, and begins within one. */
const MAX_BUCKETS = 800;

/** The fields of a query about a range of time. */
export const TIME_RANGE = {
  from: TimestampInput.meta({ description: 'From this moment on.' }),
  to: TimestampInput.meta({
    description: `Up to this moment, which is not included. At most ${MAX_DAYS.day} days later, with \`interval=hour\` ${MAX_DAYS.hour}.`,
  }),
};
export const INTERVAL = z
  .enum(['hour', 'day'])
  .meta({ description: 'One value for each hour or day of the time zone; one for the whole range if left out.' });
export const TIME_ZONE = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'The IANA name of a time zone, whose days and hours are used.', example: 'Europe/Berlin' });

/** Throws where a range has no beginning: it would be everything there has ever been. */
export function assertBounded(from: string | undefined): asserts from is string {
  if (from === undefined)
    throw new ApiError('time_range_unbounded', { errors: [{ path: 'from', message: 'is missing' }] });
}

/** A part of a range, without what lies outside of the range. */
export interface TimeSlice {
  from: Date;
  to: Date;
}

/**
 * The hours or days of a range in a time zone, or all of it as one. The first and the last may be cut off. Throws where
 * the range is reversed, empty or too long, or the zone is unknown.
 */
export function sliceRange(given: {
  from: string;
  to: string;
  interval?: Interval | undefined;
  timeZone?: string | undefined;
}): TimeSlice[] {
  const { interval } = given;
  const [from, to] = [new Date(given.from), new Date(given.to)];
  const timeZone = findTimeZone(given.timeZone ?? 'UTC');
  if (timeZone === undefined)
    throw new ApiError('unknown_time_zone', { errors: [{ path: 'timeZone', message: 'is no IANA time zone' }] });
  if (from >= to)
    throw new ApiError('time_range_reversed', { errors: [{ path: 'to', message: 'must be after `from`' }] });
  const maxDays = MAX_DAYS[interval ?? 'day'];
  if (to.getTime() - from.getTime() > maxDays * DAY_MS) {
    const message = `must be at most ${maxDays} days after \`from\``;
    throw new ApiError('time_range_too_long', { errors: [{ path: 'to', message }] });
  }
  if (!interval) return [{ from, to }];
  return bucketsOf(interval, timeZone, { from, to }, MAX_BUCKETS).map((bucket) => ({
    from: new Date(Math.max(bucket.from.getTime(), from.getTime())),
    to: new Date(Math.min(bucket.to.getTime(), to.getTime())),
  }));
}
