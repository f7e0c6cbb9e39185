import { html } from '@rentapi/platform/html';
import { document, header, type Site } from './layout.ts';

const noscript = html`<noscript><p>This reference needs JavaScript. <a href="/docs/operations">All operations</a> are also
      on plain pages, and the document itself is at <a href="/openapi.json">/openapi.json</a>.</p></noscript>`;

const searchLink = html`<a href="/docs/search">Search</a>`;

export function scalarPage({ assets }: Site): string {
  return document(
    assets,
    'RentAPI reference',
    html`<link rel="stylesheet" href="${assets.own('site.css')}">
    <link rel="stylesheet" href="${assets.own('reference.css')}">
    <script src="${assets.bundle('scalar')}" defer></script>
    <script src="${assets.own('scalar.js')}" defer></script>
  </head>
  <body>
    ${header(assets, 'Reference', searchLink)}
    ${noscript}
    <div id="reference"></div>
  </body>`,
  );
}

export function redocPage({ assets }: Site): string {
  return document(
    assets,
    'RentAPI reference (Redoc)',
    html`<link rel="stylesheet" href="${assets.own('site.css')}">
    <link rel="stylesheet" href="${assets.own('reference.css')}">
    <script src="${assets.bundle('redoc')}" defer></script>
    <script src="${assets.own('redoc.js')}" defer></script>
  </head>
  <body>
    ${header(assets, 'Reference', searchLink)}
    ${noscript}
    <main><div id="reference"></div></main>
  </body>`,
  );
}
