import { html } from '@rentapi/platform/html';
import { layout, type Site } from './layout.ts';

export interface ErrorRow {
  status: number;
  title: string;
  /** What the caller can do about it. */
  fix: string;
}
export type ErrorCatalogue = Record<string, ErrorRow>;

const EXAMPLE_REQUEST_ID = '1f6ad9c2-7c31-4c3e-9d5e-0b8a2f4c6e10';

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

export function errorPage(site: Site, code: string, row: ErrorRow): string {
  const example = {
    type: `/docs/errors/${code}`,
    title: row.title,
    status: row.status,
    detail: row.fix,
    code,
    requestId: EXAMPLE_REQUEST_ID,
    ...(code === 'invalid_input' && { errors: [{ path: 'name', message: 'is required' }] }),
  };
  return layout(site, {
    title: `${code} · RentAPI errors`,
    main: html`
      <p class="crumb"><a href="/docs/errors">All errors</a></p>
      <h1><code>${code}</code></h1>
      <p class="lead">${badge(row.status)} ${row.title}</p>
      <h2>What it means</h2>
      <p>${meaning(row.status)}</p>
      <p>${whose(row.status)}</p>
      <h2>How to fix it</h2>
      <p>${row.fix}</p>
      <h2>What you receive</h2>
      <pre><code>${JSON.stringify(example, null, 2)}</code></pre>
      <p class="quiet"><code>detail</code> can say more about the one request, and <code>requestId</code> identifies it in the
        server's log. It is also in the <code>X-Request-Id</code> header.</p>`,
  });
}

export function noSuchPage(site: Site, path: string): string {
  return layout(site, {
    title: 'No such page · RentAPI',
    main: html`
      <h1>No such page</h1>
      <p class="lead">There is nothing at <code>${path.slice(0, 200)}</code>.</p>
      <p><a href="/">Start page</a> · <a href="/docs">API reference</a></p>`,
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

/** What all errors of a status have in common; the title and the fix of each say the rest. */
function meaning(status: number): string {
  return MEANINGS[status] ?? (status >= 500 ? 'The server failed.' : 'The request cannot be answered as it is.');
}

const MEANINGS: Record<number, string> = {
  400: 'Something in the request itself is wrong: its form, a field, or a header.',
  401: 'The request has no credential, or one that is not valid.',
  403: 'The server knows who is calling, and the caller may not do this.',
  404: 'There is nothing here that the caller can see. A resource of others gets the same answer as one that does not exist.',
  405: 'The path is right, the method is not.',
  408: 'The request did not arrive in time.',
  409: 'The request is valid, but the current state of the resource does not allow it.',
  412: 'The resource was changed after you read it.',
  413: 'The body is larger than the server takes.',
  415: 'The body is in a format that the server does not read.',
  422: 'The request contradicts one that was sent before.',
  426: 'This address is served over another protocol.',
  429: 'Too many requests came in too short a time.',
  431: 'The headers are larger than the server takes.',
};

function whose(status: number): string {
  if (status === 429) return 'Nothing was done. The same request succeeds later: wait for the seconds in Retry-After.';
  if (status === 503) return 'The server cannot answer now. Nothing is wrong with the request: retry it with backoff.';
  if (status >= 500)
    return 'The fault is ours, not in the request. A retry with backoff is safe with an Idempotency-Key.';
  return 'The request was refused, and nothing was changed.';
}
