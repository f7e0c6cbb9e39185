import { z } from 'zod';
import type { ApiRequest } from '../context.ts';

/** What a browser cannot say in headers of a WebSocket or an EventSource, it says in tRPC's `connectionParams`. */
const ConnectionParams = z
  .strictObject({
    token: z.string().max(5000),
    apiKey: z.string().max(200),
    organizationId: z.string().max(100),
  })
  .partial()
  .nullish();

/** The call with the credential and the organization of its connection. Throws for anything else that is said. */
export function withConnectionParams(request: ApiRequest, given: unknown): ApiRequest {
  const { token, apiKey, organizationId } = ConnectionParams.parse(given) ?? {};
  return {
    ...request,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(apiKey !== undefined && { apiKey }),
    ...(organizationId !== undefined && { organizationId }),
  };
}
