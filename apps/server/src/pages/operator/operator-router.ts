import type { Api } from '@rentapi/api/api';
import { toProblem } from '@rentapi/api/contract/problem';
import { ListFindings } from '@rentapi/api/slices/billing/schemas';
import { ListJobs } from '@rentapi/api/slices/queues/schemas';
import { Cookies } from '@rentapi/api/wire/cookies';
import express from 'express';
import { z } from 'zod';
import { type SecurityHeaders, setHeaders } from '../../security-headers.ts';
import type { Site } from '../layout.ts';
import { billingPage } from './billing-page.ts';
import { jobList, jobView } from './job-pages.ts';
import { BILLING, codePage, JOBS, pageNamed, problemPage, signInPage } from './operator-page.ts';

interface OperatorOptions {
  site: Site;
  /** What the API refuses, these pages refuse. */
  calls: Api['pages'];
  security: SecurityHeaders;
  publicUrl: string;
}

const COOKIE = '__Host-rentapi_operator';

/** Queues, jobs and the books for an administrator's browser, without scripts. */
export function operatorRouter({ site, calls, security, publicUrl }: OperatorOptions): express.Router {
  const router = express.Router();
  const { callerOf } = calls;

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
      send(res, 401, signInPage(site, pageNamed(res.req.path), 'Your sign-in has ended. Sign in again.'));
    } else send(res, status, problemPage(site, title, detail));
  }

  /** The API as the signed-in browser may call it; null after the page to sign in was sent. */
  function signedIn(req: express.Request, res: express.Response): ReturnType<typeof callerOf> | null {
    const token = new Cookies(req, res).get(COOKIE);
    if (token !== undefined) return callerOf(req, res, token);
    send(res, 401, signInPage(site, pageNamed(req.path), null));
    return null;
  }

  /** What a form is to do. One of another site is refused: `SameSite` does not stop it from signing someone in. */
  const submitted =
    <Params>(work: (req: express.Request<Params>, res: express.Response, fields: URLSearchParams) => Promise<void>) =>
    async (req: express.Request<Params>, res: express.Response) => {
      try {
        await work(req, res, await calls.readForm(req));
      } catch (error) {
        refuse(res, error);
      }
    };

  /** The answer, or what the API has refused. */
  async function attempt<Answer>(call: () => Promise<Answer>) {
    try {
      return { status: 200, code: '', detail: '', answer: await call() };
    } catch (error) {
      const { status, code, detail } = problemOf(error);
      if (status >= 500) throw error;
      return { status, code, detail };
    }
  }

  function signIn(
    res: express.Response,
    page: string,
    { accessToken, expiresIn }: { accessToken: string; expiresIn: number },
  ): void {
    new Cookies(res.req, res).set(COOKIE, accessToken, { sameSite: 'strict', maxAgeS: expiresIn });
    res.redirect(303, page);
  }

  router.get(['/admin/agendash', '/admin/agendash/*rest'], (_req, res) => res.redirect(308, JOBS));

  router.get(JOBS, async (req, res) => {
    const api = signedIn(req, res);
    if (!api) return;
    const wanted = ListJobs.safeParse(given(req, ['queue', 'status', 'name', 'cursor']));
    if (!wanted.success) return send(res, 400, problemPage(site, 'No such jobs', z.prettifyError(wanted.error)));
    try {
      const [queues, jobs] = await Promise.all([api.admin.queues(), api.admin.jobs.list(wanted.data)]);
      send(res, 200, jobList(site, queues.items, jobs, wanted.data));
    } catch (error) {
      refuse(res, error);
    }
  });

  router.get(BILLING, async (req, res) => {
    const api = signedIn(req, res);
    if (!api) return;
    const wanted = ListFindings.safeParse(given(req, ['cursor']));
    if (!wanted.success) return send(res, 400, problemPage(site, 'No such findings', z.prettifyError(wanted.error)));
    try {
      const { billing } = api.admin;
      const [books, findings] = await Promise.all([
        billing.books(),
        billing.findings({ ...wanted.data, state: 'OPEN' }),
      ]);
      send(res, 200, billingPage(site, books, findings, new Date()));
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

  router.post(
    `${JOBS}/sign-in`,
    submitted(async (req, res, fields) => {
      const page = pageNamed(fields.get('page'));
      const { status, detail, answer } = await attempt(() =>
        callerOf(req, res).auth.login({ email: fieldOf(fields, 'email'), password: fieldOf(fields, 'password') }),
      );
      if (!answer) return send(res, status, signInPage(site, page, detail));
      if ('mfaRequired' in answer) {
        const { challengeToken } = answer;
        return send(res, 200, codePage(site, { page, challengeToken, problem: null }));
      }
      signIn(res, page, answer);
    }),
  );

  router.post(
    `${JOBS}/sign-in/code`,
    submitted(async (req, res, fields) => {
      const page = pageNamed(fields.get('page'));
      const challengeToken = fieldOf(fields, 'challengeToken');
      const { status, code, detail, answer } = await attempt(() =>
        callerOf(req, res).auth.twoFactor.login({ challengeToken, code: fieldOf(fields, 'code') }),
      );
      if (answer) return signIn(res, page, answer);
      const isWrong = code === 'invalid_code';
      const again = isWrong
        ? codePage(site, { page, challengeToken, problem: detail })
        : signInPage(site, page, detail);
      send(res, status, again);
    }),
  );

  router.post(
    `${JOBS}/sign-out`,
    submitted(async (req, res) => {
      const cookies = new Cookies(req, res);
      const token = cookies.get(COOKIE);
      cookies.clear(COOKIE, 'strict');
      // What is refused has ended before.
      if (token !== undefined) await attempt(() => callerOf(req, res, token).auth.logout({}));
      res.redirect(303, JOBS);
    }),
  );

  router.post(
    `${JOBS}/:jobId/retry`,
    submitted(async (req: express.Request<{ jobId: string }>, res) => {
      const api = signedIn(req, res);
      if (!api) return;
      const { jobId } = req.params;
      await api.admin.jobs.retry({ jobId });
      res.redirect(303, `${JOBS}/${encodeURIComponent(jobId)}`);
    }),
  );
  return router;
}

/** The filters of a list, without those that a form leaves empty. */
function given({ query }: express.Request, names: readonly string[]): object {
  const named = names.flatMap((name) => {
    const value = query[name];
    return typeof value === 'string' && value !== '' ? [[name, value]] : [];
  });
  return Object.fromEntries(named);
}

/** A text of a form; what is missing is empty, which the schemas refuse. */
const fieldOf = (fields: URLSearchParams, name: string): string => fields.get(name) ?? '';
