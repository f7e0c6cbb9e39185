import { type Html, html } from '@rentapi/platform/html';
import { layout, type Site } from '../layout.ts';

export const JOBS = '/admin/jobs';
export const BILLING = '/admin/billing';
/** The pages to which a sign-in may lead. */
const OPERATOR_PAGES = [JOBS, BILLING];

/** The page that a form names, if it is one of these: no other site may be led to. */
export const pageNamed = (path: string | null): string => OPERATOR_PAGES.find((page) => page === path) ?? JOBS;

export function operatorPage(site: Site, title: string, main: Html, { signedIn = true } = {}): string {
  return layout(site, {
    title: `${title} · RentAPI`,
    isScriptless: true,
    main: html`
      ${
        signedIn
          ? html`<form method="post" action="${JOBS}/sign-out"><p class="crumb"><a href="${JOBS}">Jobs</a>
        <a href="${BILLING}">Billing</a>
        <button class="plain" type="submit">Sign out</button></p></form>`
          : null
      }
      <h1>${title}</h1>
      ${main}`,
  });
}

export const alert = (sentence: string | null): Html | null =>
  sentence === null ? null : html`<p class="note bad" role="alert">${sentence}</p>`;

export function signInPage(site: Site, page: string, problem: string | null): string {
  const main = html`${alert(problem)}
      <p>For administrators of the platform.</p>
      <form method="post" action="${JOBS}/sign-in">
        <input type="hidden" name="page" value="${page}">
        <label>E-mail address
          <input type="email" name="email" autocomplete="username" required maxlength="254"></label>
        <label>Password
          <input type="password" name="password" autocomplete="current-password" required maxlength="1000"></label>
        <button type="submit">Sign in</button>
      </form>`;
  return operatorPage(site, 'Administration', main, { signedIn: false });
}

export function codePage(
  site: Site,
  { page, challengeToken, problem }: { page: string; challengeToken: string; problem: string | null },
): string {
  const main = html`${alert(problem)}
      <form method="post" action="${JOBS}/sign-in/code">
        <input type="hidden" name="page" value="${page}">
        <input type="hidden" name="challengeToken" value="${challengeToken}">
        <label>Code of your authenticator app, or a backup code
          <input name="code" autocomplete="one-time-code" required maxlength="64"></label>
        <button type="submit">Sign in</button>
      </form>`;
  return operatorPage(site, 'Second factor', main, { signedIn: false });
}

export function problemPage(site: Site, title: string, detail: string): string {
  return operatorPage(site, title, html`${alert(detail)}`);
}

export function query(values: Record<string, string | undefined>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) given.append(name, value);
  return given.toString();
}

export function time(at: string | null): Html {
  return at === null ? html`–` : html`<time datetime="${at}">${at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>`;
}
