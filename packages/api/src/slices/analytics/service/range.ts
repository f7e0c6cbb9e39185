import { type Bucket, bucketsOf, findTimeZone, type Interval } from '@rentapi/platform/calendar';
import { ApiError } from '../../../contract/errors.ts';
import { assertBounded } from '../../../contract/time-range.ts';

const DAY_MS = 86_400_000;
/** As long as roll-ups are kept. */
export const MAX_DAYS = 400;
export const MAX_POINTS = 1000;
/** Hours of the longest range, whose first and last day are whole. */
const MAX_BUCKETS = (MAX_DAYS + 3) * 24;

export interface GivenRange {
  from?: string | undefined;
  to?: string | undefined;
  interval: Interval;
  timeZone: string;
}

export interface CalendarRange {
  timeZone: string;
  interval: Interval;
  from: Date;
  to: Date;
  /** At least one. */
  buckets: readonly Bucket[];
}

/** The whole hours or days of a time zone that a range touches. Throws for a range that cannot be answered. */
export function calendarRange(given: GivenRange, now: Date): CalendarRange {
  const { interval } = given;
  const timeZone = findTimeZone(given.timeZone);
  if (timeZone === undefined)
    throw new ApiError('unknown_time_zone', { errors: [{ path: 'timeZone', message: 'is no IANA time zone' }] });
  assertBounded(given.from);
  const asked = { from: new Date(given.from), to: given.to === undefined ? now : new Date(given.to) };
  if (asked.from >= asked.to)
    throw new ApiError('time_range_reversed', { errors: [{ path: 'to', message: 'must be after `from`' }] });
  if (asked.to.getTime() - asked.from.getTime() > MAX_DAYS * DAY_MS) {
    const message = `must be at most ${MAX_DAYS} days after \`from\``;
    throw new ApiError('time_range_too_long', { errors: [{ path: 'to', message }] });
  }
  const buckets = bucketsOf(interval, timeZone, asked, MAX_BUCKETS);
  return { timeZone, interval, from: buckets[0]!.from, to: buckets.at(-1)!.to, buckets };
}

/** Throws where there are more points than one answer holds. */
export function assertFewPoints({ buckets }: CalendarRange): void {
  if (buckets.length <= MAX_POINTS) return;
  throw new ApiError('too_many_points', {
    detail: `The range has ${buckets.length} points, and an answer at most ${MAX_POINTS}: ask for a shorter range or for \`interval=day\`, or download a report.`,
  });
}
