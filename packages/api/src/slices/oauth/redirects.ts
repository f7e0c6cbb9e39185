import type { Context } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { namedPage } from '../../pipeline/origins.ts';

/** Where a login may lead back to: an open redirect would hand its code to a stranger. */
export function allowedRedirect({ ports }: Context, redirectTo: string | undefined): string | null {
  if (redirectTo === undefined) return null;
  const page = namedPage(ports.origins, redirectTo);
  if (page === null) throw new ApiError('redirect_not_allowed');
  return page;
}

/** The page with these parameters added to its own. */
export function withParameters(redirectTo: string, parameters: Record<string, string>): string {
  const url = new URL(redirectTo);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
