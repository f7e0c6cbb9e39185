import type { Context } from '../context.ts';
import { ApiError } from '../contract/errors.ts';
import type { ProcedureMeta } from '../contract/meta.ts';
import type { Cookies } from '../wire/cookies.ts';

/**
 * The cookies of a call whose operation declares some. `cookie: true` is checked here, before a password is hashed or a
 * token is used up.
 */
export async function admitCookies(
  ctx: Context,
  meta: ProcedureMeta,
  readInput: () => Promise<unknown>,
): Promise<Cookies | null> {
  if (meta.cookie === 'binds') return assertCookies(ctx);
  const input = await readInput();
  if (typeof input === 'object' && input !== null && 'cookie' in input && input.cookie === true) assertCookies(ctx);
  return ctx.cookies;
}

/**
 * Throws where no cookie can be set, or the calling page may not have one. A client that is no browser sends no
 * `Origin`.
 */
export function assertCookies(ctx: Context): Cookies {
  if (!ctx.cookies) throw new ApiError('cookies_unavailable');
  if (ctx.request.origin !== undefined) assertOwnPage(ctx);
  return ctx.cookies;
}

/**
 * Pages of other hosts of the same site are sent `SameSite=Strict` cookies too, and must not use them. Browsers name
 * the page in the `Origin` of every POST.
 */
export function assertOwnPage({ request: { origin }, ports }: Context): void {
  if (origin !== undefined && ports.origins.isNamed(origin)) return;
  throw new ApiError('origin_not_allowed', {
    detail: 'Cookies are for pages of PUBLIC_URL, of CONSOLE_URL, and of the origins that CORS_ORIGINS names.',
  });
}
