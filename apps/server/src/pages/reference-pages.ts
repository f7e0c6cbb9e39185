import { html } from '@rentapi/platform/html';
import { document, type Site } from './layout.ts';

export function scalarPage({ assets }: Site): string {
  return document(
    assets,
    'RentAPI reference',
    html`<script src="${assets.bundle('scalar')}" defer></script>
    <script src="${assets.own('scalar.js')}" defer></script>
  </head>
  <body>
    <div id="reference"></div>
    <noscript>This reference needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
  </body>`,
  );
}

export function redocPage({ assets }: Site): string {
  return document(
    assets,
    'RentAPI reference (Redoc)',
    html`<script src="${assets.bundle('redoc')}" defer></script>
    <script src="${assets.own('redoc.js')}" defer></script>
  </head>
  <body style="margin: 0">
    <div id="reference"></div>
    <noscript>This reference needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
  </body>`,
    'light', // Redoc uses dark text, whatever the browser prefers
  );
}
