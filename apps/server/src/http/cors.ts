import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';

const EXPOSED = [
  'Deprecation',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Request-Id',
];
const ALLOWED = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'trpc-accept',
  'X-API-Key',
  'X-Organization-Id',
  'X-Request-Id',
  'X-Tenant-ID',
];

/**
 * Lets web pages of the named origins read our answers. Answers a preflight itself and then returns true; a plain OPTIONS is
 * no preflight. Credentials travel in headers, so cookies are never allowed across origins.
 */
export function createCors(origins: readonly string[]): (req: IncomingMessage, res: ServerResponse) => boolean {
  const handle = cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ALLOWED,
    exposedHeaders: EXPOSED,
    maxAge: 600,
  });
  return (req, res) => {
    if (req.headers.origin === undefined) return false;
    if (req.method === 'OPTIONS' && req.headers['access-control-request-method'] === undefined) return false;
    let isPreflight = true;
    handle(req as Parameters<typeof handle>[0], res, () => {
      isPreflight = false;
    });
    return isPreflight;
  };
}
