import { STATUS_CODES } from 'node:http';
import { html } from './html.ts';
import { layout, type Site } from './layout.ts';

export interface ErrorRow {
  status: number;
  title: string;
  /** What the caller can do about it. */
  mend: string;
}
export type ErrorCatalogue = Record<string, ErrorRow>;

export function errorList(site: Site, errors: ErrorCatalogue): string {
  const rows = Object.entries(errors).sort(([a, x], [b, y]) => x.status - y.status || a.localeCompare(b, 'en'));
  return layout(site, {
    title: 'Errors · RentAPI',
    main: html`
      <h1>Errors</h1>
      <p class="lead">A failed request answers <code>application/problem+json</code> (RFC 9457). Programs should look at
        <code>code</code>: it never changes, while the sentences may. Quote <code>requestId</code> when you ask for help.</p>
      <div class="scroll"><table>
        <thead><tr><th>Code</th><th>Status</th><th>What it means</th></tr></thead>
        <tbody>${rows.map(
          ([code, row]) => html`
          <tr><td><a href="/docs/errors/${code}"><code>${code}</code></a></td><td>${badge(row.status)}</td><td>${row.title}</td></tr>`,
        )}
        </tbody>
      </table></div>`,
  });
}

export function errorPage(site: Site, publicUrl: string, code: string, row: ErrorRow): string {
  const example = {
    type: `${publicUrl}/docs/errors/${code}`,
    title: row.title,
    status: row.status,
    detail: row.title,
    code,
    requestId: 'req_example',
  };
  return layout(site, {
    title: `${code} · RentAPI errors`,
    main: html`
      <p class="crumb"><a href="/docs/errors">All errors</a></p>
      <h1><code>${code}</code></h1>
      <p class="lead">${badge(row.status)} ${STATUS_CODES[row.status] ?? ''}</p>
      <h2>What it means</h2>
      <p>${row.title}</p>
      <p class="quiet">${whose(row.status)}</p>
      <h2>How to mend it</h2>
      <p>${row.mend}</p>
      <h2>What you receive</h2>
      <pre><code>${JSON.stringify(example, null, 2)}</code></pre>
      <p class="quiet"><code>detail</code> says more about the one request, and <code>requestId</code> names it in the
        server's log. It is also in the <code>X-Request-Id</code> header.</p>`,
  });
}

export function noSuchError(site: Site, code: string): string {
  return layout(site, {
    title: 'No such error · RentAPI',
    main: html`
      <h1>No such error</h1>
      <p class="lead">This version of RentAPI has no error called <code>${code.slice(0, 100)}</code>.</p>
      <p><a href="/docs/errors">All errors</a></p>`,
  });
}

function badge(status: number) {
  return html`<span class="status s${Math.floor(status / 100)}">${status}</span>`;
}

function whose(status: number): string {
  if (status === 429) return 'Nothing was done. The same request succeeds later: wait as long as Retry-After says.';
  if (status === 503) return 'The server cannot answer now. Nothing is wrong with the request: retry it with backoff.';
  if (status >= 500)
    return 'The fault is ours, not in the request. A retry with backoff is safe with an Idempotency-Key.';
  return 'The request was refused, and nothing was changed.';
}
