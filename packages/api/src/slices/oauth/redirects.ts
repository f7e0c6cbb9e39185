import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';

/**
 * Where a login may lead back to: an open redirect would hand its code to a stranger. The address is used as the URL
 * parser writes it, so that a browser cannot read another host in it.
 */
export function allowedRedirect({ ports }: Context, redirectTo: string | undefined): string | null {
  if (redirectTo === undefined) return null;
  const url = URL.parse(redirectTo);
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash;
  if (!isPlain || !/^https?:\/\/[^\\\s]+$/i.test(redirectTo) || !ports.origins.isNamed(url.origin))
    throw new ApiError('redirect_not_allowed');
  return url.href;
}

/** The page with these parameters added to its own. */
export function withParameters(redirectTo: string, parameters: Record<string, string>): string {
  const url = new URL(redirectTo);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
