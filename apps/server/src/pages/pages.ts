import type { Api } from '@rentapi/api/api';
import type { MailPreview } from '@rentapi/api/mail-previews';
import type { DescribedContract } from '@rentapi/api/transports/describe-contract';
import { isLocal } from '@rentapi/api/wire/local-only';
import type { Mailbox } from '@rentapi/platform/mail';
import express from 'express';
import { type PageKind, type SecurityHeaders, securityHeaders, setHeaders } from '../security-headers.ts';
import { loadAssets } from './assets.ts';
import { type ContractDocuments, contractDocuments } from './contract-documents.ts';
import { docsRouter } from './docs/docs-router.ts';
import { createDocumentation, type Documentation } from './docs/documentation.ts';
import { frontPage } from './front-page.ts';
import { mailBody, mailKindList, mailKindView, mailList, mailView, noSuchMail } from './mail-pages.ts';
import { mailedLinksRouter } from './mailed-links-router.ts';
import { noSuchError, noSuchPage } from './not-found-pages.ts';
import { operatorRouter } from './operator/operator-router.ts';
import { redocPage, scalarPage } from './reference-pages.ts';
import { siteFiles } from './site-files.ts';

export interface PagesOptions extends ContractDocuments {
  /** What the documentation is made of. Called once, when the first page of it is asked for. */
  contract: () => DescribedContract;
  /** null: mail is not captured. */
  mailbox: Mailbox | null;
  /** Every kind of mail, with example data; shown where mail is captured. */
  mailKinds: () => Promise<MailPreview[]>;
  production: boolean;
  version: string;
  /** Absolute, without a trailing slash. */
  publicUrl: string;
  /** Where a person signs in. */
  signInUrl: string;
  /** How forms and the pages of operators use the contract. */
  calls: Api['pages'];
  /** For security.txt; without one there is no such file. */
  securityContact?: string;
  /** Public keys of access tokens. */
  jwks: () => readonly object[];
  demoAccount: { email: string; password: string } | null;
  security?: SecurityHeaders;
}

/** Everything that a browser sees. No GET here changes anything: the action of a mailed link needs a button. */
export function pagesRouter(options: PagesOptions): express.Router {
  const security = options.security ?? securityHeaders('strict', options.publicUrl.startsWith('https:'));
  const assets = loadAssets();
  const site = { assets, version: options.version };
  const router = express.Router();

  const send = (res: express.Response, body: string, cache = 'no-cache', kind: PageKind = 'own') => {
    setHeaders(res, security.pages[kind]);
    res.setHeader('Cache-Control', cache);
    res.type('html').send(body);
  };

  router.get('/', (req, res) => {
    const captured = options.mailbox !== null && isLocal(req);
    // Clients on other machines do not see the mail, so no shared cache may keep this.
    send(res, frontPage(site, { ...options, captured }), 'private, no-cache');
  });

  router.get('/assets/:name', (_req, res, next) => {
    setHeaders(res, security.api);
    next();
  });
  router.get('/assets/:name', assets.serve);

  const scalar = scalarPage(site);
  const redoc = redocPage(site);
  router.get('/docs', (_req, res) => send(res, scalar, 'no-cache', 'scalar'));
  router.get('/redoc', (_req, res) => send(res, redoc, 'no-cache', 'redoc'));

  router.use(contractDocuments({ ...options, security }));

  let made: Documentation | undefined;
  const documentation = () => {
    made ??= createDocumentation({
      contract: options.contract(),
      openapi: JSON.parse(options.openapi()),
      publicUrl: options.publicUrl,
    });
    return made;
  };
  router.use(docsRouter({ documentation, site, security }));
  router.get('/docs/errors/:code', (req, res) => {
    res.status(404);
    send(res, noSuchError(site, req.params.code));
  });
  router.use(siteFiles({ ...options, assets, security }));

  router.use(mailedLinksRouter({ ...options, site, security }));

  const { mailbox, calls, publicUrl } = options;
  router.use(operatorRouter({ site, calls, security, publicUrl }));
  if (mailbox) router.use(capturedMail(mailbox, options.mailKinds, site, security, send));

  // Browsers get a page; programs, and all requests below /api, get the usual problem. It is no route, because Express
  // would then answer OPTIONS as if every path existed.
  router.use((req, res, next) => {
    if ((req.method !== 'GET' && req.method !== 'HEAD') || /^\/(api|trpc)(\/|$)/.test(req.path)) return next();
    res.vary('Accept');
    if (req.accepts(['application/problem+json', 'application/json', 'text/html']) !== 'text/html') return next();
    res.status(404);
    send(res, noSuchPage(site, req.path), 'no-store');
  });
  return router;
}

type Send = (res: express.Response, body: string, cache?: string, kind?: PageKind) => void;

function capturedMail(
  mailbox: Mailbox,
  mailKinds: PagesOptions['mailKinds'],
  site: Parameters<typeof mailList>[0],
  security: SecurityHeaders,
  send: Send,
): express.Router {
  const router = express.Router();
  // For other clients these pages do not exist: they get the server's own 404.
  router.use(['/dev/mail', '/dev/mail.json'], (req, res, next) => {
    if (!isLocal(req)) return next('router');
    // Captured mail contains tokens: no other site in the same browser may read it, whatever CORS allows elsewhere.
    res.removeHeader('Access-Control-Allow-Origin');
    next();
  });

  const list = (to: unknown) => mailbox.list(typeof to === 'string' && to !== '' ? { to } : undefined);

  router.get('/dev/mail.json', async (req, res) => {
    const items = await list(req.query.to);
    setHeaders(res, security.api);
    res.setHeader('Cache-Control', 'no-store');
    res.json({ items });
  });
  router.get('/dev/mail', async (req, res) => {
    const to = typeof req.query.to === 'string' ? req.query.to : '';
    send(res, mailList(site, await list(to), to), 'no-store');
  });
  router.get('/dev/mail/kinds', async (_req, res) => send(res, mailKindList(site, await mailKinds()), 'no-store'));
  router.get('/dev/mail/kinds/:name', async (req, res) => {
    const kind = (await mailKinds()).find(({ name }) => name === req.params.name);
    if (!kind) res.status(404);
    send(res, kind ? mailKindView(site, kind) : noSuchMail(site), 'no-store');
  });
  router.get('/dev/mail/kinds/:name/body', async (req, res, next) => {
    const kind = (await mailKinds()).find(({ name }) => name === req.params.name);
    if (!kind) return next();
    send(res, mailBody(kind.mail), 'no-store', 'mail');
  });
  router.get('/dev/mail/:id', async (req, res) => {
    const mail = await mailbox.get(req.params.id);
    if (!mail) res.status(404);
    send(res, mail ? mailView(site, mail) : noSuchMail(site), 'no-store');
  });
  router.get('/dev/mail/:id/body', async (req, res, next) => {
    const mail = await mailbox.get(req.params.id);
    if (!mail) return next();
    send(res, mailBody(mail), 'no-store', 'mail');
  });
  return router;
}
