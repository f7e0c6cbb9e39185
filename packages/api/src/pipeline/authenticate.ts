import type { ApiRequest, Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import type { Authenticated, CallOptions, PathOrganization } from './credential.ts';

/**
 * Authenticates the caller by the one credential of the call, in its organization; null where there is no credential.
 * Throws 401 for one that is not valid. The path is read only after that, so that strangers do not learn which ids
 * exist.
 */
export async function authenticate(
  ctx: Context,
  path: PathOrganization,
  { allowDeletedOrganization = false }: CallOptions = {},
): Promise<Authenticated | null> {
  const options = { allowDeletedOrganization };
  // The connection has authenticated with it already.
  if (ctx.credential) return ctx.credential.resume(ctx, path, options);
  const { authenticators, env } = ctx.ports;
  const credential = readCredential(ctx.request, (bearer) =>
    authenticators.looksLikeApiKey(bearer, env.API_KEY_PREFIX),
  );
  if (!credential) return null;
  if ('key' in credential) return authenticators.apiKey(ctx, credential.key, path);
  return authenticators.accessToken(ctx, credential.token, path, options);
}

function readCredential(
  request: ApiRequest,
  looksLikeKey: (bearer: string) => boolean,
): { token: string } | { key: string } | null {
  const { authorization, apiKey } = request;
  if (authorization === undefined) return apiKey === undefined ? null : { key: apiKey };
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  // Generated clients fill both headers with the same text where the document lists both.
  if (apiKey !== undefined && apiKey !== bearer) throw new ApiError('ambiguous_credentials');
  if (!bearer) throw unreadable(authorization, looksLikeKey);
  return looksLikeKey(bearer) ? { key: bearer } : { token: bearer };
}

/** Another scheme, none, or text with a space in it. */
function unreadable(authorization: string, looksLikeKey: (bearer: string) => boolean): ApiError {
  return looksLikeKey(authorization.replace(/^Bearer +/i, ''))
    ? new ApiError('invalid_api_key', {
        detail: 'Send the whole key, as `X-API-Key: <key>` or `Authorization: Bearer <key>`.',
      })
    : new ApiError('invalid_access_token', { detail: 'Send `Authorization: Bearer <access token>`.' });
}
