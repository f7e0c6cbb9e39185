import { type Html, html } from './html.ts';
import { layout, type Site } from './layout.ts';

// The token never reaches these functions: the script takes it from the address. So no page repeats it, and opening a
// link (mail scanners do) spends nothing.

export function verifyEmail(site: Site): string {
  return mailedLink(site, {
    action: 'verify-email',
    title: 'Confirm your e-mail address',
    lead: 'One step is left: confirm that this address is yours.',
    form: html`<button type="submit">Confirm e-mail address</button>`,
    done: 'Your e-mail address is confirmed. You can sign in now.',
  });
}

export function acceptInvitation(site: Site): string {
  return mailedLink(site, {
    action: 'accept-invitation',
    title: 'Accept the invitation',
    lead: 'Sign in with the address that was invited. Only its owner can accept.',
    form: html`
      <label>E-mail address
        <input type="email" name="email" autocomplete="username" required maxlength="320"></label>
      <label>Password
        <input type="password" name="password" autocomplete="current-password" required maxlength="1000"></label>
      <button type="submit">Sign in and accept</button>
      <p class="quiet">No account yet? Register with the invited address first, then open this link again.</p>`,
    done: 'You are a member now.',
  });
}

interface MailedLink {
  action: 'verify-email' | 'accept-invitation';
  title: string;
  lead: string;
  form: Html;
  done: string;
}

function mailedLink(site: Site, link: MailedLink): string {
  return layout(site, {
    title: `${link.title} · RentAPI`,
    script: 'mailed-link.js',
    card: true,
    main: html`
      <h1>${link.title}</h1>
      <form method="post" data-action="${link.action}" hidden>
        <p>${link.lead}</p>
        ${link.form}
      </form>
      <p class="note bad" role="alert" data-show="problem" hidden></p>
      <p class="note bad" data-show="incomplete" hidden>This link is incomplete, or the page was reloaded. Open the link in
        the mail again.</p>
      <p class="note good" role="status" data-show="done" hidden>${link.done}</p>
      <noscript><p class="note bad">This page needs JavaScript.</p></noscript>`,
  });
}
