import type { IncomingMessage, ServerResponse } from 'node:http';
import { setWithheldHeaders } from '@rentapi/api/wire/answer';
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

export interface Cors {
  /** What the origin of a request, or that it has none, adds to the headers of its answer. */
  headersOf(req: IncomingMessage): readonly string[];
  /** Answers a preflight, and then returns true; a plain OPTIONS is none. */
  answersPreflight(req: IncomingMessage, res: ServerResponse): boolean;
}

/**
 * Allows web pages of the named origins to read our answers; those of a key's origins may send requests, and the key
 * itself says whether they may read the answer. Credentials travel in headers; cookies only to the operations that set
 * or read them, and from origins that are named, which `*` does not do. So it is safe to allow every request header,
 * which tracing needs: it adds names that no list of ours contains.
 */
export function createCors(
  origins: readonly string[],
  { carriesCookies, admitsPreflight, sendFailure }: CorsOptions,
): Cors {
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

  type Middleware = typeof handleOthers;
  const handle = (middleware: Middleware, req: IncomingMessage, res: Parameters<Middleware>[1]): void =>
    middleware(req as Parameters<Middleware>[0], res, () => {});

  function handlerOf(req: IncomingMessage, origin: string): Middleware {
    const method = req.headers['access-control-request-method'] ?? req.method ?? '';
    return named.includes(origin) && carriesCookies(method, req.url ?? '') ? handleCookies : handleOthers;
  }

  async function askKeys(req: IncomingMessage, res: ServerResponse): Promise<void> {
    handle((await admitsPreflight(req)) ? handleAdmitted : handleOthers, req, res);
  }

  return {
    headersOf(req) {
      const { origin } = req.headers;
      // A cache must not give this answer to a page of another origin, which could not read it.
      if (origin === undefined) return isByOrigin ? VARY : [];
      if (req.method === 'OPTIONS') return [];
      const headers = new HeaderList();
      handle(handlerOf(req, origin), req, headers);
      return headers.list;
    },
    answersPreflight(req, res) {
      const { origin } = req.headers;
      if (origin === undefined || req.method !== 'OPTIONS') return false;
      if (req.headers['access-control-request-method'] === undefined) return false;
      setWithheldHeaders(res);
      if (!isHeaderList(req.headers['access-control-request-headers'])) {
        delete req.headers['access-control-request-headers'];
      }
      if (!allowsAll && !named.includes(origin) && API_PATH.test(req.url ?? '')) {
        askKeys(req, res).catch((error: unknown) => sendFailure(req, res, error));
      } else handle(handlerOf(req, origin), req, res);
      return true;
    },
  };
}

const VARY = ['Vary', 'Origin'];

/** Takes what is set on a response, name by name with its value, to be sent in one write. */
class HeaderList {
  readonly list: string[] = [];
  statusCode = 200;

  getHeader(name: string): string | undefined {
    const at = this.list.indexOf(name);
    return at < 0 ? undefined : this.list[at + 1];
  }

  setHeader(name: string, value: string): void {
    const at = this.list.indexOf(name);
    if (at < 0) this.list.push(name, value);
    else this.list[at + 1] = value;
  }

  end(): void {}
}

/** At most 50 header names; anything else is not repeated in the answer. */
function isHeaderList(text: string | undefined): boolean {
  return text === undefined || (text.length <= MAX_REQUEST_HEADERS_LENGTH && HEADER_NAMES.test(text));
}
