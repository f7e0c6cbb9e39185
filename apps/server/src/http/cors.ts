import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';

/** Every header of our answers that a page may have to read; browsers hide all others. */
export const EXPOSED_HEADERS = [
  'Allow',
  'Content-Disposition',
  'Deprecation',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Request-Id',
];

const MAX_REQUEST_HEADERS_LENGTH = 2000;
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]{1,100}(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]{1,100}){0,49}$/;

/**
 * Allows web pages of the named origins to read our answers. Answers a preflight itself and then returns true; a plain
 * OPTIONS is no preflight. Credentials travel in headers, so cookies are never allowed across origins. That makes it
 * safe to allow every request header, which tracing needs: it adds names that no list of ours contains.
 */
export function createCors(origins: readonly string[]): (req: IncomingMessage, res: ServerResponse) => boolean {
  const allowsAll = origins.includes('*');
  const isByOrigin = origins.length > 0 && !allowsAll;
  // Without `allowedHeaders`, the headers named in the preflight are allowed.
  const handle = cors({
    origin: allowsAll ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  });
  return (req, res) => {
    if (req.headers.origin === undefined) {
      // A cache must not give this answer to a page of another origin, which could not read it.
      if (isByOrigin) res.appendHeader('Vary', 'Origin');
      return false;
    }
    if (req.method === 'OPTIONS' && req.headers['access-control-request-method'] === undefined) return false;
    if (!isHeaderList(req.headers['access-control-request-headers'])) {
      delete req.headers['access-control-request-headers'];
    }
    let isPreflight = true;
    handle(req as Parameters<typeof handle>[0], res, () => {
      isPreflight = false;
    });
    return isPreflight;
  };
}

/** At most 50 header names; anything else is not repeated in the answer. */
function isHeaderList(text: string | undefined): boolean {
  return text === undefined || (text.length <= MAX_REQUEST_HEADERS_LENGTH && HEADER_NAMES.test(text));
}
