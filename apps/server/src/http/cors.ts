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
 * Lets web pages of the named origins read our answers. Answers a preflight itself and then returns true; a plain OPTIONS
 * is no preflight. Credentials travel in headers, so cookies are never allowed across origins. That makes it safe to allow
 * any request header, and tracing adds names that no list of ours would hold.
 */
export function createCors(origins: readonly string[]): (req: IncomingMessage, res: ServerResponse) => boolean {
  const allowsAll = origins.includes('*');
  const isByOrigin = origins.length > 0 && !allowsAll;
  // Without `allowedHeaders`, those that the preflight asks for are allowed.
  const handle = cors({
    origin: allowsAll ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  });
  return (req, res) => {
    if (req.headers.origin === undefined) {
      // A cache must not give the answer to this request to a page, which could not read it.
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

/** At most 50 names; what is anything else is not sent back. */
function isHeaderList(text: string | undefined): boolean {
  return text === undefined || (text.length <= MAX_REQUEST_HEADERS_LENGTH && HEADER_NAMES.test(text));
}
