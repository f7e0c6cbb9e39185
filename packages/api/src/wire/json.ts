import { ApiError } from '../contract/errors.ts';

export const MAX_DEPTH = 32;
/** More than any schema accepts: a schema checks each field before it counts them. */
export const MAX_ENTRIES = 1000;

/** Parses JSON from a request. Throws `ApiError`, with `fix` as the advice where the JSON is not a body. */
export function parseJson(text: string, fix?: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError('malformed_json', fix === undefined ? {} : { detail: fix });
  }
  assertHarmless(value, '', 0);
  return value;
}

/**
 * Allows at most 32 levels, at most 1,000 fields or items in each, no text that Postgres cannot store (NUL, unpaired
 * surrogates), and no key with a meaning in JavaScript. It stops at the first fault.
 */
function assertHarmless(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') assertText(value, path);
  if (value === null || typeof value !== 'object') return;
  if (depth >= MAX_DEPTH) throw new ApiError('json_too_deep');
  if (Array.isArray(value)) {
    if (value.length > MAX_ENTRIES) throw tooMany(path, 'items');
    for (let at = 0; at < value.length; at++) assertHarmless(value[at], join(path, String(at)), depth + 1);
    return;
  }
  const keys = Object.keys(value);
  if (keys.length > MAX_ENTRIES) throw tooMany(path, 'fields');
  for (const key of keys) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
      throw new ApiError('invalid_input', {
        errors: [{ path: join(path, key), message: 'is not a field of this request' }],
      });
    }
    assertText(key, path);
    assertHarmless((value as Record<string, unknown>)[key], join(path, key), depth + 1);
  }
}

function tooMany(path: string, what: 'fields' | 'items'): ApiError {
  return new ApiError('invalid_input', { errors: [{ path, message: `must have at most ${MAX_ENTRIES} ${what}` }] });
}

/** Text from anywhere in a request: body, query, path. */
export function assertText(text: string, path: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  throw new ApiError('invalid_text', {
    errors: [{ path, message: 'must not contain NUL characters or unpaired surrogates' }],
  });
}

const join = (path: string, key: string): string => (path ? `${path}.${key}` : key);
