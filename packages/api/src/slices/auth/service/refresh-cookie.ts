import type { Context } from '../../../context.ts';
import { assertCookies, assertOwnPage } from '../../../pipeline/cookies.ts';

const NAME = '__Host-rentapi_refresh';

/**
 * In cookie mode the refresh token leaves as a cookie, which no script can read. Call it after the commit: a rollback
 * must not replace a cookie that still works. Answers without tokens pass unchanged.
 */
export function deliverTokens<Answer extends object>(ctx: Context, answer: Answer, asCookie = false): Answer {
  if (!asCookie || !('refreshToken' in answer) || typeof answer.refreshToken !== 'string') return answer;
  const maxAgeS = ctx.ports.env.REFRESH_TOKEN_TTL_S;
  assertCookies(ctx).set(NAME, answer.refreshToken, { sameSite: 'strict', maxAgeS });
  return { ...answer, refreshToken: null };
}

/** The refresh token in the request's cookie, if there is one and the page may use it. */
export function readRefreshCookie(ctx: Context): string | undefined {
  const token = ctx.cookies?.get(NAME);
  if (token !== undefined) assertOwnPage(ctx);
  return token;
}

/** Takes the cookie away from the browser, with what it has cached of this origin. */
export function clearRefreshCookie(ctx: Context): void {
  ctx.cookies?.clear(NAME, 'strict');
  ctx.responseHeaders['Clear-Site-Data'] = '"cache"';
}
