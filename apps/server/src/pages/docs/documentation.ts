import type { DescribedContract } from '@rentapi/api/transports/describe-contract';
import type { DocPage } from './doc-page.ts';
import { errorPages } from './error-docs.ts';
import { eventPage } from './event-docs.ts';
import { guidePages } from './guides.ts';
import { llmsIndex } from './llms.ts';
import { type RenderedMarkdown, renderMarkdown, rewriteLinks } from './markdown.ts';
import { type OpenApiDocument, operationPages } from './operation-docs.ts';
import { permissionPage } from './permission-docs.ts';
import { createSearch, type Search } from './search.ts';

export interface Documentation {
  pages: readonly DocPage[];
  page(path: string): DocPage | undefined;
  /** Rendered on first use, and kept: there are as many as there are pages. */
  rendered(page: DocPage): RenderedMarkdown;
  /** As programs read it: links are whole, and lead to Markdown too. */
  markdown(page: DocPage): string;
  search: Search;
  llms: string;
}

export interface DocumentationSources {
  contract: DescribedContract;
  openapi: OpenApiDocument;
  publicUrl: string;
}

export function createDocumentation({ contract, openapi, publicUrl }: DocumentationSources): Documentation {
  const pages = [
    ...guidePages(publicUrl),
    ...operationPages(contract, openapi, publicUrl),
    eventPage(contract),
    permissionPage(contract),
    ...errorPages(contract, publicUrl),
  ];
  const byPath = new Map(pages.map((page) => [page.path, page]));
  const rendered = new Map<DocPage, RenderedMarkdown>();
  let search: Search | undefined;
  return {
    pages,
    page: (path) => byPath.get(path),
    rendered(page) {
      const made = rendered.get(page) ?? renderMarkdown(page.markdown);
      rendered.set(page, made);
      return made;
    },
    markdown: (page) =>
      rewriteLinks(page.markdown, (address) => {
        if (!address.startsWith('/')) return address;
        const [path = '', anchor] = address.split('#');
        return `${publicUrl}${path}${byPath.has(path) ? '.md' : ''}${anchor ? `#${anchor}` : ''}`;
      }),
    search(query) {
      search ??= createSearch(pages);
      return search(query);
    },
    llms: llmsIndex(pages, contract, publicUrl),
  };
}
