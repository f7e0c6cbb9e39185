import { type Html, html } from '@rentapi/platform/html';
import type { Assets } from './assets.ts';

/** What every page is built from. */
export interface Site {
  assets: Assets;
  version: string;
}

type OwnFile = Parameters<Assets['own']>[0];

const SECTIONS = [
  ['Reference', '/docs'],
  ['Guides', '/docs/guides'],
  ['SDK', '/docs/sdk'],
  ['tRPC', '/docs/trpc'],
  ['Events', '/docs/events'],
  ['Permissions', '/docs/permissions'],
  ['Errors', '/docs/errors'],
] as const;
export type Section = (typeof SECTIONS)[number][0];

/** Longer text than this finds no more. */
export const QUERY_LENGTH = 100;

interface Page {
  title: string;
  main: Html;
  /** Which entry of the navigation the page belongs to. */
  section?: Section;
  scripts?: OwnFile[];
  /** The same page as Markdown. */
  markdown?: string;
  /** Whether the page is a search itself, and needs none above it. */
  isSearch?: true;
  /** For pages of forms, whose policy allows no script. */
  isScriptless?: true;
}

export function layout(site: Site, page: Page): string {
  const { assets } = site;
  return document(
    assets,
    page.title,
    html`
    <link rel="stylesheet" href="${assets.own('site.css')}">
    <link rel="stylesheet" href="${assets.own('pages.css')}">
    ${page.markdown ? html`<link rel="alternate" type="text/markdown" href="${page.markdown}">` : null}
    ${scripts(assets, [...(page.isSearch || page.isScriptless ? [] : ['search.js' as const]), ...(page.scripts ?? [])])}
  </head>
  <body class="wide">
    ${header(assets, page.section, page.isSearch || page.isScriptless ? null : searchForm)}
    <main>${page.main}</main>
    ${footer(site, page.markdown)}
  </body>`,
  );
}

/**
 * A small card in the middle, for the pages that mailed links open. It sends nothing by itself, so it has no search.
 */
export function cardLayout({ assets }: Site, page: Pick<Page, 'title' | 'main' | 'scripts'>): string {
  return document(
    assets,
    page.title,
    html`
    <link rel="stylesheet" href="${assets.own('site.css')}">
    <link rel="stylesheet" href="${assets.own('pages.css')}">
    ${scripts(assets, page.scripts ?? [])}
  </head>
  <body class="card">
    <header class="site-header">${brand(assets)}</header>
    <main>${page.main}</main>
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

export function header(assets: Assets, current: Section | undefined, search: Html | null): Html {
  return html`<header class="site-header">
      ${brand(assets)}
      <nav class="site-nav" aria-label="Documentation">${SECTIONS.map(
        ([name, path]) => html`<a href="${path}"${name === current ? html` aria-current="page"` : null}>${name}</a>`,
      )}</nav>
      ${search}
    </header>`;
}

function footer({ version }: Site, markdown?: string): Html {
  return html`<footer class="site-footer">
      <span>RentAPI ${version}</span>
      ${markdown ? html`<a href="${markdown}">This page as Markdown</a>` : null}
      <a href="/openapi.json">OpenAPI document</a><a href="/asyncapi.json">AsyncAPI document</a><a href="/redoc">Redoc</a><a href="/llms.txt">llms.txt</a>
    </footer>`;
}

const searchForm = html`<form class="site-search" role="search" action="/docs/search">
        <input type="search" name="q" aria-label="Search the documentation" placeholder="Search"
          maxlength="${QUERY_LENGTH}" autocomplete="off" spellcheck="false">
      </form>`;

function brand(assets: Assets): Html {
  return html`<a class="brand" href="/"><img src="${assets.own('icon.svg')}" alt="" width="28" height="28">RentAPI</a>`;
}

function scripts(assets: Assets, files: OwnFile[]): Html[] {
  return files.map((file) => html`<script src="${assets.own(file)}" defer></script>`);
}
