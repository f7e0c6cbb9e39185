import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Api } from '@rentapi/api/api';
import { toProblem } from '@rentapi/api/contract/problem';
import { ListJobs } from '@rentapi/api/slices/queues/schemas';
import { Cookies } from '@rentapi/api/wire/cookies';
import express from 'express';
import { z } from 'zod';
import { type SecurityHeaders, setHeaders } from '../../security-headers.ts';
import type { Site } from '../layout.ts';
import { codePage, JOBS, jobList, jobView, problemPage, signInPage } from './job-pages.ts';

/** Calls the contract as the browser, with this access token: what the API refuses, these pages refuse. */
export type CallerOf = (
  req: IncomingMessage,
  res: ServerResponse,
  accessToken: string | undefined,
) => ReturnType<Api['callerOf']>;

interface OperatorOptions {
  site: Site;
  callerOf: CallerOf;
  security: SecurityHeaders;
  publicUrl: string;
}

const COOKIE = '__Host-rentapi_operator';

/** The queues and jobs for an administrator's browser, without scripts. */
export function operatorRouter({ site, callerOf, security, publicUrl }: OperatorOptions): express.Router {
  const router = express.Router();
  const ownOrigin = new URL(publicUrl).origin;
  const form = express.urlencoded({ extended: false, limit: '8kb', parameterLimit: 10 });

  function send(res: express.Response, status: number, body: string): void {
    setHeaders(res, security.pages.form);
    // Others may neither read these pages nor keep them, whatever CORS allows elsewhere.
    res.removeHeader('Access-Control-Allow-Origin');
    res.setHeader('Cache-Control', 'no-store');
    res.status(status).type('html').send(body);
  }

  const problemOf = (error: unknown) => toProblem(error, { requestId: '', publicUrl });

  /** Answers what the API has refused. A failure of ours goes to the log, as everywhere. */
  function refuse(res: express.Response, error: unknown): void {
    const { status, title, detail } = problemOf(error);
    if (status >= 500) throw error;
    if (status === 401) {
      new Cookies(res.req, res).clear(COOKIE, 'strict');
      send(res, 401, signInPage(site, 'Your sign-in has ended. Sign in again.'));
    } else send(res, status, problemPage(site, title, detail));
  }

  /** The API as the signed-in browser may call it; null after the page to sign in was sent. */
  function signedIn(req: express.Request, res: express.Response): ReturnType<CallerOf> | null {
    const token = new Cookies(req, res).get(COOKIE);
    if (token !== undefined) return callerOf(req, res, token);
    send(res, 401, signInPage(site, null));
    return null;
  }

  /** A form of another site, which the cookie's `SameSite` does not stop from signing someone in. */
  const ownPagesOnly: express.RequestHandler = (req, res, next) => {
    const from = req.headers['sec-fetch-site'];
    const isOwn = from === undefined ? req.headers.origin === ownOrigin : from === 'same-origin';
    if (isOwn) return next();
    send(res, 403, problemPage(site, 'Not from this page', 'Open the page of the jobs, and use its own buttons.'));
  };

  function signIn(res: express.Response, { accessToken, expiresIn }: { accessToken: string; expiresIn: number }): void {
    new Cookies(res.req, res).set(COOKIE, accessToken, { sameSite: 'strict', maxAgeS: expiresIn });
    res.redirect(303, JOBS);
  }

  router.get(['/admin/agendash', '/admin/agendash/*rest'], (_req, res) => res.redirect(308, JOBS));

  router.get(JOBS, async (req, res) => {
    const api = signedIn(req, res);
    if (!api) return;
    const wanted = ListJobs.safeParse(given(req));
    if (!wanted.success) return send(res, 400, problemPage(site, 'No such jobs', z.prettifyError(wanted.error)));
    try {
      const [queues, jobs] = await Promise.all([api.admin.queues(), api.admin.jobs.list(wanted.data)]);
      send(res, 200, jobList(site, queues.items, jobs, wanted.data));
    } catch (error) {
      refuse(res, error);
    }
  });

  router.get(`${JOBS}/:jobId`, async (req, res) => {
    const api = signedIn(req, res);
    if (!api) return;
    try {
      send(res, 200, jobView(site, await api.admin.jobs.get({ jobId: req.params.jobId }), null));
    } catch (error) {
      refuse(res, error);
    }
  });

  router.post(`${JOBS}/sign-in`, ownPagesOnly, form, async (req, res) => {
    const { email, password } = fields(req);
    try {
      const answer = await callerOf(req, res, undefined).auth.login({ email, password });
      if ('mfaRequired' in answer) return send(res, 200, codePage(site, answer.challengeToken, null));
      signIn(res, answer);
    } catch (error) {
      const { status, detail } = problemOf(error);
      if (status >= 500) throw error;
      send(res, status, signInPage(site, detail));
    }
  });

  router.post(`${JOBS}/sign-in/code`, ownPagesOnly, form, async (req, res) => {
    const { challengeToken, code } = fields(req);
    try {
      signIn(res, await callerOf(req, res, undefined).auth.twoFactor.login({ challengeToken, code }));
    } catch (error) {
      const { status, code: reason, detail } = problemOf(error);
      if (status >= 500) throw error;
      const again = reason === 'invalid_code' ? codePage(site, challengeToken, detail) : signInPage(site, detail);
      send(res, status, again);
    }
  });

  router.post(`${JOBS}/sign-out`, ownPagesOnly, async (req, res) => {
    const cookies = new Cookies(req, res);
    const token = cookies.get(COOKIE);
    cookies.clear(COOKIE, 'strict');
    try {
      if (token !== undefined) await callerOf(req, res, token).auth.logout({});
    } catch (error) {
      if (problemOf(error).status >= 500) throw error; // else the session has ended before
    }
    res.redirect(303, JOBS);
  });

  router.post(`${JOBS}/:jobId/retry`, ownPagesOnly, async (req: express.Request<{ jobId: string }>, res) => {
    const api = signedIn(req, res);
    if (!api) return;
    const { jobId } = req.params;
    try {
      await api.admin.jobs.retry({ jobId });
      res.redirect(303, `${JOBS}/${encodeURIComponent(jobId)}`);
    } catch (error) {
      refuse(res, error);
    }
  });

  /** What the parser of forms refuses has a status of its own. */
  const refuseForm: express.ErrorRequestHandler = (error: { status?: number }, _req, res, next) => {
    const { status } = error;
    if (status === undefined || status < 400 || status > 499) return next(error);
    send(res, status, problemPage(site, 'Not a form of this page', 'Open the page again, and use its own form.'));
  };
  router.use(JOBS, refuseForm);
  return router;
}

/** The filters of the list, without those that a form leaves empty. */
function given({ query }: express.Request): object {
  const named = ['queue', 'status', 'name', 'cursor'].flatMap((name) => {
    const value = query[name];
    return typeof value === 'string' && value !== '' ? [[name, value]] : [];
  });
  return Object.fromEntries(named);
}

/** The texts of a form; what is missing is empty, which the schemas refuse. */
function fields(req: express.Request): Record<'email' | 'password' | 'challengeToken' | 'code', string> {
  const body: Record<string, unknown> = req.body ?? {};
  const text = (name: string) => {
    const value = body[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    email: text('email'),
    password: text('password'),
    challengeToken: text('challengeToken'),
    code: text('code'),
  };
}
