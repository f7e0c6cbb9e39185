import type { AppRouter } from '@rentapi/contract';
import { RentApi } from '@rentapi/sdk';
import { rentapiLink } from '@rentapi/sdk/trpc';
import { createTRPCClient, createWSClient, splitLink, wsLink } from '@trpc/client';
import { createTRPCContext } from '@trpc/tanstack-react-query';
import { session } from './session.ts';

/** Logs in and out, and renews the session, once for all tabs. */
export const rentapi = new RentApi({ baseUrl: '', session });

export const { TRPCProvider, useTRPC } = createTRPCContext<AppRouter>();

/** tRPC in one organization, or in the user's default one: calls over HTTP, events over a WebSocket. */
export function createClient(organizationId?: string) {
  const socket = createWSClient({
    url: `${location.origin.replace('http', 'ws')}/trpc`,
    lazy: { enabled: true, closeMs: 1_000 },
    connectionParams: async () => ({
      token: (await rentapi.accessToken()) ?? '',
      ...(organizationId && { organizationId }),
    }),
  });
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === 'subscription',
        true: wsLink({ client: socket }),
        // Signs each call, renews the session, and sends an `Idempotency-Key` with each change.
        false: rentapiLink(rentapi.withOptions({ organizationId })),
      }),
    ],
  });
}
