import express from 'express';
import { type SecurityHeaders, setHeaders } from '../security-headers.ts';
import type { Assets } from './assets.ts';

interface SiteFilesOptions {
  publicUrl: string;
  securityContact?: string;
  /** Public keys of access tokens. */
  jwks: () => readonly object[];
  assets: Assets;
  security: SecurityHeaders;
}

const DAY_MS = 86_400_000;
/** RFC 9116 asks for less than a year, so that a stale file is noticed. */
const SECURITY_TXT_VALID_MS = 90 * DAY_MS;

/** The next key is published before it is used: for longer than this. */
const JWKS_CACHED_S = 300;

/** Nothing there is worth finding: operations, captured mail, and the pages that mailed links open. */
const NOT_FOR_ROBOTS = [
  '/api/',
  '/trpc/',
  '/dev/',
  '/admin/',
  '/verify-email',
  '/accept-invitation',
  '/reset-password',
  '/unlock',
  '/confirm-email-change',
  '/undo-email-change',
  '/keep-two-factor',
  '/download-export',
];

/** Files that programs look for under fixed names. */
export function siteFiles({ publicUrl, securityContact, jwks, assets, security }: SiteFilesOptions): express.Router {
  const router = express.Router();
  const sendText = (res: express.Response, lines: string[]) => {
    setHeaders(res, security.api);
    res.set({ 'Cache-Control': 'no-cache', 'Content-Type': 'text/plain; charset=utf-8' });
    res.send(`${lines.join('\n')}\n`);
  };

  router.get('/favicon.ico', (_req, res) => {
    setHeaders(res, security.api);
    res.setHeader('Cache-Control', 'public, max-age=86400');
    res.redirect(302, assets.own('icon.ico'));
  });
  router.get('/robots.txt', (_req, res) => {
    sendText(res, ['User-agent: *', ...NOT_FOR_ROBOTS.map((path) => `Disallow: ${path}`)]);
  });
  router.get('/.well-known/jwks.json', (_req, res) => {
    setHeaders(res, security.api);
    res.setHeader('Cache-Control', `public, max-age=${JWKS_CACHED_S}`);
    res.type('application/jwk-set+json').send(JSON.stringify({ keys: jwks() }));
  });
  if (securityContact) {
    router.get('/.well-known/security.txt', (_req, res) => {
      const expires = new Date(Date.now() + SECURITY_TXT_VALID_MS).toISOString();
      const canonical = `${publicUrl}/.well-known/security.txt`;
      sendText(res, [
        `Contact: ${securityContact}`,
        `Expires: ${expires}`,
        `Canonical: ${canonical}`,
        'Preferred-Languages: en',
      ]);
    });
  }
  return router;
}
