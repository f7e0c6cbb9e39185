import type { Api } from '@rentapi/api/api';
import type { ApiError } from '@rentapi/api/contract/errors';
import { toApiError } from '@rentapi/api/contract/problem';
import { noteError } from '@rentapi/api/wire/observed';
import express from 'express';
import { type SecurityHeaders, setHeaders } from '../security-headers.ts';
import type { Site } from './layout.ts';
import { type MailedLinkPage, mailedLinkPages, type Problem, SecondFactorError } from './mailed-link-pages.ts';

interface MailedLinksOptions {
  site: Site;
  security: SecurityHeaders;
  signInUrl: string;
  calls: Api['pages'];
}

/** The pages that mailed links open, and their forms where a browser runs no scripts. */
export function mailedLinksRouter({ site, security, signInUrl, calls }: MailedLinksOptions): express.Router {
  const router = express.Router();
  // A reload has to open the mail again: the token must stay neither in the address bar nor in a cache.
  const send = (res: express.Response, page: string) => {
    setHeaders(res, security.pages.own);
    res.setHeader('Cache-Control', 'no-store');
    res.type('html').send(page);
  };

  for (const { path, show, submit, isOpen = false } of mailedLinkPages(signInUrl)) {
    router.get(path, (req, res) => send(res, show(site, isOpen || tokenOf(req) !== '' ? 'open' : 'incomplete')));
    if (!submit) continue;
    router.post(path, async (req, res) => {
      try {
        await submitForm(submit, req, res);
        send(res, show(site, 'done'));
      } catch (error) {
        send(res, show(site, problemOf(error, req, res)));
      }
    });
  }

  async function submitForm(
    submit: NonNullable<MailedLinkPage['submit']>,
    req: express.Request,
    res: express.Response,
  ) {
    const fields = await calls.readForm(req);
    await submit({
      api: (accessToken) => calls.callerOf(req, res, accessToken),
      token: tokenOf(req),
      field: (name) => fields.get(name) ?? '',
    });
  }
  return router;
}

const tokenOf = ({ query: { token } }: express.Request): string => (typeof token === 'string' ? token : '');

/** What the page says, with the status of the answer. Throws what is a failure of ours. */
function problemOf(error: unknown, req: express.Request, res: express.Response): Problem {
  if (error instanceof SecondFactorError) {
    res.status(403);
    return { code: 'two_factor_required', sentence: error.message };
  }
  const known = toApiError(error);
  if (known.status === 500) throw error;
  noteError(req, known);
  res.status(known.status);
  if (known.retryAfterS !== undefined) res.setHeader('Retry-After', known.retryAfterS);
  return { code: known.errorCode, sentence: sentenceOf(known) };
}

/** The page shows the fields; the sentence above them is written for programs. */
function sentenceOf({ errors = [], detail }: ApiError): string {
  return errors.map(({ path, message }) => `${path || 'The request'} ${message}.`).join(' ') || detail;
}
