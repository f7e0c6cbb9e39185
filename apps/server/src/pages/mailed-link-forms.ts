import type { ServerResponse } from 'node:http';
import { toApiError } from '@rentapi/api/contract/problem';
import type { PageCalls, PageForms } from '@rentapi/api/transports/page-forms';
import express from 'express';
import type { Site } from './layout.ts';
import { type MailedPage, mailedPages, type Shown, viewOf } from './mailed-link-pages.ts';

type Send = (res: express.Response, body: string) => void;

/** A sign-in that has to show its second factor first. */
class SecondFactorNeeded extends Error {
  readonly challengeToken: string;
  constructor(challengeToken: string) {
    super('the second factor is asked for');
    this.challengeToken = challengeToken;
  }
}

/** What a page cannot do, as a sentence for the person. */
class PageRefusal extends Error {}

interface Sent {
  calls: PageCalls;
  /** Of the mailed link: in the form, or still in the address where scripts are off. */
  token: string;
  field(name: string): string;
  res: ServerResponse;
}

const actions: Record<MailedPage, (sent: Sent) => Promise<void>> = {
  '/verify-email': ({ calls, token }) => calls.verifyEmail({ token }),
  '/resend-verification': ({ calls, field }) => calls.resendVerification({ email: field('email') }),
  '/forgot-password': ({ calls, field }) => calls.requestPasswordReset({ email: field('email') }),
  '/reset-password': ({ calls, token, field }) => calls.confirmPasswordReset({ token, password: field('password') }),
  '/confirm-email-change': ({ calls, token }) => calls.confirmEmailChange({ token }),
  '/undo-email-change': ({ calls, token }) => calls.undoEmailChange({ token }),
  '/keep-two-factor': ({ calls, token }) => calls.keepTwoFactor({ token }),
  '/register': ({ calls, field }) => calls.register({ email: field('email'), password: field('password') }),
  '/accept-invitation': (sent) =>
    signedIn(sent, (accessToken) => sent.calls.acceptInvitation(accessToken, { token: sent.token })),
  // The mailed token is the id of the file: it opens nothing by itself.
  '/download-export': (sent) =>
    signedIn(sent, (accessToken) => sent.calls.sendExport(accessToken, sent.token, sent.res)),
};

/** The session serves this one call and ends with it. */
async function signedIn({ calls, field }: Sent, use: (accessToken: string) => Promise<void>): Promise<void> {
  const challengeToken = field('challengeToken');
  const answer = challengeToken
    ? await calls.finishLogin({ challengeToken, code: field('code') })
    : await calls.login({ email: field('email'), password: field('password') });
  if ('mfaRequired' in answer) {
    if (answer.methods.includes('totp') || answer.methods.includes('backup_code'))
      throw new SecondFactorNeeded(answer.challengeToken);
    throw new PageRefusal('Your account asks for a passkey, which this page cannot do. Sign in to your app to go on.');
  }
  try {
    await use(answer.accessToken);
  } finally {
    await calls.logout(answer.accessToken).catch(() => undefined); // ended already, or ends by itself
  }
}

/** The pages of mailed links. A GET changes nothing: mail scanners open links, too. */
export function mailedLinkRouter(site: Site, forms: PageForms, send: Send): express.Router {
  const router = express.Router();
  for (const path of mailedPages) {
    const [asked, incomplete] = [viewOf(site, path, { is: 'form' }), viewOf(site, path, { is: 'incomplete' })];
    router.get(path, ({ query }, res) => send(res, query['token'] ? asked : incomplete));
    router.post(path, async (req, res) => {
      const fields = await forms.read(req);
      const linked = req.query['token'];
      const token = fields.get('token') || (typeof linked === 'string' ? linked : '');
      const field = (name: string): string => fields.get(name) ?? '';
      const shown = await submit(path, { calls: forms.calls(req), token, field, res });
      if (res.headersSent) return; // the file was the answer
      if ('status' in shown) res.status(shown.status);
      if ('retryAfterS' in shown && shown.retryAfterS !== undefined) res.set('Retry-After', String(shown.retryAfterS));
      send(res, viewOf(site, path, shown));
    });
  }
  return router;
}

async function submit(path: MailedPage, sent: Sent): Promise<Shown> {
  const { token, field } = sent;
  try {
    await actions[path](sent);
    return { is: 'done' };
  } catch (failure) {
    if (failure instanceof SecondFactorNeeded)
      return { is: 'code', token, challengeToken: failure.challengeToken, status: 200 };
    const email = field('email');
    if (failure instanceof PageRefusal)
      return { is: 'form', token, email, problem: failure.message, code: 'refused', status: 403 };
    const error = toApiError(failure);
    if (error.status >= 500 && error.status !== 503) throw failure;
    const { errorCode: code, status, retryAfterS } = error;
    // The page shows the fields; the sentence above them is written for programs.
    const faults = (error.errors ?? []).map(({ path, message }) => `${path || 'The form'} ${message}.`).join(' ');
    const problem = faults || error.message;
    const challengeToken = field('challengeToken');
    return code === 'invalid_code' && challengeToken
      ? { is: 'code', token, challengeToken, problem, status }
      : { is: 'form', token, email, problem, code, status, retryAfterS };
  }
}
