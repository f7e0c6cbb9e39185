import { type Html, html } from '@rentapi/platform/html';
import { layout, QUERY_LENGTH, type Site } from '../layout.ts';
import type { DocPage } from './doc-page.ts';
import type { Heading, RenderedMarkdown } from './markdown.ts';
import type { SearchResult } from './search.ts';

/** Fewer headings than this are seen at once. */
const CONTENTS_FROM = 3;

export function docHtml(site: Site, page: DocPage, rendered: RenderedMarkdown): string {
  const chapters = rendered.headings.filter(({ level }) => level === 2);
  const hasContents = chapters.length >= CONTENTS_FROM;
  const article = html`<article class="doc">
        ${page.parent ? html`<p class="crumb"><a href="${page.parent.path}">${page.parent.title}</a></p>` : null}
        ${rendered.html}
      </article>`;
  return layout(site, {
    title: `${page.title} · RentAPI`,
    section: page.section,
    scripts: ['copy.js'],
    markdown: `${page.path}.md`,
    main: hasContents ? html`<div class="with-contents">${article}${contents(chapters)}</div>` : article,
  });
}

function contents(chapters: readonly Heading[]): Html {
  return html`<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${chapters.map(
    ({ id, text }) => html`<li><a href="#${id}">${text}</a></li>`,
  )}</ul></nav>`;
}

export function searchPage(site: Site, query: string, results: readonly SearchResult[]): string {
  return layout(site, {
    title: query === '' ? 'Search · RentAPI' : `${query} · Search · RentAPI`,
    isSearch: true,
    main: html`
      <h1>Search</h1>
      <form class="search-page" role="search" action="/docs/search">
        <input type="search" name="q" value="${query}" aria-label="Search for" maxlength="${QUERY_LENGTH}">
        <button type="submit">Search</button>
      </form>
      ${query === '' ? html`<p class="quiet">Guides, operations, events, permissions and error codes.</p>` : found(results)}`,
  });
}

function found(results: readonly SearchResult[]): Html {
  if (results.length === 0) return html`<p class="lead">Nothing found. Fewer or other words may find more.</p>`;
  return html`<ol class="found">${results.map(
    ({ kind, title, url, excerpt }) =>
      html`<li><a href="${url}">${title}</a> <span class="quiet">${kind}</span><p class="quiet">${excerpt}</p></li>`,
  )}</ol>`;
}
