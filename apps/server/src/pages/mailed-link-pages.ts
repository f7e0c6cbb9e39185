import type { Api } from '@rentapi/api/api';
import { type Html, html } from '@rentapi/platform/html';
import { cardLayout, type Site } from './layout.ts';

// Opening a link changes nothing (mail scanners do that): a button does. No page repeats the token. A form without an
// `action` is sent to the address that it was opened at, which has the token; with scripts, they send it.

/** What came of a page. Scripts show the same without another page. */
type Outcome = 'open' | 'incomplete' | 'done' | Problem;

export interface Problem {
  code: string;
  sentence: string;
}

type Caller = ReturnType<Api['pages']['callerOf']>;

interface Submitted {
  /** The API, as the browser may call it with this access token. */
  api(accessToken?: string): Caller;
  token: string;
  field(name: string): string;
}

export interface MailedLinkPage {
  path: string;
  show(site: Site, outcome: Outcome): string;
  /** What its form does in a browser without scripts. */
  submit?(form: Submitted): Promise<unknown>;
  /** Whether it is opened without a token: the page is a form to fill in. */
  isOpen?: true;
}

export const mailedLinkPages = (signInUrl: string): readonly MailedLinkPage[] => [
  {
    path: '/verify-email',
    show: verifyEmail,
    submit: ({ api, token }) => api().auth.email.verify({ token }),
  },
  {
    path: '/reset-password',
    show: resetPassword,
    submit: ({ api, token, field }) => api().auth.passwordReset.confirm({ token, password: field('password') }),
  },
  {
    path: '/unlock',
    show: (site, outcome) => unlock(site, outcome, signInUrl),
    submit: ({ api, token }) => api().auth.unlock({ token }),
  },
  {
    path: '/confirm-email-change',
    show: confirmEmailChange,
    submit: ({ api, token }) => api().auth.emailChange.confirm({ token }),
  },
  {
    path: '/undo-email-change',
    show: undoEmailChange,
    submit: ({ api, token }) => api().auth.emailChange.undo({ token }),
  },
  {
    path: '/keep-two-factor',
    show: keepTwoFactor,
    submit: ({ api, token }) => api().auth.twoFactor.objectReset({ token }),
  },
  { path: '/accept-invitation', show: acceptInvitation, submit: signInAndAccept },
  { path: '/download-export', show: downloadExport },
  {
    path: '/forgot-password',
    show: forgotPassword,
    submit: ({ api, field }) => api().auth.passwordReset.request({ email: field('email') }),
    isOpen: true,
  },
  {
    path: '/resend-verification',
    show: resendVerification,
    submit: ({ api, field }) => api().auth.email.resendVerification({ email: field('email') }),
    isOpen: true,
  },
  {
    path: '/register',
    show: register,
    submit: ({ api, field }) => api().auth.register({ email: field('email'), password: field('password') }),
    isOpen: true,
  },
];

function verifyEmail(site: Site, outcome: Outcome): string {
  return mailedLink(site, outcome, {
    action: 'verify-email',
    title: 'Confirm your e-mail address',
    lead: 'One step is left: confirm that this address is yours.',
    form: html`<button type="submit">Confirm e-mail address</button>`,
    done: 'Your e-mail address is confirmed. You can sign in now.',
    help: html`
      ${resend(outcome, ['invalid_token', 'incomplete'])}
      <div data-after="verify-email"${hiddenUnless(outcome === 'done')}>
        <p>If this address was registered more than once, no password is kept yet: a mail with a link to set yours is on its
          way.</p>
      </div>`,
  });
}

function resetPassword(site: Site, outcome: Outcome): string {
  return mailedLink(site, outcome, {
    action: 'password-reset/confirm',
    title: 'Set a new password',
    lead: 'It ends every session of your account.',
    form: html`
      ${newPassword}
      <button type="submit">Set the password</button>`,
    done: 'Your password is set. You can sign in with it now.',
    help: askForReset(outcome, ['invalid_token', 'incomplete']),
  });
}

function unlock(site: Site, outcome: Outcome, signInUrl: string): string {
  return mailedLink(site, outcome, {
    action: 'unlock',
    title: 'Unlock your account',
    lead: 'Too many wrong passwords locked your account. If they were yours, you can try again now. If not, do nothing: the lock keeps out the one who guesses, and ends by itself.',
    form: html`<button type="submit">Unlock my account</button>`,
    done: 'Your account is unlocked. You can sign in now.',
    help: html`
      <p data-help="invalid_token incomplete"${hiddenUnless(isOneOf(outcome, ['invalid_token', 'incomplete']))}>A link
        works once, for an hour, and the newest mail has the one that counts. The lock ends by itself, or with a new
        password:</p>
      ${askForReset(outcome, ['invalid_token', 'incomplete'])}
      <div data-after="unlock"${hiddenUnless(outcome === 'done')}>
        <p><a href="${signInUrl}">Sign in</a></p>
        <p>Or, if you forgot your password, set a new one:</p>
        ${askForReset('open', null)}
      </div>`,
  });
}

function confirmEmailChange(site: Site, outcome: Outcome): string {
  return mailedLink(site, outcome, {
    action: 'email-change/confirm',
    title: 'Confirm your new e-mail address',
    lead: 'From now on you sign in with this address, and mail comes here.',
    form: html`<button type="submit">Use this address</button>`,
    done: 'This is the address of your account now. The old one got a mail with a link that takes it back.',
    help: advice(outcome, html`Sign in, and ask for the change again: a new link is mailed.`),
  });
}

function undoEmailChange(site: Site, outcome: Outcome): string {
  return mailedLink(site, outcome, {
    action: 'email-change/undo',
    title: 'Take your e-mail address back',
    lead: 'Your account gets this address again, and every session of it ends.',
    form: html`<button type="submit">Take my address back</button>`,
    done: 'Your account has its old address again, and every session has ended.',
    help: html`
      ${advice(
        outcome,
        html`This link is mailed once, and works for 7 days. If you have used it,
        sign in with this address. If not, write to those who run this service.`,
      )}
      <div data-after="email-change/undo"${hiddenUnless(outcome === 'done')}>
        <p>The person who changed it knew your password, or used your device. Set a new password now.</p>
        ${askForReset('open', null)}
      </div>`,
  });
}

function keepTwoFactor(site: Site, outcome: Outcome): string {
  return mailedLink(site, outcome, {
    action: '2fa/reset/object',
    title: 'Keep your second factor',
    lead: 'An administrator asked to remove the second factor of your account. If you object, it stays.',
    form: html`<button type="submit">Keep my second factor</button>`,
    done: 'Your second factor stays. Nothing has changed.',
    help: advice(
      outcome,
      html`You have objected already, or the second factor was removed: then log
        in and set up a new one. If you did not ask for that, write to those who run this service.`,
    ),
  });
}

/** The one page that needs scripts: they sign in for one download, and end the session after it. */
function downloadExport(site: Site, outcome: Outcome): string {
  return mailedLink(site, outcome, {
    action: 'download-export',
    title: 'Download your data',
    lead: 'Sign in to download the copy of your data.',
    needsScripts: true,
    form: html`
      ${email}
      ${password}
      <button type="submit">Sign in and download</button>`,
    done: 'The download has begun.',
    help: html`<p data-help="not_found incomplete"${hiddenUnless(outcome === 'incomplete')}>A copy is deleted after 24 hours.
        Ask for another one.</p>`,
  });
}

function acceptInvitation(site: Site, outcome: Outcome): string {
  return mailedLink(site, outcome, {
    action: 'accept-invitation',
    title: 'Accept the invitation',
    lead: 'Sign in with the address that was invited. Only its owner can accept.',
    form: html`
      ${email}
      ${password}
      <button type="submit">Sign in and accept</button>`,
    done: 'You are a member now.',
    help: html`${resend(outcome, ['email_not_verified'])}
      ${advice(outcome, html`Ask the organization to invite you again.`)}
      <details data-help${hiddenUnless(outcome !== 'done')}>
        <summary>No account yet? Register</summary>
        ${registration}
      </details>
      ${done('register', registered, false)}`,
  });
}

/** The session serves this one call and is closed after it. */
async function signInAndAccept({ api, token, field }: Submitted): Promise<void> {
  const answer = await api().auth.login({ email: field('email'), password: field('password') });
  if ('mfaRequired' in answer) throw new SecondFactorError();
  const session = api(answer.accessToken);
  try {
    await session.orgs.invitations.accept({ token });
  } finally {
    await session.auth.logout({}).catch(() => undefined);
  }
}

/** The account has a second factor, which the page cannot ask for. */
export class SecondFactorError extends Error {
  override message = 'Your account has a second factor, which this page cannot ask for: sign in elsewhere.';
}

/** The pages without a token: they request a mailed link. */
function forgotPassword(site: Site, outcome: Outcome): string {
  return card(site, 'Forgot your password?', { outcome, main: askForReset(outcome, null) });
}

function resendVerification(site: Site, outcome: Outcome): string {
  return card(site, 'Confirm your e-mail address', { outcome, main: resend(outcome, null) });
}

function register(site: Site, outcome: Outcome): string {
  const isDone = outcome === 'done';
  return card(site, 'Register', {
    outcome,
    main: html`${isDone ? null : registration}${done('register', registered, isDone)}`,
  });
}

const email = html`<label>E-mail address
        <input type="email" name="email" autocomplete="username" required maxlength="254"></label>`;

const password = html`<label>Password
        <input type="password" name="password" autocomplete="current-password" required maxlength="1000"></label>`;

const newPassword = html`<label>Password, at least 8 characters
        <input type="password" name="password" autocomplete="new-password" required minlength="8" maxlength="256"></label>`;

const registration = html`<form method="post" action="/register" data-action="register">
          <p>With the address that was invited.</p>
          ${email}
          ${newPassword}
          <button type="submit">Register</button>
        </form>`;

const registered =
  'Now open the link in the mail that is on its way to you. Then open the invitation in your mail once more.';

/** Shown after these failures, so that a used or lost link is not a dead end; without failures, at once. */
function resend(outcome: Outcome, failures: string[] | null): Html {
  return mailForm(outcome, failures, {
    action: 'resend-verification',
    path: '/resend-verification',
    button: 'Mail me a new link',
    done: 'If that address has an account that is not confirmed yet, a new link is on its way.',
  });
}

function askForReset(outcome: Outcome, failures: string[] | null): Html {
  return mailForm(outcome, failures, {
    action: 'password-reset/request',
    path: '/forgot-password',
    button: 'Mail me a link to set a password',
    done: 'If that address has an account, a link is on its way.',
  });
}

function mailForm(
  outcome: Outcome,
  failures: string[] | null,
  form: { action: string; path: string; button: string; done: string },
): Html {
  const isDone = failures === null && outcome === 'done';
  const isHelp = failures && html` data-help="${failures.join(' ')}"${hiddenUnless(isOneOf(outcome, failures))}`;
  return html`${
    isDone
      ? null
      : html`
      <form method="post" action="${form.path}" data-action="${form.action}"${isHelp}>
        ${email}
        <button type="submit">${form.button}</button>
      </form>`
  }
      ${done(form.action, form.done, isDone)}`;
}

/** What to do when the link does not work. */
function advice(outcome: Outcome, sentence: Html): Html {
  const failures = ['invalid_token', 'incomplete'];
  return html`<p data-help="${failures.join(' ')}"${hiddenUnless(isOneOf(outcome, failures))}>${sentence}</p>`;
}

function done(action: string, sentence: string, isShown: boolean): Html {
  return html`<p class="note good" role="status" data-show="${action}-done"${hiddenUnless(isShown)}>${sentence}</p>`;
}

const hiddenUnless = (isShown: boolean): Html | null => (isShown ? null : html` hidden`);

const isOneOf = (outcome: Outcome, failures: string[]): boolean =>
  failures.includes(typeof outcome === 'object' ? outcome.code : outcome);

interface MailedLink {
  action:
    | 'verify-email'
    | 'accept-invitation'
    | 'password-reset/confirm'
    | 'unlock'
    | 'email-change/confirm'
    | 'email-change/undo'
    | '2fa/reset/object'
    | 'download-export';
  title: string;
  lead: string;
  form: Html;
  done: string;
  /** What to do when the link does not work, and what may follow when it does. */
  help: Html;
  needsScripts?: true;
}

/** A link that was used or has expired does not work the second time either: its form is left out. */
function mailedLink(site: Site, outcome: Outcome, link: MailedLink): string {
  const isUsable = outcome !== 'done' && !isOneOf(outcome, ['incomplete', 'invalid_token']);
  return card(site, link.title, {
    outcome,
    needsScripts: link.needsScripts ?? false,
    main: html`
      ${
        isUsable
          ? html`<form method="post" data-main data-action="${link.action}"${hiddenUnless(!link.needsScripts)}>
        <p>${link.lead}</p>
        ${link.form}
      </form>`
          : null
      }
      <p class="note bad" data-show="incomplete"${hiddenUnless(outcome === 'incomplete')}>This link is incomplete, or the page
        was reloaded. Open the link in the mail again.</p>
      ${done(link.action, link.done, outcome === 'done')}
      ${link.help}`,
  });
}

function card(
  site: Site,
  title: string,
  { outcome, main, needsScripts = false }: { outcome: Outcome; main: Html; needsScripts?: boolean },
): string {
  const problem = typeof outcome === 'object' ? outcome.sentence : null;
  return cardLayout(site, {
    title: `${title} · RentAPI`,
    scripts: ['mailed-link.js'],
    main: html`
      <h1>${title.replaceAll('-', '\u2011')}</h1>
      <p class="note bad" role="alert" data-show="problem"${hiddenUnless(problem !== null)}>${problem}</p>
      ${main}
      ${needsScripts ? html`<noscript><p class="note bad">This page needs JavaScript.</p></noscript>` : null}`,
  });
}
