import type { IncomingMessage, ServerResponse } from 'node:http';
import { createContext, type Ports } from './context.ts';
import { admitHandshake, admitPreflight } from './pipeline/handshake.ts';
import { logRefused } from './pipeline/observe-socket.ts';
import { PATH_ALIASES, rawRoutes, sockets } from './slices/registry.ts';
import { appRouter } from './slices/router.ts';
import { type CarriesCookies, findCookieOperations } from './transports/cookie-operations.ts';
import { createPageCalls, type PageCalls } from './transports/pages.ts';
import { createRestHandler } from './transports/rest.ts';
import { createTrpcHandler } from './transports/trpc.ts';
import { trpcUpgrade } from './transports/trpc-sockets.ts';
import type { Header } from './wire/answer.ts';
import { type ClientAddress, readRequest, requestIdOf } from './wire/request.ts';
import { createSockets, type Sockets } from './wire/sockets.ts';

export interface Api {
  /** REST and tRPC. Other paths go to `next`. */
  handle(req: IncomingMessage, res: ServerResponse, next: () => void): Promise<void>;
  sockets: Sockets;
  /** For the pages that the server draws. */
  pages: PageCalls<typeof appRouter>;
  /** Whether a preflight may pass because of an active key. Throws what is answered to a source over its limit. */
  admitsPreflight(req: IncomingMessage): Promise<boolean>;
  carriesCookies: CarriesCookies;
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
    handle(req, res, next) {
      const url = req.url ?? '/';
      if (!url.startsWith(TRPC)) return rest(req, res, next);
      const [path = '', ...query] = url.slice(TRPC.length).split('?');
      return trpc(req, res, decodePath(path), query.join('?'));
    },
    pages: createPageCalls({ router: appRouter, ports, clientAddress }),
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
