import { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** Longer lists are in the reference: for a mistyped one of 46 scopes, the other 45 do not help. */
const MAX_LISTED = 8;
const TYPES: Record<string, string> = {
  array: 'a list',
  object: 'an object',
  record: 'an object',
  int: 'a whole number',
};
const FORMATS: Record<string, string> = {
  email: 'an e-mail address',
  url: 'a URL',
  datetime: 'a date and time in UTC such as 2026-01-31T12:00:00Z',
  date: 'a date such as 2026-01-31',
};

const zodSays = z.locales.en().localeError;

/**
 * What is wrong with a value, as a predicate that follows the value's name: `is required`. A schema's own sentence
 * stays. It is made from the issue, because tRPC parses without a locale, and zod's locale is global.
 */
export function describeIssue(issue: Issue): string {
  return isOwnSentence(issue) ? issue.message : (sentence(issue) ?? 'is not what is expected here');
}

/** Zod drops the value that it checked, so only zod's own sentence names it. */
function isOwnSentence(issue: Issue): boolean {
  if (issue.code === 'invalid_type') return !issue.message.startsWith('Invalid input: expected ');
  return issue.message !== zodSays({ ...issue, input: undefined } as Parameters<typeof zodSays>[0]);
}

function sentence(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.endsWith(', received undefined')) return 'is required';
      return `must be ${TYPES[issue.expected] ?? `a ${issue.expected}`}`;
    case 'invalid_value':
      if (issue.values.length > MAX_LISTED) return 'is none of the values that the reference lists';
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_format':
      return FORMATS[issue.format] ? `must be ${FORMATS[issue.format]}` : `is not a valid ${issue.format}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_key':
      return 'has a key that is not allowed';
    default:
      return undefined;
  }
}

function bound(origin: string, which: string, limit: number | bigint): string {
  const unit = { string: 'character', array: 'item', set: 'item', map: 'entry' }[origin];
  if (!unit) return `must be ${which} ${limit}`;
  const units = Number(limit) === 1 ? unit : unit === 'entry' ? 'entries' : `${unit}s`;
  return `must have ${which} ${limit} ${units}`;
}
