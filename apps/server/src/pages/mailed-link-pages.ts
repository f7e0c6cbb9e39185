import { type Html, html } from '@rentapi/platform/html';
import { cardLayout, type Site } from './layout.ts';

// The token never reaches these functions: the script takes it from the address. So no page repeats it, and opening a
// link (mail scanners do) does not use it up.

export function verifyEmail(site: Site): string {
  return mailedLink(site, {
    action: 'verify-email',
    title: 'Confirm your e-mail address',
    lead: 'One step is left: confirm that this address is yours.',
    form: html`<button type="submit">Confirm e-mail address</button>`,
    done: 'Your e-mail address is confirmed. You can sign in now.',
    help: html`
      ${resend('invalid_token incomplete')}
      <div data-after="verify-email" hidden>
        <p>If this address was registered more than once, no password is kept yet: a mail with a link to set yours is on its
          way.</p>
      </div>`,
  });
}

export function resetPassword(site: Site): string {
  return mailedLink(site, {
    action: 'password-reset/confirm',
    title: 'Set a new password',
    lead: 'It ends every session of your account.',
    form: html`
      ${newPassword}
      <button type="submit">Set the password</button>`,
    done: 'Your password is set. You can sign in with it now.',
    help: askForReset('invalid_token incomplete'),
  });
}

export function confirmEmailChange(site: Site): string {
  return mailedLink(site, {
    action: 'email-change/confirm',
    title: 'Confirm your new e-mail address',
    lead: 'From now on you sign in with this address, and mail comes here.',
    form: html`<button type="submit">Use this address</button>`,
    done: 'This is the address of your account now. The old one got a mail with a link that takes it back.',
    help: html`<p data-help="invalid_token incomplete" hidden>Sign in, and ask for the change again: a new link is mailed.</p>`,
  });
}

export function undoEmailChange(site: Site): string {
  return mailedLink(site, {
    action: 'email-change/undo',
    title: 'Take your e-mail address back',
    lead: 'Your account gets this address again, and every session of it ends.',
    form: html`<button type="submit">Take my address back</button>`,
    done: 'Your account has its old address again, and every session has ended.',
    help: html`
      <p data-help="invalid_token incomplete" hidden>This link is mailed once, and works for 7 days. If you have used it,
        sign in with this address. If not, write to those who run this service.</p>
      <div data-after="email-change/undo" hidden>
        <p>The person who changed it knew your password, or used your device. Set a new password now.</p>
        ${askForReset(null)}
      </div>`,
  });
}

export function keepTwoFactor(site: Site): string {
  return mailedLink(site, {
    action: '2fa/reset/object',
    title: 'Keep your second factor',
    lead: 'An administrator asked to remove the second factor of your account. If you object, it stays.',
    form: html`<button type="submit">Keep my second factor</button>`,
    done: 'Your second factor stays. Nothing has changed.',
    help: html`<p data-help="invalid_token incomplete" hidden>You have objected already, or the second factor was removed: then log
        in and set up a new one. If you did not ask for that, write to those who run this service.</p>`,
  });
}

export function downloadExport(site: Site): string {
  return mailedLink(site, {
    action: 'download-export',
    title: 'Download your data',
    lead: 'Sign in to download the copy of your data.',
    form: html`
      ${email}
      <label>Password
        <input type="password" name="password" autocomplete="current-password" required maxlength="1000"></label>
      <button type="submit">Sign in and download</button>`,
    done: 'The download has begun.',
    help: html`<p data-help="not_found incomplete" hidden>A copy is deleted after 24 hours. Ask for another one.</p>`,
  });
}

/** The page without a token: it requests a mailed link. */
export function forgotPassword(site: Site): string {
  return card(site, 'Forgot your password?', askForReset(null));
}

export function acceptInvitation(site: Site): string {
  return mailedLink(site, {
    action: 'accept-invitation',
    title: 'Accept the invitation',
    lead: 'Sign in with the address that was invited. Only its owner can accept.',
    form: html`
      ${email}
      <label>Password
        <input type="password" name="password" autocomplete="current-password" required maxlength="1000"></label>
      <button type="submit">Sign in and accept</button>`,
    done: 'You are a member now.',
    help: html`${resend('email_not_verified')}
      <p data-help="invalid_token incomplete" hidden>Ask the organization to invite you again.</p>
      <details data-help>
        <summary>No account yet? Register</summary>
        <form method="post" data-action="register">
          <p>With the address that was invited.</p>
          ${email}
          ${newPassword}
          <button type="submit">Register</button>
        </form>
      </details>
      ${done('register', 'Now open the link in the mail that is on its way to you. Then open the invitation in your mail once more.')}`,
  });
}

const email = html`<label>E-mail address
        <input type="email" name="email" autocomplete="username" required maxlength="254"></label>`;

const newPassword = html`<label>Password, at least 8 characters
        <input type="password" name="password" autocomplete="new-password" required minlength="8" maxlength="256"></label>`;

/** Shown after these failures, so that a used or lost link is not a dead end. */
function resend(failures: string): Html {
  return html`
      <form method="post" data-action="resend-verification" data-help="${failures}" hidden>
        ${email}
        <button type="submit">Mail me a new link</button>
      </form>
      ${done('resend-verification', 'If that address has an account that is not confirmed yet, a new link is on its way.')}`;
}

/** The failures after which it is shown; without them, it is shown at once. */
function askForReset(failures: string | null): Html {
  return html`
      <form method="post" data-action="password-reset/request" ${failures && html`data-help="${failures}" hidden`}>
        ${email}
        <button type="submit">Mail me a link to set a password</button>
      </form>
      ${done('password-reset/request', 'If that address has an account, a link is on its way.')}`;
}

function done(action: string, sentence: string): Html {
  return html`<p class="note good" role="status" data-show="${action}-done" hidden>${sentence}</p>`;
}

interface MailedLink {
  action:
    | 'verify-email'
    | 'accept-invitation'
    | 'password-reset/confirm'
    | 'email-change/confirm'
    | 'email-change/undo'
    | '2fa/reset/object'
    | 'download-export';
  title: string;
  lead: string;
  form: Html;
  done: string;
  /** What to do when the link does not work. */
  help: Html;
}

function mailedLink(site: Site, link: MailedLink): string {
  return card(
    site,
    link.title,
    html`
      <form method="post" data-action="${link.action}" hidden>
        <p>${link.lead}</p>
        ${link.form}
      </form>
      <p class="note bad" data-show="incomplete" hidden>This link is incomplete, or the page was reloaded. Open the link in
        the mail again.</p>
      ${done(link.action, link.done)}
      ${link.help}`,
  );
}

function card(site: Site, title: string, main: Html): string {
  return cardLayout(site, {
    title: `${title} · RentAPI`,
    scripts: ['mailed-link.js'],
    main: html`
      <h1>${title.replaceAll('-', '\u2011')}</h1>
      <p class="note bad" role="alert" data-show="problem" hidden></p>
      ${main}
      <noscript><p class="note bad">This page needs JavaScript.</p></noscript>`,
  });
}
