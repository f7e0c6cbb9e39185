import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { namedPage } from '../../../pipeline/origins.ts';

/** Where a payer may be sent back to: an open redirect of ours would make any page look like ours. */
export function allowedReturnUrl({ ports }: Context, returnUrl: string): string {
  const page = namedPage(ports.origins, returnUrl);
  if (page === null) throw new ApiError('return_url_not_allowed');
  return page;
}
