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

interface CorsOptions {
  carriesCookies: (method: string, url: string) => boolean;
  /** Whether a page of another origin may send the request, because an active API key works from there. */
  admitsPreflight: (req: IncomingMessage) => Promise<boolean>;
  sendFailure: (req: IncomingMessage, res: ServerResponse, error: unknown) => void;
}

/** Pages, which are not for other origins, are elsewhere. */
const API_PATH = /^\/(?:api\/v1|trpc)\//;

/**
 * Allows web pages of the named origins to read our answers; those of a key's origins may send requests, and the key
 * itself says whether they may read the answer. Answers a preflight itself and then returns true; a plain OPTIONS is no
 * preflight. Credentials travel in headers; cookies only to the operations that set or read them, and
 * from origins that are named, which `*` does not do. So it is safe to allow every request header, which tracing needs:
 * it adds names that no list of ours contains.
 */
export function createCors(
  origins: readonly string[],
  { carriesCookies, admitsPreflight, sendFailure }: CorsOptions,
): (req: IncomingMessage, res: ServerResponse) => boolean {
  const named = origins.filter((origin) => origin !== '*');
  const allowsAll = origins.includes('*');
  const isByOrigin = origins.length > 0 && !allowsAll;
  // Without `allowedHeaders`, the headers named in the preflight are allowed.
  const options = {
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  };
  const handleOthers = cors({ ...options, origin: allowsAll ? '*' : named });
  const handleCookies = cors({ ...options, origin: named, credentials: true });
  const handleAdmitted = cors({ ...options, origin: true });

  async function answerPreflight(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const handle = (await admitsPreflight(req)) ? handleAdmitted : handleOthers;
    handle(req as Parameters<typeof handle>[0], res, () => {});
  }

  return (req, res) => {
    if (req.headers.origin === undefined) {
      // A cache must not give this answer to a page of another origin, which could not read it.
      if (isByOrigin) res.appendHeader('Vary', 'Origin');
      return false;
    }
    const isPreflight = req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined;
    if (req.method === 'OPTIONS' && !isPreflight) return false;
    if (!isHeaderList(req.headers['access-control-request-headers'])) {
      delete req.headers['access-control-request-headers'];
    }
    const method = req.headers['access-control-request-method'] ?? req.method ?? '';
    const mayCarry = named.includes(req.headers.origin) && carriesCookies(method, req.url ?? '');
    if (isPreflight && !allowsAll && !named.includes(req.headers.origin) && API_PATH.test(req.url ?? '')) {
      answerPreflight(req, res).catch((error: unknown) => sendFailure(req, res, error));
      return true;
    }
    const handle = mayCarry ? handleCookies : handleOthers;
    handle(req as Parameters<typeof handle>[0], res, () => {});
    return isPreflight;
  };
}

/** At most 50 header names; anything else is not repeated in the answer. */
function isHeaderList(text: string | undefined): boolean {
  return text === undefined || (text.length <= MAX_REQUEST_HEADERS_LENGTH && HEADER_NAMES.test(text));
}
