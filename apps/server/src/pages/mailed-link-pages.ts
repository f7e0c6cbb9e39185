import { type Html, html } from '@rentapi/platform/html';
import { cardLayout, type Site } from './layout.ts';

/** What a page shows. After a GET it repeats nothing of the request; an answer to a form repeats what is sent again. */
export type Shown =
  | { is: 'form' }
  | {
      is: 'form';
      token: string;
      email: string;
      problem: string;
      code: string;
      status: number;
      retryAfterS?: number | undefined;
    }
  | { is: 'code'; token: string; challengeToken: string; problem?: string; status: number }
  | { is: 'incomplete' }
  | { is: 'done' };

interface Page {
  title: string;
  lead: string;
  fields?: (email: string) => Html;
  button: string;
  done: string;
  /** What comes next. */
  next?: Html;
  /** What to do after failures, by their codes; `incomplete` is a link without its token. */
  help?: readonly (readonly [codes: string, help: (email: string) => Html])[];
  /** For a page that needs no mailed link. */
  isOpen?: true;
}

const email = (typed: string): Html => html`<label>E-mail address
        <input type="email" name="email" value="${typed}" autocomplete="username" required maxlength="254"></label>`;

const newPassword = html`<label>Password, at least 8 characters
        <input type="password" name="password" autocomplete="new-password" required minlength="8" maxlength="256"></label>`;

const signIn = (typed: string): Html => html`
        ${email(typed)}
        <label>Password
          <input type="password" name="password" autocomplete="current-password" required maxlength="1000"></label>`;

/** So that a used or lost link is not a dead end. */
const resend = (typed: string): Html => html`
      <form method="post" action="/resend-verification">
        ${email(typed)}
        <button type="submit">Mail me a new link</button>
      </form>`;

const askForReset = (typed: string): Html => html`
      <form method="post" action="/forgot-password">
        ${email(typed)}
        <button type="submit">Mail me a link to set a password</button>
      </form>`;

const BROKEN = 'invalid_token incomplete';

const pages = {
  '/verify-email': {
    title: 'Confirm your e-mail address',
    lead: 'One step is left: confirm that this address is yours.',
    button: 'Confirm e-mail address',
    done: 'Your e-mail address is confirmed. You can sign in now.',
    next: html`<p>If this address was registered more than once, no password is kept yet: a mail with a link to set yours is on
        its way.</p>`,
    help: [[BROKEN, resend]],
  },
  '/resend-verification': {
    title: 'Confirm your e-mail address',
    lead: 'A new link is mailed to you.',
    fields: email,
    button: 'Mail me a new link',
    done: 'If that address has an account that is not confirmed yet, a new link is on its way.',
    isOpen: true,
  },
  '/reset-password': {
    title: 'Set a new password',
    lead: 'It ends every session of your account.',
    fields: () => newPassword,
    button: 'Set the password',
    done: 'Your password is set. You can sign in with it now.',
    help: [[BROKEN, askForReset]],
  },
  '/forgot-password': {
    title: 'Forgot your password?',
    lead: 'A link to set a new one is mailed to you.',
    fields: email,
    button: 'Mail me a link to set a password',
    done: 'If that address has an account, a link is on its way.',
    isOpen: true,
  },
  '/confirm-email-change': {
    title: 'Confirm your new e-mail address',
    lead: 'From now on you sign in with this address, and mail comes here.',
    button: 'Use this address',
    done: 'This is the address of your account now. The old one, if it was confirmed, got a mail with a link that takes it back.',
    help: [[BROKEN, () => html`<p>Sign in, and ask for the change again: a new link is mailed.</p>`]],
  },
  '/undo-email-change': {
    title: 'Take your e-mail address back',
    lead: 'Your account gets this address again, and every session of it ends.',
    button: 'Take my address back',
    done: 'Your account has its old address again, and every session has ended.',
    next: html`<p>The person who changed it knew your password, or used your device. Set a new password now.</p>
      ${askForReset('')}`,
    help: [
      [
        BROKEN,
        () => html`<p>This link is mailed once, and works for 7 days. If you have used it, sign in with this address. If not,
        write to those who run this service.</p>`,
      ],
    ],
  },
  '/keep-two-factor': {
    title: 'Keep your second factor',
    lead: 'An administrator asked to remove the second factor of your account. If you object, it stays.',
    button: 'Keep my second factor',
    done: 'Your second factor stays. Nothing has changed.',
    help: [
      [
        BROKEN,
        () => html`<p>You have objected already, or the second factor was removed: then log in and set up a new one. If you did
        not ask for that, write to those who run this service.</p>`,
      ],
    ],
  },
  '/download-export': {
    title: 'Download your data',
    lead: 'Sign in to download the copy of your data.',
    fields: signIn,
    button: 'Sign in and download',
    done: 'The download has begun.',
    help: [
      ['not_found invalid_input incomplete', () => html`<p>A copy is deleted after 24 hours. Ask for another one.</p>`],
    ],
  },
  '/accept-invitation': {
    title: 'Accept the invitation',
    lead: 'Sign in with the address that was invited. Only its owner can accept.',
    fields: signIn,
    button: 'Sign in and accept',
    done: 'You are a member now.',
    next: html`<p>The organization is there when you sign in to your app.</p>`,
    help: [
      ['email_not_verified', resend],
      [BROKEN, () => html`<p>Ask the organization to invite you again.</p>`],
      [
        ' invalid_credentials',
        () => html`<p>No account yet? <a href="/register">Register</a> with the address that was invited.</p>`,
      ],
    ],
  },
  '/register': {
    title: 'Register',
    lead: 'If you were invited, use the address that was invited.',
    fields: (typed) => html`
        ${email(typed)}
        ${newPassword}`,
    button: 'Register',
    done: 'Now open the link in the mail that is on its way to you. If you were invited, open the invitation once more after that.',
    isOpen: true,
  },
} as const satisfies Record<string, Page>;

export type MailedPage = keyof typeof pages;
export const mailedPages = Object.keys(pages) as MailedPage[];

/** The forms work without scripts. Where there are some, one takes the token out of the address. */
export function viewOf(site: Site, path: MailedPage, shown: Shown): string {
  const page: Page = pages[path];
  const problem = 'problem' in shown && shown.problem ? shown.problem : null;
  const title = page.title.replaceAll('-', '\u2011');
  return cardLayout(site, {
    title: `${problem ? 'Problem: ' : ''}${page.title} · RentAPI`,
    scripts: ['mailed-link.js'],
    main: html`
      <h1>${title}</h1>
      ${problem && html`<p class="note bad" role="alert">${problem}</p>`}
      ${contentOf(page, shown)}`,
  });
}

function contentOf(page: Page, shown: Shown): Html {
  if (shown.is === 'done') return html`<p class="note good" role="status">${page.done}</p>${page.next ?? null}`;
  if (shown.is === 'code') return codeForm(shown);
  if (shown.is === 'incomplete' && !page.isOpen)
    return html`<p class="note bad">This link is incomplete, or the page was reloaded. Open the link in the mail again.</p>
      ${helpFor(page, 'incomplete', '')}`;
  const failed = 'code' in shown ? shown : null;
  const { token = '', email = '', code = '' } = failed ?? {};
  // A link that was used or has expired does not work the second time either.
  const form = code === 'invalid_token' ? null : mainForm(page, token, email);
  return html`${form}${helpFor(page, code, email)}`;
}

function mainForm(page: Page, token: string, email: string): Html {
  return html`
      <form method="post">
        <p>${page.lead}</p>
        ${page.isOpen ? null : hidden('token', token)}
        ${page.fields?.(email) ?? null}
        <button type="submit">${page.button}</button>
      </form>`;
}

function codeForm({ token, challengeToken }: { token: string; challengeToken: string }): Html {
  return html`
      <form method="post">
        <p>Your account has a second factor.</p>
        ${hidden('token', token)}
        ${hidden('challengeToken', challengeToken)}
        <label>Code of your authenticator app, or a backup code
          <input type="text" name="code" autocomplete="one-time-code" required maxlength="100"></label>
        <button type="submit">Continue</button>
      </form>`;
}

const hidden = (name: string, value: string): Html => html`<input type="hidden" name="${name}" value="${value}">`;

function helpFor({ help = [] }: Page, code: string, email: string): Html {
  return html`${help.filter(([codes]) => codes.split(' ').includes(code)).map(([, give]) => give(email))}`;
}
