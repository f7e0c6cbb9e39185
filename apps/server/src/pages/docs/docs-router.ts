import express from 'express';
import { type SecurityHeaders, setHeaders } from '../../security-headers.ts';
import { createCompressed, type Exchange } from '../compressed.ts';
import { QUERY_LENGTH, type Site } from '../layout.ts';
import { docHtml, searchPage } from './doc-html.ts';
import type { Documentation } from './documentation.ts';

interface DocsRouterOptions {
  documentation: () => Documentation;
  site: Site;
  security: SecurityHeaders;
}

/** The documentation, as pages for browsers and as Markdown for programs. */
export function docsRouter({ documentation, site, security }: DocsRouterOptions): express.Router {
  const router = express.Router();

  const sendCompressed = createCompressed();

  const sendText = (exchange: Exchange, name: string, type: string, text: () => string) => {
    setHeaders(exchange.res, security.api);
    exchange.res.set({ 'Cache-Control': 'no-cache', 'Content-Type': `${type}; charset=utf-8` });
    return sendCompressed(exchange, name, text);
  };
  const startPage = (res: express.Response): express.Response => {
    setHeaders(res, security.pages.own);
    res.setHeader('Cache-Control', 'no-cache');
    return res.type('html');
  };

  router.get('/llms.txt', (req, res) => sendText({ req, res }, req.path, 'text/plain', () => documentation().llms));

  router.get('/docs/search', (req, res) => {
    const query = queryOf(req);
    startPage(res).send(searchPage(site, query, documentation().search(query)));
  });
  router.get('/docs/search.json', (req, res) => {
    setHeaders(res, security.api);
    res.setHeader('Cache-Control', 'no-cache');
    res.json({ items: documentation().search(queryOf(req)) });
  });

  router.get('/docs/*path', async (req, res, next) => {
    const docs = documentation();
    const asMarkdown = req.path.endsWith('.md');
    const page = docs.page(asMarkdown ? req.path.slice(0, -'.md'.length) : req.path.replace(/\/$/, ''));
    if (!page) return next();
    if (!asMarkdown) res.vary('Accept');
    if (asMarkdown || req.accepts(['text/html', 'text/markdown']) === 'text/markdown') {
      return sendText({ req, res }, `${page.path}.md`, 'text/markdown', () => docs.markdown(page));
    }
    startPage(res);
    await sendCompressed({ req, res }, page.path, () => docHtml(site, page, docs.rendered(page)));
  });
  return router;
}

/** Longer text is cut before anything is done with it. */
function queryOf({ query: { q } }: express.Request): string {
  return typeof q === 'string' ? q.slice(0, QUERY_LENGTH).trim() : '';
}
