import { z } from 'zod';
import type { ApiRequest, Context } from '../context.ts';
import { ApiError, type ErrorCode } from '../contract/errors.ts';

/** A browser cannot set headers of a WebSocket or an EventSource: tRPC's `connectionParams` take their place. */
const ConnectionParams = z
  .strictObject({
    token: z.string().max(5000),
    apiKey: z.string().max(200),
    organizationId: z.string().max(100),
  })
  .partial()
  .nullish();

/**
 * The call with the credential and the organization of its connection. Throws for any other parameter, and where a
 * header differs from the parameter with the same meaning.
 */
export function withConnectionParams(request: ApiRequest, given: unknown): ApiRequest {
  const { token, apiKey, organizationId } = ConnectionParams.parse(given) ?? {};
  return {
    ...request,
    authorization: requireSame(request.authorization, token && `Bearer ${token}`, 'ambiguous_credentials'),
    apiKey: requireSame(request.apiKey, apiKey, 'ambiguous_credentials'),
    organizationId: requireSame(request.organizationId, organizationId, 'organization_mismatch'),
  };
}

/** The same from the URL of an EventSource, which takes a credential only where the settings allow it. */
export function withUrlParams({ request, ports }: Context, given: unknown): ApiRequest {
  const { token, apiKey } = ConnectionParams.parse(given) ?? {};
  if ((token !== undefined || apiKey !== undefined) && !ports.env.realtimeTokenInUrl) {
    throw new ApiError('credential_in_url', {
      detail:
        'Send the credential in a header, with an EventSource that can (such as the package `eventsource`), or use `wsLink`, which sends `connectionParams` in its first message.',
    });
  }
  return withConnectionParams(request, given);
}

/** The value of two synonyms, of which either may be absent. */
function requireSame(header: string | undefined, parameter: string | undefined, code: ErrorCode): string | undefined {
  if (header && parameter && header !== parameter) throw new ApiError(code);
  return header || parameter || undefined;
}
