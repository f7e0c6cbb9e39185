import pg from 'pg';

const INT8 = 20;
const TIMESTAMPTZ = 1184;
const TEXT_ARRAY: number = 1009;

/** Parsers of the columns that pg returns otherwise than we need them, or slowly. */
export const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') => {
  if (format !== 'binary') {
    if (oid === INT8) return parseInt8;
    if (oid === TIMESTAMPTZ) return parseTimestamp;
    if (oid === TEXT_ARRAY) return parseTextArray;
  }
  return pg.types.getTypeParser(oid, format as 'text');
};

/** pg returns bigint as text, because 2^53 and above do not fit a number. Ours are row ids, which do. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a JavaScript number`);
  return value;
}

const parseAnyTimestamp: (text: string) => Date = pg.types.getTypeParser(TIMESTAMPTZ, 'text');
/** Where the parts of `2026-01-31 12:00:00.123456+00` begin, as Postgres writes a time in UTC. */
const IN_UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;

/** A time in UTC at once; all others (another time zone, before the year 100, `infinity`) as pg reads them. */
function parseTimestamp(text: string): Date {
  if (!IN_UTC.test(text) || text.startsWith('00')) return parseAnyTimestamp(text);
  const fraction = text.charCodeAt(19) === DOT ? Math.trunc(Number(text.slice(19, -3)) * 1000 + ROUNDING) : 0;
  return new Date(
    Date.UTC(
      number(text, 0, 4),
      number(text, 5, 7) - 1,
      number(text, 8, 10),
      number(text, 11, 13),
      number(text, 14, 16),
      number(text, 17, 19),
      fraction,
    ),
  );
}

const DOT = 46;
/** Less than a microsecond: `.29` is 0.28999 as a binary fraction. */
const ROUNDING = 1e-6;

function number(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}

const parseAnyArray = pg.types.getTypeParser(TEXT_ARRAY, 'text');

/** An array of words, such as permissions. Quotes, bounds, and NULL without quotes are for pg's parser. */
function parseTextArray(text: string): unknown {
  if (text === '{}') return [];
  if (!text.startsWith('{') || /["{]|NULL/.test(text.slice(1))) return parseAnyArray(text);
  return text.slice(1, -1).split(',');
}
