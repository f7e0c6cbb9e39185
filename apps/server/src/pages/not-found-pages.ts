import { html } from '@rentapi/platform/html';
import { layout, type Site } from './layout.ts';

export function noSuchPage(site: Site, path: string): string {
  return layout(site, {
    title: 'No such page · RentAPI',
    main: html`
      <h1>No such page</h1>
      <p class="lead">There is nothing at <code>${path.slice(0, 200)}</code>.</p>
      <p><a href="/">Start page</a> · <a href="/docs">API reference</a> · <a href="/docs/guides">Guides</a> ·
        <a href="/docs/search">Search</a></p>`,
  });
}

export function noSuchError(site: Site, code: string): string {
  return layout(site, {
    title: 'No such error · RentAPI',
    main: html`
      <h1>No such error</h1>
      <p class="lead">This version of RentAPI has no error called <code>${code.slice(0, 100)}</code>.</p>
      <p><a href="/docs/errors">All errors</a></p>`,
    section: 'Errors',
  });
}
