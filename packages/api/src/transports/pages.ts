import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyRouter } from '@trpc/server';
import { createContext, type Ports } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import { readForm } from '../wire/body.ts';
import { Cookies } from '../wire/cookies.ts';
import { type ClientAddress, readRequest, requestIdOf } from '../wire/request.ts';

/** How the pages that the server draws use the contract: limits, access and the log see the browser. */
export interface PageCalls<Router extends AnyRouter = AnyRouter> {
  /** A form of one of our pages. Throws what is answered to a page of others, or to what is no form. */
  readForm(req: IncomingMessage): Promise<URLSearchParams>;
  /** Calls procedures with this access token, and everything else of the request. */
  callerOf(
    req: IncomingMessage,
    res: ServerResponse,
    accessToken?: string | undefined,
  ): ReturnType<Router['createCaller']>;
}

interface PageCallsOptions<Router extends AnyRouter> {
  router: Router;
  ports: Ports;
  clientAddress: ClientAddress;
}

/** Forms have few and short fields. */
const MAX_FORM_BYTES = 16_384;

export function createPageCalls<Router extends AnyRouter>({
  router,
  ports,
  clientAddress,
}: PageCallsOptions<Router>): PageCalls<Router> {
  return {
    async readForm(req) {
      assertOwnPage(req, ports);
      return readForm(req, { limitBytes: MAX_FORM_BYTES, unfinished: ports.bodies });
    },
    callerOf(req, res, accessToken) {
      const seen = readRequest(req, requestIdOf(req.headers), clientAddress(req));
      // Headers of the API have no meaning in the request of a page.
      const request = {
        ...seen,
        authorization: accessToken && `Bearer ${accessToken}`,
        apiKey: undefined,
        organizationId: undefined,
        tenantId: undefined,
        ifMatch: undefined,
        ifNoneMatch: undefined,
        idempotencyKey: undefined,
      };
      const ctx = createContext(ports, request, new Cookies(req, res));
      return router.createCaller(ctx) as ReturnType<Router['createCaller']>; // its type is lost in a generic router
    },
  };
}

/**
 * Without a preflight, any page can send a form: other sites could guess and cause mails from the addresses of their
 * visitors. Our pages send no referrer, which makes the `Origin` of their forms `null`.
 */
function assertOwnPage({ headers }: IncomingMessage, { origins }: Ports): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const isOwn = site === undefined ? origin === undefined || origins.isNamed(origin) : site === 'same-origin';
  if (isOwn) return;
  throw new ApiError('origin_not_allowed', { detail: 'Open the page again, and send its own form.' });
}
