import { ApiError } from '../../contract/errors.ts';

/**
 * `documents.read AND (team.alpha OR team.beta)`: words of the customer's own, joined by AND, which binds tighter, and
 * OR. The keywords are upper case, so that no word is one.
 */
export type PermissionQuery = string | { all: PermissionQuery[] } | { any: PermissionQuery[] };

const MAX_DEPTH = 10;
const TOKEN = /\s*(?:([a-z0-9_.:*-]+)(?![A-Za-z0-9_.:*-])|(AND|OR)(?![A-Za-z0-9_.:*-])|([()]))/y;
const REST = /\s*$/y;

export function parsePermissionQuery(text: string): PermissionQuery {
  const tokens = tokenize(text);
  let at = 0;

  function joined(keyword: 'AND' | 'OR', read: () => PermissionQuery): PermissionQuery[] {
    const parts = [read()];
    while (tokens[at]?.text === keyword) {
      at++;
      parts.push(read());
    }
    return parts;
  }

  function either(depth: number): PermissionQuery {
    const parts = joined('OR', () => both(depth));
    return parts.length === 1 ? parts[0]! : { any: parts };
  }

  function both(depth: number): PermissionQuery {
    const parts = joined('AND', () => one(depth));
    return parts.length === 1 ? parts[0]! : { all: parts };
  }

  function one(depth: number): PermissionQuery {
    const token = tokens[at++];
    if (token?.kind === 'word') return token.text;
    if (token?.text !== '(') throw malformed(text, token?.start ?? text.length, 'a permission or `(` is missing');
    if (depth === MAX_DEPTH) throw new ApiError('permission_query_too_deep');
    const inner = either(depth + 1);
    const close = tokens[at++];
    if (close?.text !== ')') throw malformed(text, close?.start ?? text.length, 'a `)` is missing');
    return inner;
  }

  const query = either(0);
  const rest = tokens[at];
  if (rest) throw malformed(text, rest.start, 'an `AND` or `OR` is missing');
  return query;
}

interface Token {
  kind: 'word' | 'keyword' | 'parenthesis';
  text: string;
  start: number;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    TOKEN.lastIndex = at;
    const [whole = '', word, keyword, parenthesis] = TOKEN.exec(text) ?? [];
    const found = word ?? keyword ?? parenthesis;
    if (found === undefined) {
      REST.lastIndex = at;
      if (REST.test(text)) return tokens;
      throw malformed(text, at, 'this is no permission, `AND`, `OR` or parenthesis');
    }
    at += whole.length;
    const kind = word ? 'word' : keyword ? 'keyword' : 'parenthesis';
    tokens.push({ kind, text: found, start: at - found.length });
  }
}

const SHOWN_CHARACTERS = 20;

function malformed(text: string, at: number, what: string): ApiError {
  const where = at < text.length ? `before "${text.slice(at).trim().slice(0, SHOWN_CHARACTERS)}"` : 'at the end';
  return new ApiError('malformed_permission_query', {
    detail: `The permission query cannot be read ${where}: ${what}. Write it as \`a AND (b OR c)\`.`,
  });
}

export function isFulfilled(query: PermissionQuery, isGranted: (permission: string) => boolean): boolean {
  if (typeof query === 'string') return isGranted(query);
  if ('all' in query) return query.all.every((part) => isFulfilled(part, isGranted));
  return query.any.some((part) => isFulfilled(part, isGranted));
}

/** Whether one of the granted permissions, in which `*` matches any characters, includes a permission. */
export function createPermissionMatcher(granted: readonly string[]): (permission: string) => boolean {
  const exact = new Set(granted);
  const patterns = granted.filter((each) => each.includes('*')).map((each) => each.split('*'));
  return (permission) => exact.has(permission) || patterns.some((parts) => matches(parts, permission));
}

/** Each part is looked for behind the one before, so that no pattern costs more than its length. */
function matches(parts: readonly string[], permission: string): boolean {
  const [first, last] = [parts[0]!, parts.at(-1)!];
  if (!permission.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = permission.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return permission.length - last.length >= at && permission.endsWith(last);
}
