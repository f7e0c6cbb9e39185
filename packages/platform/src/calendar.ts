const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SECOND_MS = 1000;

export type Interval = 'hour' | 'day';

/** A part of a calendar: from its start, with the zone's offset from UTC at that moment, up to `to`. */
export interface Bucket {
  from: Date;
  to: Date;
  offsetMs: number;
}

/** A stretch of time in which a zone has one offset from UTC. */
interface Stretch {
  from: number;
  to: number;
  offsetMs: number;
}

/**
 * The IANA name of a time zone, in its own case; undefined for an unknown one. Offsets are no zones. One of which the
 * runtime knows an older name stays as it was given.
 */
export function findTimeZone(name: string): string | undefined {
  if (!/^[A-Za-z]/.test(name)) return undefined;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions();
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  } catch {
    return undefined;
  }
}

/**
 * The hours or days of a zone that overlap a range, whole, in order and without gaps. A day lasts as long as its date:
 * 23 or 25 hours where clocks change. An hour ends early where clocks change in the middle of it, and the hour that
 * clocks repeat is there twice. At most `max` are made: the caller compares.
 */
export function bucketsOf(
  interval: Interval,
  timeZone: string,
  range: { from: Date; to: Date },
  max: number,
): Bucket[] {
  const lengthMs = interval === 'day' ? DAY_MS : HOUR_MS;
  const [from, to] = [range.from.getTime(), range.to.getTime()];
  // Two units before and after: clocks never change by more than a day.
  const stretches = stretchesOf(timeZone, from - 2 * DAY_MS, to + 2 * DAY_MS);
  const starts = interval === 'day' ? dayStarts(stretches) : hourStarts(stretches);
  const buckets: Bucket[] = [];
  let previous: Omit<Bucket, 'to'> | undefined;
  for (const start of starts) {
    if (previous && start.from.getTime() > from) buckets.push({ ...previous, to: start.from });
    if (start.from.getTime() >= to || buckets.length >= max) break;
    previous = start;
  }
  return buckets;

  /** Every date begins once, even if clocks go back over its midnight; a date that is skipped never does. */
  function* dayStarts(all: readonly Stretch[]): Generator<Omit<Bucket, 'to'>> {
    let last = Number.NEGATIVE_INFINITY;
    for (const stretch of all) {
      for (let at = stretch.from; at < stretch.to; at = nextStart(at, stretch)) {
        const date = Math.floor((at + stretch.offsetMs) / DAY_MS);
        if (date <= last) continue;
        // The first stretch begins within a date.
        if (last !== Number.NEGATIVE_INFINITY) yield { from: new Date(at), offsetMs: stretch.offsetMs };
        last = date;
      }
    }
  }

  function* hourStarts(all: readonly Stretch[]): Generator<Omit<Bucket, 'to'>> {
    for (const stretch of all) {
      for (let at = stretch.from; at < stretch.to; at = nextStart(at, stretch)) {
        yield { from: new Date(at), offsetMs: stretch.offsetMs };
      }
    }
  }

  function nextStart(at: number, { offsetMs }: Stretch): number {
    return (Math.floor((at + offsetMs) / lengthMs) + 1) * lengthMs - offsetMs;
  }
}

/** A moment as the zone's clocks show it: `2026-01-31T13:00:00+01:00`. */
export function localIso(at: Date, offsetMs: number): string {
  const text = new Date(at.getTime() + offsetMs).toISOString().slice(0, -'.000Z'.length);
  const minutes = Math.abs(Math.trunc(offsetMs / 60_000));
  const two = (value: number) => String(value).padStart(2, '0');
  return `${text}${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** A zone's offset is looked up once a day, and to the second where it has changed since the day before. */
function stretchesOf(timeZone: string, from: number, to: number): Stretch[] {
  const offsetAt = offsetsOf(timeZone);
  const stretches: Stretch[] = [];
  let current: Stretch = { from, to, offsetMs: offsetAt(from) };
  for (let at = from; at < to; at += DAY_MS) {
    const next = Math.min(to, at + DAY_MS);
    const offsetMs = offsetAt(next);
    if (offsetMs === current.offsetMs) continue;
    const changed = findChange(offsetAt, at, next);
    stretches.push({ ...current, to: changed });
    current = { from: changed, to, offsetMs };
  }
  return [...stretches, current];
}

/** The first whole second at which the later offset counts. */
function findChange(offsetAt: (at: number) => number, before: number, after: number): number {
  const earlier = offsetAt(before);
  let [low, high] = [Math.floor(before / SECOND_MS), Math.ceil(after / SECOND_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * SECOND_MS) === earlier) low = middle;
    else high = middle;
  }
  return high * SECOND_MS;
}

const FIELDS = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;
const MAX_ZONES = 500;
/** A formatter takes 50 µs to make and some kilobytes; there are some 450 zones. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function offsetsOf(timeZone: string): (at: number) => number {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      calendar: 'gregory',
      ...FIELDS,
    });
    if (formatters.size >= MAX_ZONES) formatters.clear();
    formatters.set(timeZone, formatter);
  }
  const format = formatter;
  return (at) => {
    const second = Math.floor(at / SECOND_MS) * SECOND_MS;
    const shown = Object.fromEntries(format.formatToParts(second).map(({ type, value }) => [type, value]));
    const part = (type: keyof typeof FIELDS) => Number(shown[type]);
    const year = shown['era'] === 'BC' ? 1 - part('year') : part('year');
    const local = new Date(0);
    local.setUTCFullYear(year, part('month') - 1, part('day')); // `Date.UTC` takes the years 0 to 99 for 19xx
    local.setUTCHours(part('hour'), part('minute'), part('second'));
    return local.getTime() - second;
  };
}
