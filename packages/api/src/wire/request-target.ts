import type { IncomingMessage } from 'node:http';
import { ApiError } from '../contract/errors.ts';

const ABSOLUTE_FORM = /^https?:\/\/([^/?#@]+)([/?].*)?$/i;

/**
 * Rewrites `req.url` to `/path?query`, so that all later code compares one spelling. A target in absolute form names
 * the host itself (RFC 9112, 3.2.2), and an escaped letter is that letter (RFC 3986, 6.2.2.2). Returns why it cannot be
 * read, or that no host is named.
 */
export function normalizeTarget(req: IncomingMessage): ApiError | undefined {
  let target = req.url ?? '/';
  if (!target.startsWith('/')) {
    const [, host, rest = '/'] = ABSOLUTE_FORM.exec(target) ?? [];
    // `OPTIONS *` asks about the server as a whole, and has no path.
    if (target === '*' && req.method === 'OPTIONS') return undefined;
    if (host === undefined || !URL.canParse(`http://${host}`)) return unreadable(req);
    req.headers.host = host;
    target = rest.startsWith('/') ? rest : `/${rest}`;
  }
  if (req.headers.host === undefined && req.httpVersion === '1.1') {
    return new ApiError('malformed_request', { detail: 'Name the host in the header `Host`.' });
  }
  if (!target.includes('%')) {
    req.url = target;
    return undefined;
  }
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (!isEncoded(path)) return unreadable(req);
  req.url = path.replace(/%[0-9a-f]{2}/gi, decodeUnreserved) + (query < 0 ? '' : target.slice(query));
  return undefined;
}

/** The query of a target. One that is not percent-encoded UTF-8 would be stored with another meaning. */
export function assertQueryEncoded(query: string): void {
  if (!isEncoded(query)) throw malformedEncoding();
}

function isEncoded(text: string): boolean {
  if (!text.includes('%')) return true;
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function decodeUnreserved(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
}

/** The query is removed: without a readable path, its secret parameters are not known. */
function unreadable(req: IncomingMessage): ApiError {
  req.url = req.url?.split('?')[0] ?? '/';
  return malformedEncoding();
}

export function malformedEncoding(): ApiError {
  return new ApiError('malformed_request', {
    detail: 'Percent-encode the path and the query as UTF-8: a `%` is followed by two hexadecimal digits.',
  });
}
