import { type Html, html } from '@rentapi/platform/html';
import type { Assets } from './assets.ts';

/** What every page is built from. */
export interface Site {
  assets: Assets;
  version: string;
}

interface Page {
  title: string;
  main: Html;
  /** The file name of this page's own script. */
  script?: Parameters<Assets['own']>[0];
  /** A small card in the middle, for the pages that mailed links open. */
  card?: boolean;
}

export function layout({ assets, version }: Site, page: Page): string {
  return document(
    assets,
    page.title,
    html`
    <link rel="stylesheet" href="${assets.own('pages.css')}">
    ${page.script ? html`<script src="${assets.own(page.script)}" defer></script>` : null}
  </head>
  <body class="${page.card ? 'card' : 'wide'}">
    <header>
      <a class="brand" href="/"><img src="${assets.own('icon.svg')}" alt="" width="28" height="28">RentAPI</a>
      ${
        page.card
          ? null
          : html`<nav><a href="/docs">Reference</a><a href="/redoc">Redoc</a><a href="/docs/errors">Errors</a></nav>`
      }
    </header>
    <main>${page.main}</main>
    ${page.card ? null : html`<footer>RentAPI ${version}</footer>`}
  </body>`,
  );
}

/** `rest` closes the head and contains the body. */
export function document(
  assets: Assets,
  title: string,
  rest: Html,
  colours: 'light dark' | 'light' = 'light dark',
): string {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="${colours}">
    <title>${title}</title>
    <link rel="icon" type="image/svg+xml" href="${assets.own('icon.svg')}">
    ${rest}
</html>
`.text;
}
