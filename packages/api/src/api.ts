import type { IncomingMessage, ServerResponse } from 'node:http';
import { createContext, type Ports } from './context.ts';
import { admitHandshake, admitPreflight } from './pipeline/handshake.ts';
import { logRefused } from './pipeline/observe-socket.ts';
import { PATH_ALIASES, rawRoutes, sockets } from './slices/registry.ts';
import { appRouter } from './slices/router.ts';
import { type CarriesCookies, findCookieOperations } from './transports/cookie-operations.ts';
import { createFormReader, type ReadForm } from './transports/forms.ts';
import { createRestHandler } from './transports/rest.ts';
import { createTrpcHandler } from './transports/trpc.ts';
import { trpcUpgrade } from './transports/trpc-sockets.ts';
import type { Header } from './wire/answer.ts';
import { Cookies } from './wire/cookies.ts';
import { type ClientAddress, readRequest, requestIdOf } from './wire/request.ts';
import { createSockets, type Sockets } from './wire/sockets.ts';

export interface Api {
  /** REST and tRPC. Other paths go to `next`. */
  handle(req: IncomingMessage, res: ServerResponse, next: () => void): Promise<void>;
  sockets: Sockets;
  /** A form of a page of ours. Throws what is answered to a page of others, or to what is no form. */
  readForm: ReadForm;
  /** Whether a preflight may pass because of an active key. Throws what is answered to a source over its limit. */
  admitsPreflight(req: IncomingMessage): Promise<boolean>;
  carriesCookies: CarriesCookies;
  /** Calls procedures for a page that the server draws, with this access token and everything else of the request. */
  callerOf(
    req: IncomingMessage,
    res: ServerResponse,
    accessToken: string | undefined,
  ): ReturnType<typeof appRouter.createCaller>;
}

const TRPC = '/trpc/';

interface ApiOptions {
  ports: Ports;
  clientAddress: ClientAddress;
  /** Sent with the refusal of a WebSocket; an HTTP response has them set already. */
  headers?: readonly Header[];
}

/** The whole contract on all its transports. */
export function createApi({ ports, clientAddress, headers }: ApiOptions): Api {
  const rest = createRestHandler({ router: appRouter, rawRoutes, pathAliases: PATH_ALIASES, ports, clientAddress });
  const trpc = createTrpcHandler({ router: appRouter, ports, clientAddress });
  return {
    carriesCookies: findCookieOperations(appRouter, rawRoutes, PATH_ALIASES),
    async handle(req, res, next) {
      const url = req.url ?? '/';
      if (!url.startsWith(TRPC)) return rest(req, res, next);
      const [path = '', ...query] = url.slice(TRPC.length).split('?');
      return trpc(req, res, decodePath(path), query.join('?'));
    },
    readForm: createFormReader({ router: appRouter, ports, clientAddress }),
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
      return appRouter.createCaller(createContext(ports, request, new Cookies(req, res)));
    },
    admitsPreflight: (req) =>
      admitPreflight(createContext(ports, readRequest(req, requestIdOf(req.headers), clientAddress(req)))),
    sockets: createSockets({
      ports,
      clientAddress,
      headers,
      admit: admitHandshake,
      onRefused: (ctx, error, url) => logRefused(ctx, error, { url }),
      upgrades: [...sockets, trpcUpgrade({ router: appRouter, ports })],
    }),
  };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // names no procedure
  }
}
